"""The use of rooms, week by week."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the table of sums."""
    op.create_table(
        "room_use",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("room_id", _ID, nullable=False),
        sa.Column("week", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("on_devices", sa.Integer(), nullable=False),
        sa.Column("on_device_days", sa.Integer(), nullable=False),
        sa.Column("on_total", sa.Double(), nullable=True),
        sa.Column("active_devices", sa.Integer(), nullable=False),
        sa.Column("active_device_days", sa.Integer(), nullable=False),
        sa.Column("active_total", sa.Double(), nullable=True),
        sa.Column("boots_devices", sa.Integer(), nullable=False),
        sa.Column("boots_device_days", sa.Integer(), nullable=False),
        sa.Column("boots_total", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_room_use_room_id_room")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_use")),
        sa.UniqueConstraint("room_id", "week", name=op.f("uq_room_use_room_id_week")),
    )
