"""The server's own health as series: what it takes in, how far behind its readers are, what waits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from schoolwatch_server.store.names import SERVER
from schoolwatch_server.store.series import Judged


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the journal: how many envelopes it still has to read, and how long the next one waits."""

    name: str
    envelopes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Health:
    """What is read at an instant. `ages`: seconds that each envelope waited which came in `minutes`.

    `whole_from`: since when single readings are whole in the store beside the database (UTC seconds; 0: all
    are, or there is none).
    """

    minutes: float
    ages: Sequence[float]
    readers: Sequence[Reader]
    quarantine: int
    undelivered: int
    database: int
    versions: Mapping[str, int]
    whole_from: float = 0.0


def rows(found: Health, at: float) -> Iterator[Judged]:
    """Points without a place: only who sees everything sees them. Seconds, bytes and counts."""
    yield _row(at, "intake", len(found.ages) / found.minutes)
    if found.ages:
        middle, most = spread(found.ages)
        yield _row(at, "spool", middle, part="p50")
        yield _row(at, "spool", most, part="p95")
    for reader in found.readers:
        yield _row(at, "behind", reader.envelopes, part=reader.name)
        yield _row(at, "lag", reader.seconds, part=reader.name)
    yield _row(at, "quarantine", found.quarantine)
    yield _row(at, "undelivered", found.undelivered)
    yield _row(at, "database", found.database)
    if found.whole_from:
        yield _row(at, "whole", found.whole_from * 1000)  # Grafana's instants are milliseconds
    for version, count in found.versions.items():
        yield _row(at, "version", count, part=version or "?")


def spread(ages: Sequence[float]) -> tuple[float, float]:
    """The middle one, and what 95 of 100 don't exceed; what a clock ahead told is no age below 0."""
    known = [max(0.0, age) for age in ages]
    if len(known) == 1:
        return known[0], known[0]
    cuts = quantiles(known, n=20, method="inclusive")
    return cuts[9], cuts[18]


def _row(at: float, what: str, value: float, part: str = "") -> Judged:
    tags = {"what": what} | ({"part": part} if part else {})
    return Judged(SERVER, tags, at, float(value))
