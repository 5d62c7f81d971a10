"""Packs typed into the console, version by version, and the text of every pack that a report has named."""

from sqlalchemy import Boolean, Column, Double, Integer, String, Table, Text, UniqueConstraint, text

from schoolwatch_server.database.columns import id_, metadata

pack_version = Table(
    "pack_version",
    metadata,
    id_(),
    Column("pack", String(60), nullable=False),
    Column("version", Integer, nullable=False),
    Column("valid_from", String(10), nullable=False),  # the day, ISO 8601, in Vietnam
    Column("text", Text, nullable=False),
    Column(
        "is_end", Boolean, nullable=False, server_default=text("false")
    ),  # from that day it is out of force
    Column("saved_at", Double, nullable=False),
    Column("saved_by", Text, nullable=False),
    UniqueConstraint("pack", "version"),
)
pack_text = Table(
    "pack_text",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Column("kept_at", Double, nullable=False),
)
