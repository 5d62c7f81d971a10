"""What each device is to be told: whether it has been, and which device tests its school's line."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, text

from schoolwatch_server.database.columns import Id, metadata

_DUE = text("due > 0")

device_settings = Table(
    "device_settings",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    Column("digest", String(32)),  # of what the broker holds for it
    Column("due", Integer, nullable=False),  # changes since it was told; 0: it knows all
    Index("ix_device_settings_due", "device_id", sqlite_where=_DUE, postgresql_where=_DUE),
)
line_tester = Table(
    "line_tester",
    metadata,
    Column("school_id", Id, ForeignKey("school.id"), primary_key=True, autoincrement=False),
    Column("device_id", Id, ForeignKey("device.id"), nullable=False, unique=True),
)
