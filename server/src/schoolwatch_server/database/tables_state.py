"""What is known of each device now: the columns that indicators count, apart from them all of it; and what
was said before."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from schoolwatch_server.database.columns import Id, id_, metadata, to

state = Table(  # narrow, so that a province of 75,000 devices is counted in a few thousand pages
    "state",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    Column("taken_at", Double, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("heard_at", Double, nullable=False),
    Column("agent", String(32), nullable=False),
    Column("protected", Boolean),
    Column("ipv6_rung", Integer),
    Column("link_speed", Double),
    Column("link_medium", String(20)),
    Column("antivirus", Text),
    Column("windows_activated", Boolean),
    Column("office_activated", Boolean),
    Column("realtime", Boolean),
    Column("signature_age", Double),
    Column("patch_age", Double),
    Column("firewall", Boolean),
    Column("autorun_off", Boolean),
    Column("attachments_marked", Boolean),
    Column("least_length", Double),
    Column("lock_after", Double),
    Column("accounts_closed", Boolean),
    Column("bios_date", String(10)),
    Column("memory", Double),
    Column("disk_failing", Boolean),
    Column("os", Text),
    Column("is_server", Boolean),
    Column("backup_age", Double),
    Column("ipv6_works", Boolean),
    Column("server_latency", Double),
    Column("server_jitter", Double),
    Column("server_loss", Double),
    Column("line_tests", LargeBinary),  # the newest speed tests of the school's line, packed
    Column("ipv6_worked_at", Double),  # when a default route for IPv6 was last there
    Column("malware_log", Boolean),  # whether an antivirus says how often it found malware
)
state_body = Table(  # all of it, packed: a few kilobytes a device
    "state_body",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
_THREATS = text("name = 'antivirus.threat'")
fact_history = Table(
    "fact_history",
    metadata,
    id_(),
    to("device.id", "device_id"),
    Column("name", String(64), nullable=False),
    Column("labels", Text, nullable=False),
    Column("value", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Column("valid_from", Double, nullable=False),
    Column("valid_to", Double),
    Index("ix_fact_history_device_name", "device_id", "name", "valid_from"),
    Index("ix_fact_history_threat", "value", sqlite_where=_THREATS, postgresql_where=_THREATS),
)
