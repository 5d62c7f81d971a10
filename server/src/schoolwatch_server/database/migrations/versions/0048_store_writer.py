"""How far the writer of an external store of series is, and the order in which judged values were written."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import sqlite

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    """Both empty: a writer that starts fills its store from the journal and from what was judged."""
    id_ = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
    op.create_table(
        "store_writer",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("lost", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_store_writer"),
    )
    op.create_table(
        "judged_log",
        sa.Column("id", id_, autoincrement=True, nullable=False),
        sa.Column("start", sa.Double(), nullable=False),
        sa.Column("end", sa.Double(), nullable=False),
        sa.Column("written_at", sa.Double(), nullable=False),
        sa.Column("series", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_judged_log"),
    )
    op.create_index("ix_judged_log_written_at", "judged_log", ["written_at"])
