"""Standing faults: what was wrong with a computer when it came, or has been for weeks."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Empty: a fault of which an incident is open goes on the list when its weeks are over."""
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "standing_fault",
        sa.Column("id", id_, autoincrement=True, nullable=False),
        sa.Column("rule", sa.String(60), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("fingerprint", sa.String(120), nullable=False),
        sa.Column("device_id", id_, nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("listed_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double()),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_standing_fault_device_id_device")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_fault")),
    )
    op.create_index(op.f("ix_standing_fault_device_id"), "standing_fault", ["device_id"])
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_standing_fault_open",
        "standing_fault",
        ["fingerprint"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
