"""That no other server writes to the same store: ids of schools are each server's own, and would be mixed up.

Each server puts its mark there and looks for those of others: a server that was set up from a copy for a
trial, with the settings of the real one, would write its numbers over the real ones, and delete by its ids.
"""

import hashlib
import logging
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from schoolwatch_server.influxql.instant import nanoseconds
from schoolwatch_server.store.influx.engine import StoreDownError, StoreEngine
from schoolwatch_server.store.names import FIELD, WRITER

log = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds between two marks of a server."""

STALE: Final = 180.0
"""Seconds after which a mark says no more that its server is there."""

_AHEAD: Final = 3600.0
"""Seconds by which the clock of another server may be ahead."""


def name(epoch: str, folder: Path) -> str:
    """What tells a server from all others, its copies on other machines or in other folders among them."""
    place = f"{platform.node()} {folder.resolve()}"
    return f"{epoch[:8]}.{hashlib.sha256(place.encode()).hexdigest()[:8]}"


class Alone:
    """One server's marks in a store."""

    def __init__(self, store: StoreEngine, me: str, clock: Callable[[], float] = time.time) -> None:
        self._store, self._me, self._clock = store, me, clock
        self._marked_at = -1e18

    def look(self) -> None:
        """Looks for others once a minute, and leaves a mark. Raises `StoreDownError` where there are some."""
        if time.monotonic() - self._marked_at < EVERY:
            return
        now = self._clock()
        start, end = nanoseconds(now - STALE), nanoseconds(now + _AHEAD)
        if others := self._others(start, end):
            raise StoreDownError(
                f"another server writes to this store ({min(others)}; this one is {self._me}): nothing of "
                "this one is written. Give this one a database, bucket or store of its own (store.database, "
                "store.bucket, store.url), or stop the other: three minutes later this one goes on"
            )
        self._store.write(f"{WRITER},server={self._me} {FIELD}=1.0 {nanoseconds(now)}".encode())
        self._marked_at = time.monotonic()

    def _others(self, start: int, end: int) -> set[str]:
        """None where it can't be read: an InfluxDB 2 may be written to without that."""
        try:
            found = list(self._store.read(WRITER, [FIELD], {}, start, end))
        except StoreDownError as error:
            self._store.about()  # raises where it is away
            log.warning("whether another server writes to the store can't be seen: %s", error)
            return set()
        return {one.tags.get("server", "") for one in found if one.points} - {self._me}
