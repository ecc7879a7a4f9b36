"""Who looks for the jobs that have not ended does not read those that have"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
GOING_ON = sa.text("finished_ms IS NULL")


def upgrade() -> None:
    op.create_index("jobs_going_on", "jobs", ["created_ms"], sqlite_where=GOING_ON, postgresql_where=GOING_ON)


def downgrade() -> None:
    op.drop_index("jobs_going_on", "jobs")
