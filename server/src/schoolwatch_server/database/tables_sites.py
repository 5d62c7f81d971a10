"""Websites of schools and what was found at each look; instants are UTC seconds."""

from sqlalchemy import Boolean, Column, Double, Index, Integer, String, Table, Text

from schoolwatch_server.database.columns import id_, metadata, one_open, to

site = Table(
    "site",
    metadata,
    id_(),
    to("school.id", "school_id", index=True),
    Column("address", Text, nullable=False),  # as `sites.address.typed` gives it
    Column("valid_from", Double, nullable=False),
    Column("valid_to", Double),
    Column("set_by", Text, nullable=False),
    Column("due_at", Double, nullable=False),  # when it is looked at next
    Column("is_up", Boolean),  # as last known, and since when it is so
    Column("since", Double),
    one_open("uq_site_present", "school_id", "valid_to"),
)
site_look = Table(
    "site_look",
    metadata,
    id_(),
    to("site.id", "site_id"),
    Column("at", Double, nullable=False),
    Column("is_up", Boolean),
    Column("trouble", String(20), nullable=False),
    Column("trouble_v4", String(20), nullable=False),
    Column("status_v4", Integer),
    Column("seconds_v4", Double),
    Column("https_v4", Boolean, nullable=False),
    Column("trouble_v6", String(20), nullable=False),
    Column("status_v6", Integer),
    Column("seconds_v6", Double),
    Column("https_v6", Boolean, nullable=False),
    Column("has_ipv6", Boolean),
    Column("is_trusted", Boolean),
    Column("tls_trouble", String(20), nullable=False),
    Column("tls_version", String(20), nullable=False),
    Column("issuer", String(120), nullable=False),
    Column("expires_at", Double),
    Column("leads_to_https", Boolean),
    Index("ix_site_look_site_id_at", "site_id", "at", unique=True),
)
