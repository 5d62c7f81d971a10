"""Tables of frozen reports, of what became of each, of a province's own deadlines, and of reminders."""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from schoolwatch_server.database.columns import Id, id_, metadata, to

report = Table(  # triggers of the database refuse to change what was frozen
    "report",
    metadata,
    id_(),
    Column("kind", String(20), nullable=False),
    Column("level", String(20), nullable=False),
    Column("place_id", Id, nullable=False),  # of a province, a commune or a school, as `level` says
    Column("period", String(10), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),  # the bytes of `reports.content.encode`, packed by zlib
    Column("size", Integer, nullable=False),  # of the bytes before that
    Column("code", String(20), nullable=False, server_default=""),  # as the place was called then
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),  # why there is a further revision
    Column("simulated", Boolean, nullable=False),
    Column("due_on", String(10), nullable=False, server_default=""),  # the last day in time, ISO 8601
    Column("frozen_at", Double, nullable=False, index=True),
    Column("frozen_by", Text, nullable=False, server_default=""),
    Column("state", String(20), nullable=False),
    Column("handed_in_at", Double),  # for the last time
    Column("handed_in_by", Text, nullable=False, server_default=""),
    UniqueConstraint("kind", "level", "place_id", "period", "revision"),
    Index("ix_report_place", "level", "place_id"),
)
report_event = Table(
    "report_event",
    metadata,
    id_(),
    to("report.id", "report_id", index=True),
    Column("at", Double, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("by", Text, nullable=False, server_default=""),
    Column("remark", Text, nullable=False, server_default=""),
)
report_deadline = Table(  # where a province has its own; the shipped calendar holds otherwise
    "report_deadline",
    metadata,
    id_(),
    to("province.id", "province_id"),
    Column("kind", String(20), nullable=False),
    Column("level", String(20), nullable=False),
    Column("before", String(5), nullable=False),  # "20", "12-10"; empty: there is none
    Column("document", Text, nullable=False, server_default=""),
    Column("clause", Text, nullable=False, server_default=""),
    Column("changed_at", Double, nullable=False),
    Column("changed_by", Text, nullable=False, server_default=""),
    UniqueConstraint("province_id", "kind", "level"),
)
report_reminder = Table(  # the outbox of reminders: one row a channel, so that none is sent twice
    "report_reminder",
    metadata,
    id_(),
    to("province.id", "province_id"),
    Column("kind", String(20), nullable=False),
    Column("level", String(20), nullable=False),
    Column("period", String(10), nullable=False),
    Column("days", Integer, nullable=False),  # before the last day in time
    Column("channel", String(64), nullable=False),
    Column("last_day", String(10), nullable=False),
    Column("made_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", Double, index=True),
    Column("sent_at", Double),
    Column("error", Text, nullable=False, server_default=""),
    UniqueConstraint("province_id", "kind", "level", "period", "days", "channel"),
)
