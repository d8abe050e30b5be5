"""a revision that was never ported"""

revision = "0c0ffee00004"
down_revision = "003"


def upgrade():
    pass
