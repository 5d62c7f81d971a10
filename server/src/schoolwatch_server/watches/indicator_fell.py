"""An indicator of a place that met its target and meets it no longer: a plan's, else its definition's.

What never met it is work to be done, and is in the needs and the progress of the place, not here; so is a
deadline that passes. However many targets a place fell below, it is one finding of an indicator.
"""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from typing import Final

from schoolwatch_server.database import judged
from schoolwatch_server.database.judged import Fallen
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.indicators.stored import MEASUREMENT
from schoolwatch_server.rules import kept
from schoolwatch_server.rules.subject import PART_MAX, Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.school_time import DAY
from schoolwatch_server.watches.held_against import Held, held
from schoolwatch_server.watches.sight import Sight

_PLACES: Final[tuple[Place, ...]] = ("commune", "province")
_TARGET: Final = "finding.indicator_target"
_SCHOOLS: Final = "finding.indicator_schools"
_LEVELS: Final[tuple[Place, ...]] = ("school", *_PLACES)


def of_schools(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of each school and indicator."""
    fell = _all(sight, "indicator_fell", parameters["days"])
    for (level, id_, _), (against, one) in fell.items():
        if level == "school":
            yield _finding(level, id_, against, one)
    yield from _void(sight, "indicator_fell", fell, parameters["days"])


def of_places(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of communes and provinces: their own value fell, or that of `schools` of their schools at once."""
    many: defaultdict[tuple[Place, int, str], list[tuple[Held, Fallen]]] = defaultdict(list)
    found: dict[tuple[Place, int, str], Finding] = {}
    for (level, id_, indicator), (against, one) in _all(
        sight, "indicator_fell_widely", parameters["days"]
    ).items():
        if level in _PLACES:
            found[level, id_, indicator] = _finding(level, id_, against, one)
        elif one.value is not None:
            many["commune", int(one.tags["commune"]), indicator].append((against, one))
    for (kind, id_, indicator), schools in many.items():
        own = found.get((kind, id_, indicator))
        if len(schools) >= parameters["schools"] and (own is None or own.value is None):
            whole = _finding(kind, id_, *max(schools, key=lambda each: each[1].at))
            readings = {_SCHOOLS: float(len(schools)), _TARGET: whole.readings[_TARGET]}
            found[kind, id_, indicator] = Finding(whole.subject, True, readings, whole.facts)
    yield from found.values()
    yield from _void(sight, "indicator_fell_widely", found, parameters["days"], parameters["schools"])


def _void(
    sight: Sight, watch: str, found: Container[tuple[Place, int, str]], days: float, schools: float = 1.0
) -> Iterator[Finding]:
    """Open ones that nobody finds any more, though the value still misses what it was held against then.

    So the target was taken away or changed, and nobody has mended anything. The own value of the place stands
    for that of some of its schools; of an incident of many schools, how many of them still miss it.
    """
    gone = [one for one in sight.open_now.get(watch, {}) if (one.kind, one.id, one.part) not in found]
    for subject in gone:
        readings = kept.last_readings(sight.opened_on.get(subject))
        target = readings.get(_TARGET)
        if target is None:
            continue
        still = judged.fallen(
            sight.conn, MEASUREMENT, {"indicator": subject.part}, target,
            higher=_is_more_better(sight, subject.part), after=sight.days_back(watch, days),
        )  # fmt: skip
        if _SCHOOLS in readings:
            in_it = [one for one in still if one.tags.get("level") == "school"]
            misses = sum(one.tags.get(subject.kind) == str(subject.id) for one in in_it) >= schools
        else:
            misses = any(
                _place(one, subject.part) == (subject.kind, subject.id, subject.part) for one in still
            )
        if misses:
            yield Finding(subject, False, is_void=True)


def _is_more_better(sight: Sight, indicator: str) -> bool:
    known = (pack.indicators.get(indicator) for pack in sight.packs.packs)
    return next((one.better == "higher" for one in known if one is not None), True)


_Fell = dict[tuple[Place, int, str], tuple[Held, Fallen]]
"""Level, id and indicator of a place → what it fell below, and how it stands."""


def _all(sight: Sight, watch: str, days: float) -> _Fell:
    """Each place and indicator that fell within `days`, or before its open incident.

    Of several targets the one that binds first and is known to be missed. What plans ask of a place as a
    whole stands for the definition's number, which no page shows there. Of an open incident whose target was
    raised to what the place never met, the raised one: it is not over.
    """
    lately, after = sight.now - days * DAY, sight.days_back(watch, days)
    found: _Fell = {}
    raised: _Fell = {}
    met: set[tuple[Place, int, str]] = set()
    asked: set[tuple[Place, int, str]] = set()
    for against in held(sight):
        if len(against.indicator) > PART_MAX:
            continue
        if against.places is not None and against.measurement == MEASUREMENT:
            asked |= {(level, id_, against.indicator) for level, ids in against.places.items() for id_ in ids}
        missed = set()
        for one in judged.fallen(
            sight.conn, against.measurement, against.tags, against.target, higher=against.higher, after=after
        ):
            place = _place(one, against.indicator)
            if place is None or not _is_asked(place, against, asked):
                continue
            missed.add(place)
            if one.met_at is None:
                raised.setdefault(place, (against, one))
                continue
            if one.met_at < lately and not _is_open(sight, watch, against.indicator, one):
                continue
            known = found.get(place)
            if known is None or (known[1].value is None and one.value is not None):
                found[place] = (against, one)
        met |= {
            place for place in _open(sight, watch, against.indicator)
            if place not in missed and _is_asked(place, against, asked)
        }  # fmt: skip
    still = {place for name in {name for _, _, name in raised} for place in _open(sight, watch, name)}
    return {place: raised[place] for place in still.intersection(raised) - met} | found


def _open(sight: Sight, watch: str, indicator: str) -> set[tuple[Place, int, str]]:
    """Places that have an open incident of that indicator themselves."""
    subjects = sight.open_now.get(watch, {})
    of = {(one.kind, one.id) for one in subjects if one.part == indicator}
    return {(level, id_, indicator) for level in _LEVELS for kind, id_ in of if kind == level}


def _place(one: Fallen, indicator: str) -> tuple[Place, int, str] | None:
    for level in _LEVELS:
        if one.tags.get("level") == level:
            return level, int(one.tags[level]), indicator
    return None


def _is_asked(place: tuple[Place, int, str], against: Held, asked: set[tuple[Place, int, str]]) -> bool:
    if against.places is None:
        return place not in asked
    return place[1] in against.places.get(place[0], ())


def _is_open(sight: Sight, watch: str, indicator: str, one: Fallen) -> bool:
    """Whether the place, or one in which it lies, has an open incident of that indicator."""
    places = ((kind, one.tags.get(kind)) for kind in _LEVELS)
    subjects = (Subject(kind, int(id_), indicator) for kind, id_ in places if id_)
    return not sight.open_now.get(watch, {}).keys().isdisjoint(subjects)


def _finding(level: Place, id_: int, against: Held, one: Fallen) -> Finding:
    value = None if one.value is None else True
    readings = {"finding.indicator_value": one.value, _TARGET: against.target}
    facts: dict[str, str | None] = {"finding.indicator_name": against.indicator, **against.facts}
    return Finding(Subject(level, id_, against.indicator), value, readings, facts)
