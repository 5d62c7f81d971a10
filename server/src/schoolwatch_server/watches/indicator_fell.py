"""An indicator of a place that met its target and meets it no longer.

What never met it is work to be done, and is in the needs and the progress of the place, not here.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from schoolwatch_server.database import judged
from schoolwatch_server.database.judged import Fallen
from schoolwatch_server.indicators.stored import MEASUREMENT
from schoolwatch_server.rules.subject import PART_MAX, Kind, Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.school_time import DAY
from schoolwatch_server.watches.sight import Sight

_PLACES: Final[tuple[Kind, ...]] = ("commune", "province")
_LEVELS: Final[tuple[Kind, ...]] = ("school", *_PLACES)


def of_schools(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of each school and indicator."""
    for indicator, target, one in _all(sight, "indicator_fell", parameters["days"]):
        if one.tags.get("level") == "school":
            yield _finding("school", int(one.tags["school"]), indicator, target, one)


def of_places(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of communes and provinces: their own value fell, or that of `schools` of their schools at once."""
    many: defaultdict[tuple[Kind, int, str], list[tuple[float, Fallen]]] = defaultdict(list)
    found: dict[tuple[Kind, int, str], Finding] = {}
    for indicator, target, one in _all(sight, "indicator_fell_widely", parameters["days"]):
        level = one.tags.get("level")
        for kind in _PLACES:
            if level == kind:
                id_ = int(one.tags[kind])
                found[kind, id_, indicator] = _finding(kind, id_, indicator, target, one)
        if level == "school" and one.value is not None:
            many["commune", int(one.tags["commune"]), indicator].append((target, one))
    for (kind, id_, indicator), schools in many.items():
        own = found.get((kind, id_, indicator))
        if len(schools) >= parameters["schools"] and (own is None or own.value is None):
            target, newest = max(schools, key=lambda each: each[1].at)
            whole = _finding(kind, id_, indicator, target, newest)
            readings: dict[str, float | None] = {"finding.indicator_schools": float(len(schools))}
            found[kind, id_, indicator] = Finding(whole.subject, True, readings, whole.facts)
    yield from found.values()


def _all(sight: Sight, watch: str, days: float) -> Iterator[tuple[str, float, Fallen]]:
    """Indicator, its target, and each place that fell below it within `days`, or before its open incident."""
    lately, after = sight.now - days * DAY, sight.days_back(watch, days)
    for pack in sight.packs.packs:
        for indicator, definition in pack.indicators.items():
            target = definition.target
            if target is None or target.applies_to or len(indicator) > PART_MAX:
                continue
            higher = definition.better == "higher"
            for one in judged.fallen(
                sight.conn, MEASUREMENT, indicator, target.value, higher=higher, after=after
            ):
                if one.met_at >= lately or _is_open(sight, watch, indicator, one):
                    yield indicator, target.value, one


def _is_open(sight: Sight, watch: str, indicator: str, one: Fallen) -> bool:
    """Whether the place, or one in which it lies, has an open incident of that indicator."""
    places = ((kind, one.tags.get(kind)) for kind in _LEVELS)
    subjects = (Subject(kind, int(id_), indicator) for kind, id_ in places if id_)
    return not sight.open_now.get(watch, {}).keys().isdisjoint(subjects)


def _finding(kind: Kind, id_: int, indicator: str, target: float, one: Fallen) -> Finding:
    value = None if one.value is None else True
    readings = {"finding.indicator_value": one.value, "finding.indicator_target": target}
    return Finding(
        Subject(kind, id_, indicator), value, dict(readings), {"finding.indicator_name": indicator}
    )
