"""Incidents of every place as series: open ones by severity and rule, new ones, how fast they are seen to.

A place that has none has a true 0: it is judged all the time. Of a severity of a school, and of a rule
anywhere, a 0 is only written where it ends something else.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schoolwatch_server.database.incident_counts import Opened, Where
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.response_times import Course, figures
from schoolwatch_server.severity import SEVERITIES
from schoolwatch_server.store.names import (
    INCIDENT_OPENED,
    INCIDENT_TIMES,
    INCIDENTS,
    INCIDENTS_BY_RULE,
    INCIDENTS_BY_SEVERITY,
    INCIDENTS_NEW,
)
from schoolwatch_server.store.series import Judged

DAYS: Final = 30
"""Days before now whose incidents the mean times are of; a choice of this project."""

HOUR: Final = 3600.0

NOWHERE: Final = {"level": "server"}
"""The tags of what is about the server itself: no place, so that only who sees everything sees it."""

LEVELS: Final[tuple[Place, ...]] = ("school", "commune", "province")

Key = tuple[Place, int]
Tags = Mapping[Key, dict[str, str]]
Titles = Mapping[str, tuple[str, str]]
"""Rule → its title in Vietnamese and English."""


def open_now(
    counts: Mapping[tuple[Where, str, str], int], tags: Tags, titles: Titles, at: float
) -> tuple[list[Judged], list[Judged]]:
    """The points of what is open: those to be written as they are, and those whose zeros may be idle."""
    total: Counter[Key | None] = Counter()
    by_severity: Counter[tuple[Key | None, str]] = Counter()
    by_rule: Counter[tuple[Key | None, str]] = Counter()
    for (where, rule, severity), count in counts.items():
        for key in places_of(where, tags):
            total[key] += count
            by_severity[key, severity] += count
            by_rule[key, rule] += count
    whole: list[Judged] = []
    parts: list[Judged] = []
    for key in (None, *tags):
        its = _tags(key, tags)
        whole.append(Judged(INCIDENTS, its, at, float(total[key])))
        rows = parts if key is not None and key[0] == "school" else whole
        for severity in SEVERITIES:
            said = its | {"severity": severity}
            rows.append(Judged(INCIDENTS_BY_SEVERITY, said, at, float(by_severity[key, severity])))
    for (key, rule), count in by_rule.items():
        parts.append(Judged(INCIDENTS_BY_RULE, _tags(key, tags) | titled(rule, titles), at, float(count)))
    return whole, parts


def ended(rows: Iterable[Judged], before: Iterable[Judged], at: float) -> Iterator[Judged]:
    """A zero for each series of a rule that was written last and of which nothing is open any more."""
    now = {frozenset(row.tags.items()) for row in rows}
    for row in before:
        if row.measurement == INCIDENTS_BY_RULE and row.value and frozenset(row.tags.items()) not in now:
            yield Judged(INCIDENTS_BY_RULE, row.tags, at, 0.0)


def new(counts: Mapping[Where, int], tags: Tags, hour: float) -> Iterator[Judged]:
    """How many were new in the hour that begins there, of every place."""
    total: Counter[Key | None] = Counter()
    for where, count in counts.items():
        for key in places_of(where, tags):
            total[key] += count
    for key in (None, *tags):
        yield Judged(INCIDENTS_NEW, _tags(key, tags), hour, float(total[key]))


def times(courses: Iterable[Course], tags: Tags, at: float) -> Iterator[Judged]:
    """Mean seconds to take and to end them, of every place in which some were opened."""
    by: defaultdict[Key, list[Course]] = defaultdict(list)
    for course in courses:
        where = Where(course.school_id, course.commune_id, course.province_id)
        for level, id_ in zip(LEVELS, where, strict=True):
            if id_ is not None:
                by[level, id_].append(course)
    for key, its in tags.items():
        found = figures(by[key])
        for until, mean, count in (
            ("acknowledged", found.acknowledge_mean, found.acknowledged),
            ("closed", found.close_mean, found.closed),
        ):
            if found.opened or key[0] == "province":
                yield Judged(
                    INCIDENT_TIMES, its | {"until": until}, at, mean, float(count), float(found.opened)
                )


def marks(opened: Iterable[Opened], tags: Tags, titles: Titles) -> list[Judged]:
    """When each began, at the narrowest place that it is about; several in one instant are one point."""
    found: Counter[tuple[Key | None, str, str, float]] = Counter()
    for one in opened:
        key = next(iter(places_of(one.where, tags)), None)
        if key is not None or one.where == Where(None, None, None):
            found[key, one.rule, one.severity, one.at] += 1
    return [
        Judged(
            INCIDENT_OPENED,
            _tags(key, tags) | titled(rule, titles) | {"severity": severity},
            at,
            float(count),
        )
        for (key, rule, severity, at), count in found.items()
    ]


def titled(rule: str, titles: Titles) -> dict[str, str]:
    """A rule with its titles; one that is no more is called by its id."""
    vi, en = titles.get(rule, (rule, rule))
    return {"rule": rule, "title": vi, "title_en": en}


def places_of(where: Where, tags: Tags) -> Iterator[Key | None]:
    """The places that an incident counts in, the narrowest first; None: the server itself."""
    if where == Where(None, None, None):
        yield None
        return
    level, id_ = next((level, id_) for level, id_ in zip(LEVELS, where, strict=True) if id_ is not None)
    its = tags.get((level, id_), {})  # a school that was deleted, or became another, has none
    for above in LEVELS[LEVELS.index(level) :]:
        if above in its:
            yield above, int(its[above])


def _tags(key: Key | None, tags: Tags) -> dict[str, str]:
    return NOWHERE if key is None else tags[key]
