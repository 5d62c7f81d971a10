"""Rules typed into the console, version by version."""

from sqlalchemy import Boolean, Column, Double, Integer, String, Table, Text, UniqueConstraint, text

from schoolwatch_server.database.columns import id_, metadata

rule_version = Table(
    "rule_version",
    metadata,
    id_(),
    Column("rule", String(60), nullable=False),
    Column("version", Integer, nullable=False),
    Column("valid_from", Double, nullable=False),
    Column("text", Text, nullable=False),
    Column("is_end", Boolean, nullable=False, server_default=text("false")),
    Column("saved_at", Double, nullable=False),
    Column("saved_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("shipped", Integer, nullable=False),  # the shipped version there was then; 0: none
    Column("is_back", Boolean, nullable=False, server_default=text("false")),  # taken back before it acted
    UniqueConstraint("rule", "version"),
)
