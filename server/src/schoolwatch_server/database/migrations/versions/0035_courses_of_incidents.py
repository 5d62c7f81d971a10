"""Finds the last incident of a fingerprint, which may be opened once more, and what happened in a month."""

from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Two indexes."""
    op.create_index(op.f("ix_incident_fingerprint"), "incident", ["fingerprint"])
    op.create_index(op.f("ix_incident_event_at"), "incident_event", ["at"])
