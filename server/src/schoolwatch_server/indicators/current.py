"""The indicators of a place now: counted on the spot, or in a large province as they were last judged."""

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_server.database import judged
from schoolwatch_server.database.counts import Limits, SchoolCounts, count, schools_of
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Counts, IndicatorValue, Place
from schoolwatch_server.indicators.judge import judge, of_total
from schoolwatch_server.indicators.total import of_numbers
from schoolwatch_server.packs import Packs
from schoolwatch_server.scope import EVERYTHING, Scope

MEASUREMENT = "indicator"
"""The series of judged indicators."""

PARTS = "indicator_part"
"""The counts behind an indicator of a commune or province (`part`: `none`, `0` … `4` of the IPv6 ladder)."""

LARGE = 300
"""Schools from which on a province is not counted on the spot: 75,000 devices take a quarter of a second."""

FRESH = 4500.0
"""Seconds that a judged value counts as current; one is written at least every hour."""

_DAY = 86400.0


def limits(packs: Packs, now: float) -> Limits:
    """What the packs say separates the counts at an instant."""
    return Limits(
        working_after=now - packs.windows.working.value * _DAY,
        heard_after=now - packs.windows.heard.value * _DAY,
        speed_100=_threshold(packs, "wired_links_100"),
        speed_1000=_threshold(packs, "wired_links_1000"),
    )


def current(
    conn: Connection, level: Place, place_id: int, packs: Packs, now: float
) -> tuple[IndicatorValue, ...]:
    """All indicators of one place at `now`, as `INDICATORS` orders them; none for a place without schools."""
    if level == "province" and len(schools_of(conn, Scope(level, place_id), LARGE)) == LARGE:
        stored = _stored(conn, place_id, packs, now)
        if stored:
            return stored
    schools = [school.counts for school in count(conn, Scope(level, place_id), limits(packs, now))]
    return _judge(schools, packs, level, place_id, now) if schools else ()


def everywhere(conn: Connection, packs: Packs, now: float) -> Iterator[tuple[SchoolCounts, IndicatorValue]]:
    """All indicators of all schools, communes and provinces, each beside a school that is in the place."""
    schools = count(conn, EVERYTHING, limits(packs, now))
    communes: defaultdict[int, list[SchoolCounts]] = defaultdict(list)
    provinces: defaultdict[int, list[SchoolCounts]] = defaultdict(list)
    for school in schools:
        communes[school.commune_id].append(school)
        provinces[school.province_id].append(school)
        for value in _judge([school.counts], packs, "school", school.school_id, now):
            yield school, value
    for commune_id, members in communes.items():
        for value in _judge([m.counts for m in members], packs, "commune", commune_id, now):
            yield members[0], value
    for province_id, members in provinces.items():
        for value in _judge([m.counts for m in members], packs, "province", province_id, now):
            yield members[0], value


def _stored(conn: Connection, province_id: int, packs: Packs, now: float) -> tuple[IndicatorValue, ...]:
    """A province as it was last judged; nothing when that is too old or was judged with other packs."""
    tags = {"level": "province", "province": str(province_id)}
    rows = {row.tags["indicator"]: row for row in judged.latest(conn, MEASUREMENT, tags)}
    parts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in judged.latest(conn, PARTS, tags):
        parts[row.tags["indicator"]][row.tags["part"]] = int(row.value or 0)
    values = []
    for indicator in INDICATORS:
        held = rows.get(indicator.id)
        pack = packs.of(indicator.id)
        if held is None or held.at < now - FRESH or held.pack != pack.name:
            return ()
        names = [name for name, _ in indicator.parts(Counts())] if indicator.parts else []
        seen = tuple((name, parts[indicator.id].get(name, 0)) for name in names)
        total = of_numbers(held.numerator, held.denominator, held.coverage, pack.coverage_floor.value)
        values.append(
            of_total(indicator, total, seen, packs, level="province", place_id=province_id, at=held.at)
        )
    return tuple(values)


def _judge(
    schools: list[Counts], packs: Packs, level: Place, place_id: int, now: float
) -> tuple[IndicatorValue, ...]:
    return tuple(
        judge(indicator, schools, packs, level=level, place_id=place_id, at=now) for indicator in INDICATORS
    )


def _threshold(packs: Packs, indicator: str) -> float:
    threshold = packs.of(indicator).indicators[indicator].threshold
    if threshold is None:
        raise ValueError(f"{indicator} has no threshold")  # the packs' loader has made sure of it
    return threshold.value
