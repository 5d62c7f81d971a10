"""Reads from the store beside the database, and from the database while that one does not answer."""

import time
from collections.abc import Mapping, Sequence

import pytest

from schoolwatch_server.store import Judged, Resolution, Series
from schoolwatch_server.store.influx import preferred
from schoolwatch_server.store.influx.engine import StoreDownError
from schoolwatch_server.store.influx.preferred import REST, Preferred


class Named:
    """A store that says who it is, when it answers."""

    def __init__(self, name: str) -> None:
        self.name, self.asked, self.away = name, 0, False
        self.wrote: list[Judged] = []

    def series(
        self, device_id: int, metric: str, start: float, end: float, resolution: Resolution | None = None
    ) -> tuple[Series, ...]:
        self._ask()
        return (Series(self.name, {}, "raw", ()),)

    def judged(
        self, measurement: str, tags: Mapping[str, str], start: float, end: float
    ) -> tuple[Judged, ...]:
        self._ask()
        return (Judged(self.name, tags, start, None),)

    def write_judged(self, rows: Sequence[Judged]) -> None:
        self.wrote += rows

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise StoreDownError("ReadTimeout: ")


def test_the_database_answers_while_the_store_does_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(preferred.time, "monotonic", lambda: now)
    first, second = Named("store"), Named("database")
    both = Preferred(first, second)

    def answers() -> tuple[str, str]:
        (series,), (judged,) = both.series(1, "x", 0, 1), both.judged("x", {}, 0, 1)
        return series.metric, judged.measurement

    assert answers() == ("store", "store")
    first.away = True
    assert answers() == ("database", "database")
    assert first.asked == 3
    assert caplog.text.count("does not answer") == 1
    first.away = False
    assert answers() == ("database", "database")
    now += REST
    assert answers() == ("store", "store")


def test_what_is_judged_is_written_to_the_database() -> None:
    first, second = Named("store"), Named("database")
    row = Judged("indicator", {}, 0.0, 1.0)
    Preferred(first, second).write_judged([row])
    assert (first.wrote, second.wrote) == ([], [row])
