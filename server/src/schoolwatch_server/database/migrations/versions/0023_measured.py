"""What indicators count of each computer: safeguards, age, way to the server, tests of the school's line."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

_NEW: tuple[tuple[str, Any], ...] = (
    ("realtime", sa.Boolean()),
    ("signature_age", sa.Double()),
    ("patch_age", sa.Double()),
    ("firewall", sa.Boolean()),
    ("autorun_off", sa.Boolean()),
    ("attachments_marked", sa.Boolean()),
    ("least_length", sa.Double()),
    ("lock_after", sa.Double()),
    ("accounts_closed", sa.Boolean()),
    ("bios_date", sa.String(10)),
    ("memory", sa.Double()),
    ("disk_failing", sa.Boolean()),
    ("os", sa.Text()),
    ("is_server", sa.Boolean()),
    ("backup_age", sa.Double()),
    ("ipv6_works", sa.Boolean()),
    ("server_latency", sa.Double()),
    ("server_jitter", sa.Double()),
    ("server_loss", sa.Double()),
    ("line_tests", sa.LargeBinary()),
)


def upgrade() -> None:
    """Empty until a device reports again: what it told before stands in its state, unread here."""
    for name, kind in _NEW:
        op.add_column("state", sa.Column(name, kind, nullable=True))
