"""create initial tables"""

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None


def now():
    return sa.text("CURRENT_TIMESTAMP")


def upgrade():
    op.create_table(
        "users",
        sa.Column("id", sa.String(255), primary_key=True),
        sa.Column("email", sa.String(255), unique=True, nullable=False),
        sa.Column("name", sa.String(255), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP, server_default=now()),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("user_id", sa.String(255), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text, nullable=True),
        sa.Column("completed", sa.Boolean, server_default="false", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP, server_default=now()),
        sa.Column("updated_at", sa.TIMESTAMP, server_default=now()),
    )
    op.create_index("idx_tasks_user_id", "tasks", ["user_id"])
    op.create_index("idx_tasks_completed", "tasks", ["completed"])
