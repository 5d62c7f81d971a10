"""The indicators of a place now, counted on the spot, and those of all places in one go."""

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_server.database.counts import Limits, SchoolCounts, count
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Counts, IndicatorValue, Place
from schoolwatch_server.indicators.judge import judge
from schoolwatch_server.packs import Packs
from schoolwatch_server.scope import EVERYTHING, Scope

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
