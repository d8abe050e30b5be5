"""add priority, tags, due dates, and recurrence"""

import sqlalchemy as sa
from alembic import op

revision = "003"
down_revision = "002"


def upgrade():
    op.add_column("tasks", sa.Column("priority", sa.String(20), server_default="medium", nullable=False))
    op.add_column("tasks", sa.Column("due_date", sa.TIMESTAMP, nullable=True))
    op.add_column("tasks", sa.Column("remind_at", sa.TIMESTAMP, nullable=True))
    op.add_column("tasks", sa.Column("recurrence_pattern", sa.String(100), nullable=True))
    op.add_column("tasks", sa.Column("is_recurring", sa.Boolean, server_default="false", nullable=False))
    op.create_table(
        "tags",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(50), unique=True, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP, server_default=sa.text("CURRENT_TIMESTAMP")),
    )
    op.create_table(
        "task_tags",
        sa.Column("task_id", sa.Integer, sa.ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("tag_id", sa.Integer, sa.ForeignKey("tags.id", ondelete="CASCADE"), nullable=False),
        sa.PrimaryKeyConstraint("task_id", "tag_id"),
    )
    op.create_index("idx_tasks_priority", "tasks", ["priority"])
    op.create_index("idx_tasks_due_date", "tasks", ["due_date"])
    op.create_index("idx_tasks_remind_at", "tasks", ["remind_at"])
    op.create_index("idx_tasks_is_recurring", "tasks", ["is_recurring"])
