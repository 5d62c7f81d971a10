"""Of what people did about an incident a duty entry is told; what raised an incident in the list last."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Entries that are there tell all; incidents stand where their last opening puts them."""
    op.add_column("duty", sa.Column("acts", sa.String(10), nullable=False, server_default="all"))
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("incident", sa.Column("raised_event", id_, nullable=False, server_default=sa.text("0")))
    op.execute(
        "UPDATE incident SET raised_event = coalesce((SELECT max(e.id) FROM incident_event AS e"
        " WHERE e.incident_id = incident.id AND e.kind IN ('opened', 'reopened', 'worsened')), 0)"
    )
    op.create_index("ix_incident_raised_event", "incident", ["raised_event"])
