"""Accounts that an identity of a provider opens, and how a session was proved."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """No account is linked; every open session was opened with a password."""
    op.add_column("account", sa.Column("oidc_issuer", sa.String(500), nullable=True))
    op.add_column("account", sa.Column("oidc_subject", sa.String(255), nullable=True))
    op.create_index("ix_account_oidc", "account", ["oidc_issuer", "oidc_subject"], unique=True)
    op.add_column("session", sa.Column("proof", sa.String(20), server_default="", nullable=False))
