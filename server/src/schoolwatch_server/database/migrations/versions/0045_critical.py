"""Critical incidents are found without reading all: their deadlines are counted on every page."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    """An index of those alone."""
    critical = sa.text("severity = 'critical'")
    op.create_index(
        "ix_incident_critical", "incident", ["id"], sqlite_where=critical, postgresql_where=critical
    )
