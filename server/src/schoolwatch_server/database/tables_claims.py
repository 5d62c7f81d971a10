"""What schools declare beside what is measured: each answer with its way to recognition and its evidence."""

from sqlalchemy import Column, Double, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from schoolwatch_server.database.columns import id_, metadata, to

claim = Table(
    "claim",
    metadata,
    id_(),
    to("school.id", "school_id"),
    Column("question", String(60), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("value", Double),
    Column("text", Text, nullable=False, server_default=""),
    Column("as_of", String(10), nullable=False),  # a day, ISO 8601: no instant of any zone
    Column("state", String(12), nullable=False, server_default="draft"),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("changed_at", Double, nullable=False),
    UniqueConstraint("school_id", "question", "revision"),
    Index("ix_claim_state", "state", "school_id"),
)
claim_event = Table(
    "claim_event",
    metadata,
    id_(),
    to("claim.id", "claim_id", index=True),
    Column("at", Double, nullable=False),
    Column("step", String(12), nullable=False),
    Column("actor", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("remark", Text, nullable=False, server_default=""),
)
attachment_body = Table(  # a file once, however many answers it proves
    "attachment_body",
    metadata,
    id_(),
    to("school.id", "school_id"),
    Column("sha256", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("school_id", "sha256"),
)
attachment = Table(
    "attachment",
    metadata,
    id_(),
    to("claim.id", "claim_id", index=True),
    to("attachment_body.id", "body_id", index=True),
    Column("name", Text, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("added_at", Double, nullable=False),
)
