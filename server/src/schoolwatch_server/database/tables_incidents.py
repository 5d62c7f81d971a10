"""Tables of rules and incidents, and of what was sent about them."""

from sqlalchemy import (
    JSON,
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
    UniqueConstraint,
    text,
)

from schoolwatch_server.database.columns import Id, id_, metadata, one_open, to

rule_state = Table(
    "rule_state",
    metadata,
    Column("rule", String(60), primary_key=True),
    Column("subject", String(60), primary_key=True),
    Column("body", JSON, nullable=False),
)
known_end = Table(  # what was known of a network (a rule's learning) and isn't any more from then on
    "known_end",
    metadata,
    id_(),
    Column("rule", String(60), nullable=False),
    Column("subject", String(60), nullable=False),
    to("school.id", "school_id", index=True),
    Column("ended_at", Double, nullable=False),
    Column("ended_by", Text, nullable=False, server_default=""),  # empty: nobody saw it for long
    Index("ix_known_end_rule_subject", "rule", "subject"),
)
rule_memory = Table(  # what rules about readings remember of a computer: it changes with each report
    "rule_memory",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
incident = Table(
    "incident",
    metadata,
    id_(),
    Column("rule", String(60), nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("fingerprint", String(120), nullable=False, index=True),
    Column("severity", String(20), nullable=False),
    to("device.id", "device_id", nullable=True, index=True),
    to("school.id", "school_id", nullable=True, index=True),
    Column("since", Double, nullable=False),
    Column("opened_at", Double, nullable=False, index=True),
    Column("closed_at", Double),
    Column("late", Boolean, nullable=False, server_default=text("false")),
    Column("evidence", JSON, nullable=False),
    Column("subject", String(60), nullable=False, server_default=""),
    Column("room_id", Id),
    Column("commune_id", Id, index=True),
    Column("province_id", Id, index=True),
    Column("reopened_at", Double),
    Column("acknowledged_at", Double),
    Column("acknowledged_by", Text, nullable=False, server_default=""),
    Column("assignee", Text, nullable=False, server_default=""),
    Column("verdict", String(20), nullable=False, server_default=""),
    Column("verdict_by", Text, nullable=False, server_default=""),
    Column("is_exercise", Boolean, nullable=False, server_default=text("false")),
    Column("raised_event", Id, nullable=False, server_default=text("0"), index=True),
    one_open("uq_incident_open", "fingerprint", "closed_at"),
    Index(
        "ix_incident_critical",
        "id",
        sqlite_where=text("severity = 'critical'"),
        postgresql_where=text("severity = 'critical'"),
    ),
)
standing_fault = Table(
    "standing_fault",
    metadata,
    id_(),
    Column("rule", String(60), nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("severity", String(20), nullable=False),
    Column("fingerprint", String(120), nullable=False),
    to("device.id", "device_id", index=True),
    Column("since", Double, nullable=False),
    Column("listed_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("evidence", JSON, nullable=False),
    Column("withdrawn", Boolean, nullable=False, server_default=text("false")),  # its rule judges it no more
    one_open("uq_standing_fault_open", "fingerprint", "ended_at"),
)
incident_event = Table(
    "incident_event",
    metadata,
    id_(),
    to("incident.id", "incident_id", index=True),
    Column("at", Double, nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("detail", JSON, nullable=False),
)
notification = Table(
    "notification",
    metadata,
    id_(),
    to("incident.id", "incident_id"),
    Column("event", String(20), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", Double, index=True),
    Column("sent_at", Double),
    Column("error", Text, nullable=False, server_default=""),
    Column("delivery_id", Id, index=True),
    Column("is_digest", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("incident_id", "event", "channel"),
)
