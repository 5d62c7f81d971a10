"""One leader at a time: a row says who evaluates and until when, and whoever comes later waits."""

import json

from sqlalchemy import Connection, delete, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.upsert import upsert


def hold(conn: Connection, name: str, owner: str, now: float, seconds: float) -> bool:
    """Takes or renews the lease for so many seconds; False while somebody else holds it.

    A clock that was set back can't lock everybody out: a lease never counts for longer than `seconds`.
    """
    row = conn.scalar(select(t.meta.c.value).where(t.meta.c.key == _key(name)).with_for_update())
    if row is not None:
        held = json.loads(row)
        if held["owner"] != owner and now < held["until"] <= now + seconds:
            return False
    upsert(conn, t.meta, [{"key": _key(name), "value": json.dumps({"owner": owner, "until": now + seconds})}])
    return True


def release(conn: Connection, name: str, owner: str) -> None:
    """Gives the lease up, so that the next one need not wait; somebody else's stays."""
    row = conn.scalar(select(t.meta.c.value).where(t.meta.c.key == _key(name)))
    if row is not None and json.loads(row)["owner"] == owner:
        conn.execute(delete(t.meta).where(t.meta.c.key == _key(name)))


def _key(name: str) -> str:
    return f"lease.{name}"
