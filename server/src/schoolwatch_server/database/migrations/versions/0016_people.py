"""People: a second factor, passwords that must be changed, idle accounts and sessions, uses of API tokens."""

import time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_ACCOUNT: tuple[sa.Column[Any], ...] = (
    sa.Column("must_change", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    sa.Column("role_since", sa.Double(), server_default=sa.text("0"), nullable=False),
    sa.Column("active_at", sa.Double(), server_default=sa.text("0"), nullable=False),
    sa.Column("last_login_at", sa.Double(), nullable=True),
    sa.Column("totp", sa.LargeBinary(), nullable=True),
    sa.Column("totp_new", sa.LargeBinary(), nullable=True),
    sa.Column("totp_step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    sa.Column("code_failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("code_locked_until", sa.Double(), nullable=True),
)
_SESSION: tuple[sa.Column[Any], ...] = (
    sa.Column("seen_at", sa.Double(), server_default=sa.text("0"), nullable=False),
    sa.Column("address", sa.String(64), server_default="", nullable=False),
    sa.Column("waits", sa.Boolean(), server_default=sa.text("false"), nullable=False),
)
_TOKEN: tuple[sa.Column[Any], ...] = (
    sa.Column("issued_by", sa.Text(), server_default="", nullable=False),
    sa.Column("used_at", sa.Double(), nullable=True),
)


def upgrade() -> None:
    """Accounts that are there count as used today: when each was used last is not known."""
    for table, columns in (("account", _ACCOUNT), ("session", _SESSION), ("api_token", _TOKEN)):
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_recovery_code_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "hash", name=op.f("pk_recovery_code")),
    )
    account = sa.table("account", sa.column("role_since"), sa.column("active_at"))
    now = time.time()
    op.execute(account.update().values(role_since=now, active_at=now))
    op.execute(sa.table("session").delete())  # everybody logs in once more: how long it was idle is unknown
