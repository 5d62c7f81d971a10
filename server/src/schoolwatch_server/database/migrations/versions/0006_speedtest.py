"""Leave for speed tests."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the table of slots."""
    op.create_table(
        "speedtest_slot",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("device_id", _ID, nullable=False),
        sa.Column("school_id", _ID, nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("granted_at", sa.Double(), nullable=False),
        sa.Column("busy_until", sa.Double(), nullable=False),
        sa.Column("running", sa.String(length=10), nullable=True),
        sa.Column("download_at", sa.Double(), nullable=True),
        sa.Column("upload_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_speedtest_slot_device_id_device")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_speedtest_slot_school_id_school")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_speedtest_slot")),
        sa.UniqueConstraint("hash", name=op.f("uq_speedtest_slot_hash")),
    )
    op.create_index("ix_speedtest_slot_busy", "speedtest_slot", ["busy_until"], unique=False)
