"""Spoken conversations of the digital-human family"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.Column("spoken_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.create_index("conversations_owner", ["owner", "spoken_ms"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversations_spoken_ms"), ["spoken_ms"], unique=False)


def downgrade() -> None:
    op.drop_table("conversations")
