"""What was known of a school's network and isn't any more."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    """Empty: nobody has taken anything back yet."""
    op.create_table(
        "known_end",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(60), nullable=False),
        sa.Column("school_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_known_end"),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name="fk_known_end_school_id_school"),
    )
    op.create_index("ix_known_end_rule_subject", "known_end", ["rule", "subject"])
    op.create_index("ix_known_end_school_id", "known_end", ["school_id"])
