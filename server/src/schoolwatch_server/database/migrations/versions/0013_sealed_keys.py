"""Frame keys are sealed with a master key that is outside the database."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from schoolwatch_server.database.engine import KEYS
from schoolwatch_server.sealing import KeyUnusableError, keyring

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """All rows are taken out and put in again, so that no page of the file keeps a key in clear.

    75,000 rows take some seconds. Copies of the database from before hold the keys as they were.
    """
    conn = op.get_bind()
    credential = sa.Table("credential", sa.MetaData(), autoload_with=conn)
    rows = [dict(row) for row in conn.execute(sa.select(credential)).mappings()]
    if not rows:
        return
    place: Path | None = context.config.attributes.get(KEYS)
    if place is None:
        raise KeyUnusableError("the master key's place is not known: set secrets.master_key_file")
    ring = keyring(place)
    for row in rows:
        row["frame_key"] = ring.seal(f"frame key of device {row['device_id']}", row["frame_key"])
    _replace(conn, credential, rows)


def _replace(conn: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA secure_delete=ON")  # what is deleted is overwritten with zeros
        conn.execute(sa.delete(table))
    else:
        conn.exec_driver_sql(f"TRUNCATE {table.name}")  # in a file of its own, and the old one is unlinked
    conn.execute(sa.insert(table), rows)
