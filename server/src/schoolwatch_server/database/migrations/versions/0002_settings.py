"""What each device is told, and which one tests its school's line."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes both tables."""
    op.create_table(
        "device_settings",
        sa.Column("device_id", _ID, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=True),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_device_settings_device_id_device")
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_settings")),
    )
    op.create_index(
        "ix_device_settings_due",
        "device_settings",
        ["device_id"],
        unique=False,
        sqlite_where=sa.text("due > 0"),
        postgresql_where=sa.text("due > 0"),
    )
    op.create_table(
        "line_tester",
        sa.Column("school_id", _ID, autoincrement=False, nullable=False),
        sa.Column("device_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_line_tester_device_id_device")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_line_tester_school_id_school")),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_line_tester")),
        sa.UniqueConstraint("device_id", name=op.f("uq_line_tester_device_id")),
    )
