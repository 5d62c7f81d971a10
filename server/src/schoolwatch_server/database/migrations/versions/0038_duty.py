"""Channels, duty, messages of many incidents, escalation and exercises."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """What waits in the outbox is sent as before, by the channels of the file."""
    op.create_table(
        "channel",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("address", sa.LargeBinary()),
        sa.Column("language", sa.String(2), nullable=False, server_default="vi"),
        sa.Column("is_on", sa.Boolean(), nullable=False, server_default=sa.text("true")),
        sa.Column("account_id", _Id),
        sa.Column("is_own", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("worked_at", sa.Double()),
        sa.Column("failed_at", sa.Double()),
        sa.Column("error", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("name", name=op.f("uq_channel_name")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_channel_account_id_account")),
    )
    op.create_index(op.f("ix_channel_account_id"), "channel", ["account_id"])
    op.create_table(
        "duty",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("scope_level", sa.String(20), nullable=False),
        sa.Column("scope_id", _Id),
        sa.Column("least", sa.String(20), nullable=False),
        sa.Column("weekdays", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.String(10)),
        sa.Column("last_day", sa.String(10)),
        sa.Column("step", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("quiet_from", sa.Integer()),
        sa.Column("quiet_to", sa.Integer()),
        sa.Column("digest_at", sa.Integer()),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
    )
    op.create_table(
        "notify_settings",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("escalate", sa.JSON(), nullable=False),
        sa.Column("ping_url", sa.LargeBinary()),
        sa.Column("ping_every", sa.Integer(), nullable=False, server_default=sa.text("60")),
        sa.Column("pinged_at", sa.Double()),
        sa.Column("ping_failed_at", sa.Double()),
        sa.Column("ping_error", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_settings")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("is_exercise", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", sa.Double()),
        sa.Column("claimed_at", sa.Double()),
        sa.Column("sent_at", sa.Double()),
        sa.Column("error", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("nonce", name=op.f("uq_delivery_nonce")),
    )
    op.create_index(op.f("ix_delivery_made_at"), "delivery", ["made_at"])
    op.create_index(op.f("ix_delivery_due_at"), "delivery", ["due_at"])
    op.create_table(
        "escalation",
        sa.Column("incident_id", _Id, autoincrement=False, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Double()),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_escalation")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_escalation_incident_id_incident")
        ),
    )
    op.create_index(op.f("ix_escalation_next_at"), "escalation", ["next_at"])
    op.create_table(
        "exercise",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("rule", sa.String(60), nullable=False),
        sa.Column("scope_level", sa.String(20), nullable=False),
        sa.Column("scope_id", _Id),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("ends_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double()),
        sa.Column("incidents", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise")),
    )
    op.add_column("notification", sa.Column("delivery_id", _Id))
    op.add_column(
        "notification", sa.Column("is_digest", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.create_index(op.f("ix_notification_delivery_id"), "notification", ["delivery_id"])
