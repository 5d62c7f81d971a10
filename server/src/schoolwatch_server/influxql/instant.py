"""Instants and durations of a query, in nanoseconds."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schoolwatch_server.influxql.errors import QueryError, shown

SECOND: Final = 1_000_000_000
UNITS: Final = {
    "ns": 1,
    "u": 1_000,
    "us": 1_000,
    "µ": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": 86400 * SECOND,
    "w": 7 * 86400 * SECOND,
}
EARLIEST: Final = -(2**63) + 2
LATEST: Final = 2**63 - 2
"""What InfluxDB holds for the ends of all time: 1677 and 2262."""

_DURATION: Final = re.compile(r"([0-9]+)([^0-9]+)")
_INSTANT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)


def nanoseconds(at: float) -> int:
    """Seconds as databases keep them, as nanoseconds of whole microseconds."""
    return round(at * 1_000_000) * UNITS["u"]


def duration(text: str) -> int:
    """`5m` in nanoseconds."""
    found = _DURATION.fullmatch(text)
    if found is None or found[2] not in UNITS:
        raise QueryError(f"{shown(text)!r} is no duration: write a number and ns, u, ms, s, m, h, d or w")
    long = int(found[1]) * UNITS[found[2]]
    if long > LATEST:
        raise QueryError(f"{shown(text)} is longer than all of time, 292 years")
    return long


def instant(text: str, zone: tzinfo) -> int:
    """`2026-11-29T07:00:00Z`, or without the zone as in the query's."""
    wrong = f"'{shown(text)}' is no time: write it as '2026-11-29T07:00:00Z'"
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise QueryError(wrong)
    try:
        at = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00:00'}{found[4] or ''}")
    except ValueError:
        raise QueryError(wrong) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    whole = at - datetime(1970, 1, 1, tzinfo=UTC)
    fraction = int((found[3] or "0").ljust(9, "0"))
    return (whole.days * 86400 + whole.seconds) * SECOND + fraction


def zone_named(name: str) -> tzinfo:
    """The zone of `tz('Asia/Ho_Chi_Minh')`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QueryError(f"unable to find time zone {shown(name)!r}") from None


def shift(zone: tzinfo, start: int, end: int) -> int:
    """Nanoseconds by which a zone is ahead of UTC, the same over all of [start, end).

    Raises `QueryError` where it is not: buckets of a zone with summer time are not made here.
    """
    # instants of a query may lie outside of what a calendar holds; a zone's present rule goes for these
    limits = (max(min(at // SECOND, 4_000_000_000), 300_000_000) for at in (start, end - 1))
    shifts = {datetime.fromtimestamp(at, zone).utcoffset() for at in limits}
    found = shifts | _half_year(zone)
    if len(found) != 1 or (only := found.pop()) is None:
        raise QueryError("tz() takes a zone without summer time, as 'Asia/Ho_Chi_Minh'")
    return int(only.total_seconds()) * SECOND


@lru_cache(32)
def _half_year(zone: tzinfo) -> frozenset[timedelta | None]:
    return frozenset(datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in (1, 7))


def rfc3339(at: int, zone: tzinfo) -> str:
    """An instant as InfluxDB writes it: no more fractional digits than are needed."""
    seconds, fraction = divmod(at, SECOND)
    text = datetime.fromtimestamp(seconds, zone).isoformat()
    digits = f"{fraction:09d}".rstrip("0")
    head, tail = text[:19], text[19:]
    return f"{head}{'.' + digits if digits else ''}{'Z' if tail == '+00:00' else tail}"
