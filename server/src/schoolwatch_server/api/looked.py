"""Who looked at what, and who was refused: in the audit log, where a flood of it is counted (`deeds`)."""

import time

from sqlalchemy import Engine

from schoolwatch_server.access import Principal
from schoolwatch_server.database import audit
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.deeds import Deed, Deeds


def see(looked: Deeds, engine: Engine, who: Principal, action: str, subject: str) -> None:
    """Somebody looks at something that only some may see: it is in the audit log before it is shown."""
    _write(looked, engine, Deed(who.name, action, subject, who.kind))


def refused(looked: Deeds, engine: Engine, who: Principal | None, route: str) -> None:
    """Somebody asked for what their role does not allow; `route` is the pattern of its address."""
    name, kind = (who.name, who.kind) if who else ("", "")
    _write(looked, engine, Deed(name, "access.refused", route, kind))


def _write(looked: Deeds, engine: Engine, deed: Deed) -> None:
    now = time.time()
    rows = looked.rows(deed, now)
    if rows:
        with begin_write(engine) as conn:
            audit.record_deeds(conn, rows, key="by", now=now)
