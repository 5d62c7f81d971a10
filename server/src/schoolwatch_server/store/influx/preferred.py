"""Reads from the store beside the database where that answers in time, else from the database."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from schoolwatch_server.store.influx.engine import StoreDownError
from schoolwatch_server.store.series import Judged, Resolution, Series, Store

log = logging.getLogger(__name__)

REST: Final = 30.0
"""Seconds for which a store that didn't answer isn't asked again: no page waits for it twice."""

_T = TypeVar("_T")


class Preferred:
    """A `Store` of two, of which both hold the same."""

    def __init__(self, first: Store, second: Store) -> None:
        self._first, self._second = first, second
        self._asked_from = 0.0

    def series(
        self, device_id: int, metric: str, start: float, end: float, resolution: Resolution | None = None
    ) -> tuple[Series, ...]:
        """As `Store.series`."""
        return self._of_either(lambda store: store.series(device_id, metric, start, end, resolution))

    def judged(
        self, measurement: str, tags: Mapping[str, str], start: float, end: float
    ) -> tuple[Judged, ...]:
        """As `Store.judged`."""
        return self._of_either(lambda store: store.judged(measurement, tags, start, end))

    def write_judged(self, rows: Sequence[Judged]) -> None:
        """To the database, which the writer of the other follows."""
        self._second.write_judged(rows)

    def _of_either(self, ask: Callable[[Store], _T]) -> _T:
        if time.monotonic() >= self._asked_from:
            try:
                return ask(self._first)
            except StoreDownError as error:
                self._asked_from = time.monotonic() + REST
                log.warning("the store of series does not answer, the database does instead: %s", error)
        return ask(self._second)
