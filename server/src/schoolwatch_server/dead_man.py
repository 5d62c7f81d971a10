"""A sign of life to an address outside: when it stops, somebody else can tell that the server is gone.

It is given only while rules are evaluated and the database answers: a server that runs and judges nothing
keeps silent too.
"""

import logging
import threading
import time

from sqlalchemy import Engine, update

from schoolwatch_server.database import audit, counted, duty_rows, sealed
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.guard import Guard
from schoolwatch_server.sealing import SealError

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds between two looks at whether it is due."""

TIMEOUT = 10.0
BEHIND_MAX = 20_000
"""Envelopes that rules may be behind: about a minute of a province. A proposal of this project."""

SILENT_MAX = 60.0
"""Seconds since rules last said that they are alive."""

CURSOR = "rules"


def run(engine: Engine, stop: threading.Event, leading: threading.Event) -> None:
    """Gives the sign until `stop`, while this process is the one that evaluates."""
    guard = Guard("sign of life")
    while not stop.wait(LOOK_EVERY):
        if leading.is_set():
            guard.attempt(lambda: _looked(engine))


def _looked(engine: Engine) -> bool:
    try:
        return look(engine, time.time())
    except SealError as error:
        log.error("%s", error)  # noqa: TRY400  the line says all
        return False


def look(engine: Engine, now: float) -> bool:
    """Gives the sign when it is due and all is well; whether it was given. Raises `SealError`."""
    with begin_read(engine) as conn:
        row = conn.execute(t.notify_settings.select().limit(1)).first()
        if row is None or row.ping_url is None:
            return False
        last = max(row.pinged_at or 0.0, row.ping_failed_at or 0.0)
        if 0 <= now - last < row.ping_every:
            return False
        trouble = _trouble(counted.cursors(conn), now)
        url = sealed.keys(conn).unseal(sealed.PING_URL.purpose(row.id), row.ping_url).decode()
    error = trouble or ping(url)
    values = {"ping_failed_at": now, "ping_error": error} if error else {"pinged_at": now, "ping_error": ""}
    with begin_write(engine) as conn:
        conn.execute(update(t.notify_settings).where(t.notify_settings.c.id == row.id).values(**values))
    if error and error != row.ping_error:
        log.warning("sign of life: %s", error)
    return not error


def ping(url: str) -> str:
    """One GET: empty when it was answered with 2xx, else why not, without the address in it.

    How long the answer's body is doesn't matter: it is not read.
    """
    import httpx  # a server that gives no sign needn't hold it in memory

    try:
        with httpx.stream("GET", url, timeout=TIMEOUT, follow_redirects=False) as answer:
            return "" if answer.is_success else f"answered {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"no answer ({type(error).__name__})"


def check(url: str) -> None:
    """Raises `ValueError`, without the address in it, for what is no address of a web server."""
    import httpx

    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError("not an address") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or any(ord(sign) < 33 for sign in url):
        raise ValueError("not an address")


def set_url(engine: Engine, url: str, every: int, actor: str, now: float) -> None:
    """Sets the address (sealed) and the seconds between two signs; an empty one gives none any more."""
    with begin_write(engine) as conn:
        number = duty_rows.settings_row(conn)
        secret = sealed.keys(conn).seal(sealed.PING_URL.purpose(number), url.encode()) if url else None
        values = {"ping_url": secret, "ping_every": every, "pinged_at": None, "ping_failed_at": None}
        here = update(t.notify_settings).where(t.notify_settings.c.id == number)
        conn.execute(here.values(**values, ping_error=""))
        detail = {"ping": bool(url), "every": every}
        audit.record(conn, actor=actor, action="notify.settings", subject="ping", detail=detail, now=now)


def _trouble(cursors: tuple[counted.CursorRow, ...], now: float) -> str:
    rules = next((one for one in cursors if one.name == CURSOR), None)
    if rules is None or now - rules.moved_at > SILENT_MAX:
        return "rules are not evaluated"
    return f"rules are {rules.behind} envelopes behind" if rules.behind > BEHIND_MAX else ""
