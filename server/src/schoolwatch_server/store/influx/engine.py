"""What is asked of InfluxDB and of VictoriaMetrics alike, and how they say no."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from schoolwatch_server.store.influx import words

CONNECT, ANSWER = 3.0, 15.0
"""Seconds that a store has to take a connection, and to answer."""

READ_SECONDS = 3.0
"""Seconds that it has to answer a page."""


class StoreDownError(Exception):
    """The store can't be reached, or can't do it just now: later it may. The text is one line, no secrets."""


class StoreSlowError(StoreDownError):
    """It did not answer in time: of less it might."""


class StoreRefusesError(Exception):
    """The store will never take this as it is: it is too large (`is_large`), or something in it is wrong."""

    def __init__(self, told: str, *, is_large: bool = False) -> None:
        super().__init__(told)
        self.is_large = is_large


@dataclass(frozen=True, slots=True)
class About:
    """`instance` tells one start of the store from the next; "" where it doesn't say.

    `notice` is how it is set otherwise than it should be.
    """

    instance: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One series: its tags, and its points: instant (ns) and number by field."""

    tags: Mapping[str, str]
    points: Sequence[tuple[int, Mapping[str, float]]]


class StoreEngine(Protocol):
    """A store of series over HTTP. All raise `StoreDownError`."""

    def write(self, lines: bytes) -> int:
        """Writes lines (instants in ns); how many points it dropped. Raises `StoreRefusesError`."""

    def about(self) -> About:
        """Which start of the store this is, and what is wrong with its settings."""

    def read(
        self, measurement: str, fields: Sequence[str], tags: Mapping[str, str], start: int, end: int
    ) -> Iterable[Found]:
        """Points in [start, end) ns of the series with these tags, oldest first."""

    def newest(self, measurement: str, start: int, end: int) -> Iterable[tuple[Mapping[str, str], int]]:
        """Tags of each series that has a `value` in [start, end) ns, and when its newest point is (ns)."""

    def close(self) -> None:
        """Lets its connections go."""

    def delete(self, tag: str, text: str, measurement: str = "") -> bool:
        """Deletes all series with this tag, of one measurement or of all; False where there is no way."""


_DROPPED = re.compile(r"dropped=(\d+)")


def told(status: int, text: str, location: str = "") -> int:
    """How many points were dropped by an answer to a write. Raises `StoreRefusesError` or `StoreDownError`.

    `location` is where an answer sends on to. All stores say 204 to what they took. InfluxDB says "partial
    write" where it took the rest of the points.
    """
    if status == 204:
        return 0
    if status == 413:  # from the store or from a proxy before it, which says so with a page
        raise StoreRefusesError("413: more than it takes in one request", is_large=True)
    if status in (408, 504):
        raise StoreSlowError(f"{status}: no answer in time")
    said = words.answered(status, text, location)
    if status in (400, 422) and not text.lstrip().startswith("<"):  # else a page of a proxy or of a login
        if "partial write" in text:
            return _dropped(text)
        raise StoreRefusesError(said)
    raise StoreDownError(said)


def _dropped(text: str) -> int:
    found = _DROPPED.search(text)
    if found is not None:
        return max(1, int(found[1]))  # of lines it can't read InfluxDB 1.x says 0
    try:
        return max(1, len(json.loads(text)["data"]))  # InfluxDB 3 lists them
    except (ValueError, KeyError, TypeError):
        return 1
