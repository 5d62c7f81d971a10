"""Leave for speed tests: who may measure until when, and in which directions it has."""

from sqlalchemy import Column, Double, Index, String, Table

from schoolwatch_server.database.columns import id_, metadata, to

speedtest_slot = Table(
    "speedtest_slot",
    metadata,
    id_(),
    Column("hash", String(64), nullable=False, unique=True),
    to("device.id", "device_id"),
    to("school.id", "school_id"),
    Column("rate", Double, nullable=False),  # bit/s set aside for it
    Column("granted_at", Double, nullable=False),
    Column("busy_until", Double, nullable=False),  # from then on it holds nothing and lets nobody in
    Column("running", String(10)),
    Column("download_at", Double),
    Column("upload_at", Double),
    Index("ix_speedtest_slot_busy", "busy_until"),
)
