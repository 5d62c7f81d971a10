"""Incidents of rooms, schools, communes and the server itself, and what people do about them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COLUMNS: tuple[sa.Column[Any], ...] = (
    sa.Column("subject", sa.String(60), server_default="", nullable=False),
    sa.Column("room_id", _ID, nullable=True),
    sa.Column("commune_id", _ID, nullable=True),
    sa.Column("province_id", _ID, nullable=True),
    sa.Column("reopened_at", sa.Double(), nullable=True),
    sa.Column("acknowledged_at", sa.Double(), nullable=True),
    sa.Column("acknowledged_by", sa.Text(), server_default="", nullable=False),
    sa.Column("assignee", sa.Text(), server_default="", nullable=False),
    sa.Column("verdict", sa.String(20), server_default="", nullable=False),
    sa.Column("verdict_by", sa.Text(), server_default="", nullable=False),
    sa.Column("is_exercise", sa.Boolean(), server_default=sa.text("false"), nullable=False),
)


def upgrade() -> None:
    """Incidents until now are of devices."""
    for column in _COLUMNS:
        op.add_column("incident", column)
    op.create_index(op.f("ix_incident_commune_id"), "incident", ["commune_id"])
    op.create_index(op.f("ix_incident_province_id"), "incident", ["province_id"])
    incident = sa.table("incident", sa.column("subject", sa.String), sa.column("device_id", _ID))
    op.execute(
        incident.update()
        .where(incident.c.device_id.is_not(None))
        .values(subject=sa.cast(incident.c.device_id, sa.String))
    )
