"""Tables of people: accounts, sessions, API tokens and the audit log."""

from sqlalchemy import (
    JSON,
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

from schoolwatch_server.database.columns import Id, id_, metadata

account = Table(
    "account",
    metadata,
    id_(),
    Column("name", String(80), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("scope_level", String(20), nullable=False),
    Column("scope_id", Id),
    Column("language", String(2), nullable=False, server_default="vi"),
    Column("created_at", Double, nullable=False),
    Column("disabled_at", Double),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("locked_until", Double),
    Column("must_change", Boolean, nullable=False, server_default=text("false")),
    Column("role_since", Double, nullable=False, server_default=text("0")),
    Column("active_at", Double, nullable=False, server_default=text("0")),
    Column("last_login_at", Double),
    Column("totp", LargeBinary),
    Column("totp_new", LargeBinary),
    Column("totp_step", BigInteger, nullable=False, server_default=text("0")),
    Column("code_failures", Integer, nullable=False, server_default=text("0")),
    Column("code_locked_until", Double),
    Column("oidc_issuer", String(500)),
    Column("oidc_subject", String(255)),
    Index("ix_account_oidc", "oidc_issuer", "oidc_subject", unique=True),
)
recovery_code = Table(
    "recovery_code",
    metadata,
    Column("account_id", Id, ForeignKey("account.id"), primary_key=True),
    Column("hash", String(64), primary_key=True),
)
session = Table(
    "session",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("account_id", Id, ForeignKey("account.id"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False, server_default=text("0")),
    Column("address", String(64), nullable=False, server_default=""),
    Column("waits", Boolean, nullable=False, server_default=text("false")),
    Column("proof", String(20), nullable=False, server_default=""),
)
api_token = Table(
    "api_token",
    metadata,
    id_(),
    Column("hash", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("permission", String(20), nullable=False),
    Column("scope_level", String(20), nullable=False),
    Column("scope_id", Id),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("issued_by", Text, nullable=False, server_default=""),
    Column("used_at", Double),
)
audit = (
    Table(  # triggers of the database refuse to change a row, and to remove one beyond `audit_head.removed`
        "audit",
        metadata,
        id_(),
        Column("at", Double, nullable=False, index=True),
        Column("actor", Text, nullable=False),
        Column("action", String(40), nullable=False),
        Column("subject", Text, nullable=False),
        Column("detail", JSON, nullable=False),
        Column("previous", String(64), nullable=False, unique=True),
        Column("hash", String(64), nullable=False),
    )
)
audit_head = Table(  # one row: the end of the chain, and up to where retention has removed
    "audit_head",
    metadata,
    id_(),
    Column("last", Id, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("removed", Id, nullable=False),
)
