"""Websites of schools, and what the server's own probe finds at them."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nobody's site is known yet."""
    op.create_table(
        "site",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("school_id", _Id, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Double(), nullable=False),
        sa.Column("valid_to", sa.Double(), nullable=True),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("is_up", sa.Boolean(), nullable=True),
        sa.Column("since", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_site_school_id_school")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    op.create_index(op.f("ix_site_school_id"), "site", ["school_id"])
    still = sa.text("valid_to IS NULL")
    op.create_index(
        "uq_site_present",
        "site",
        ["school_id"],
        unique=True,
        sqlite_where=still,
        postgresql_where=still,
    )
    op.create_table(
        "site_look",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("site_id", _Id, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("is_up", sa.Boolean(), nullable=True),
        sa.Column("trouble", sa.String(20), nullable=False),
        sa.Column("trouble_v4", sa.String(20), nullable=False),
        sa.Column("status_v4", sa.Integer(), nullable=True),
        sa.Column("seconds_v4", sa.Double(), nullable=True),
        sa.Column("https_v4", sa.Boolean(), nullable=False),
        sa.Column("trouble_v6", sa.String(20), nullable=False),
        sa.Column("status_v6", sa.Integer(), nullable=True),
        sa.Column("seconds_v6", sa.Double(), nullable=True),
        sa.Column("https_v6", sa.Boolean(), nullable=False),
        sa.Column("has_ipv6", sa.Boolean(), nullable=True),
        sa.Column("is_trusted", sa.Boolean(), nullable=True),
        sa.Column("tls_trouble", sa.String(20), nullable=False),
        sa.Column("tls_version", sa.String(20), nullable=False),
        sa.Column("issuer", sa.String(120), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("leads_to_https", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_look_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_look")),
    )
    op.create_index("ix_site_look_site_id_at", "site_look", ["site_id", "at"], unique=True)
