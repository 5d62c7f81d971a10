"""Whether Windows and Office say that they are activated are columns, so that a province can be counted."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """They fill with each device's next report; until then it is unknown."""
    op.add_column("state", sa.Column("windows_activated", sa.Boolean(), nullable=True))
    op.add_column("state", sa.Column("office_activated", sa.Boolean(), nullable=True))
