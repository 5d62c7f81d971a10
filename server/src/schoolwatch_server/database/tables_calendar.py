"""When school is held, when work is planned, and on which days devices were heard: what silence is judged by.

A place is a level and an id: `province`, `commune`, `school`; of planned work also `all`, with the id 0.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from schoolwatch_server.database.columns import Id, id_, metadata

school_hours = Table(  # where a school has its own; those of its level in the pack hold otherwise
    "school_hours",
    metadata,
    Column("school_id", Id, ForeignKey("school.id"), primary_key=True, autoincrement=False),
    Column("morning", String(11), nullable=False),
    Column("afternoon", String(11), nullable=False),
    Column("days", String(7), nullable=False),
    Column("mornings_only", String(7), nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("changed_by", Text, nullable=False),
)
set_day = Table(
    "set_day",
    metadata,
    id_(),
    Column("level", String(20), nullable=False),
    Column("place_id", Id, nullable=False),
    Column("first", String(10), nullable=False),  # local days, ISO 8601
    Column("last", String(10), nullable=False),
    Column("is_held", Boolean, nullable=False),  # school is held on them, or is not
    Column("reason", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("ended_at", Double),  # taken back
    Column("ended_by", Text, nullable=False, server_default=""),
    Index("ix_set_day_last", "last"),
)
maintenance = Table(
    "maintenance",
    metadata,
    id_(),
    Column("level", String(20), nullable=False),
    Column("place_id", Id, nullable=False),
    Column("rule", String(60), nullable=False, server_default=""),  # empty: all that may be quiet
    Column("starts", Double, nullable=False),
    Column("ends", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("ended_by", Text, nullable=False, server_default=""),  # who ended it before its time
    Index("ix_maintenance_ends", "ends"),
)
hearing = Table(
    "hearing",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    Column("newest", Integer, nullable=False),  # the local day that bit 0 of `days` is
    Column("days", BigInteger, nullable=False),
    Column("carried_at", Double),  # when a stick brought its reports, last
)
