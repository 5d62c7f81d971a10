"""Devices whose disk is put back at each start are found again by the hints they enrolled with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """One new table."""
    op.create_table(
        "frozen_device",
        sa.Column(
            "device_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("hints", sa.JSON(), nullable=False),
        sa.Column("enrolled_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_frozen_device_device_id_device")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_frozen_device")),
    )
