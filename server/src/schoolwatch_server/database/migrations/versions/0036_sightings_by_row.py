"""Rules judge sightings with the journal's row that they were committed with."""

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Finds the sightings of a row without reading all of them."""
    op.create_index(op.f("ix_sighting_journal_id"), "sighting", ["journal_id"])
