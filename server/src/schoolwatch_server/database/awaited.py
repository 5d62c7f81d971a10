"""Waits for a database on another server: after a power cut machines start in any order."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from schoolwatch_server.database.engine import DatabaseError, translated, unchecked

log = logging.getLogger(__name__)

SECONDS: Final = 3600.0
"""How long it is waited for; then whoever started us is told, and may start us again."""

PAUSES: Final = (0.5, 15.0)
"""Seconds between two tries: the first pause, doubled up to the last."""


def _say(error: DatabaseError) -> None:
    log.warning("%s; waiting for it, %.0f minutes at most", error, SECONDS / 60)


def reached(
    url: str,
    stop: threading.Event,
    tell: Callable[[DatabaseError], None] = _say,
    seconds: float = SECONDS,
) -> bool:
    """Whether the database's server answers, after waiting for it; False when `stop` was set meanwhile.

    That it waits is told once. Other trouble than that is left to who opens the database: waiting mends no
    password. Raises `DatabaseError` when the time is over.
    """
    began, pause = time.monotonic(), PAUSES[0]
    told = False
    while not stop.is_set():
        try:
            _connect(url)
        except DatabaseError as error:
            if error.trouble != "away":
                return True
            if time.monotonic() - began >= seconds:
                raise
            if not told:
                tell(error)
            told = True
            stop.wait(pause)
            pause = min(2 * pause, PAUSES[1])
        else:
            if told:
                log.info("the database answers")
            return True
    return False


def _connect(url: str) -> None:
    """An SQLite file is not opened: it is there or it is not."""
    engine = unchecked(url)
    try:
        if engine.url.get_backend_name() != "sqlite":
            with translated(engine.url), engine.connect():
                pass
    finally:
        engine.dispose()
