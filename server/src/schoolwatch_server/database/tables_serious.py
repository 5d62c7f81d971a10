"""Tables of serious incidents: marked by hand, what was sent, forms as they were made, to whom they go."""

from sqlalchemy import Boolean, Column, Double, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from schoolwatch_server.database.columns import id_, metadata, to

incident_mark = Table(  # what a person said; without a row the severity decides
    "incident_mark",
    metadata,
    id_(),
    to("incident.id", "incident_id"),
    Column("is_serious", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String(80), nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("incident_id"),
)
incident_sent = Table(  # ends a deadline
    "incident_sent",
    metadata,
    id_(),
    to("incident.id", "incident_id"),
    Column("step", String(20), nullable=False),
    Column("reference", String(80), nullable=False),
    Column("by", String(80), nullable=False),
    Column("sent_at", Double, nullable=False),
    UniqueConstraint("incident_id", "step"),
)
incident_form = Table(  # triggers of the database refuse to change what was kept
    "incident_form",
    metadata,
    id_(),
    to("incident.id", "incident_id"),
    Column("step", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),  # of `body`
    Column("body", LargeBinary, nullable=False),  # JSON, as docs/schema/incident-form.json says
    Column("letter_sha256", String(64), nullable=False),
    Column("letter", LargeBinary, nullable=False),  # DOCX, the same in words
    Column("made_at", Double, nullable=False),
    Column("made_by", String(80), nullable=False),
    UniqueConstraint("incident_id", "step", "revision"),
)
incident_recipient = Table(  # where a province's forms go: none, until somebody types one in
    "incident_recipient",
    metadata,
    id_(),
    to("province.id", "province_id"),
    Column("level", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("email", Text, nullable=False, server_default=""),
    Column("changed_at", Double, nullable=False),
    Column("changed_by", String(80), nullable=False),
    UniqueConstraint("province_id", "level"),
)
