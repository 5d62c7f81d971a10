"""Whether what a database holds was made up: then every page says so, and nobody takes it for a school's."""

from sqlalchemy import Connection, select

from schoolwatch_server.database.tables import meta
from schoolwatch_server.database.upsert import upsert

_KEY = "simulated"


def mark(conn: Connection) -> None:
    """What fills a database with simulated devices says so first; nothing takes the mark away."""
    upsert(conn, meta, [{"key": _KEY, "value": "yes"}])


def is_simulated(conn: Connection) -> bool:
    """Whether it was marked."""
    return conn.scalar(select(meta.c.key).where(meta.c.key == _KEY)) is not None
