"""Schools of one place that fall silent at once: their provider's outage, or a power cut of all the place."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from schoolwatch_server.database import lists
from schoolwatch_server.rules.subject import Kind, Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.watches import line as of_line
from schoolwatch_server.watches.sight import Sight


@dataclass(frozen=True, slots=True)
class Line:
    """A school's line: down, just heard (False), or neither (None). It was last heard at `since`."""

    school_id: int
    commune_id: int
    province_id: int
    isps: frozenset[str]
    is_down: bool | None
    since: float


@dataclass(frozen=True, slots=True)
class Limits:
    """How many schools, what share of those of the provider, and how far apart they may fall silent."""

    schools: float = 3
    share: float = 0.5
    window: float = 1800.0
    communes: float = 3
    all_share: float = 0.8


@dataclass(frozen=True, slots=True)
class Outage:
    """Schools that went together; `isps` is empty when no provider is common to them: rather a power cut."""

    place_id: int
    isps: tuple[str, ...]
    schools: tuple[int, ...]
    since: float


def look_at(kind: Kind, sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of each commune (or province) in which several schools went silent at once.

    Where it is not known of the schools now, as at night, it is not known of the place either.
    """
    own = {name: parameters[name] for name in _LIMITS}
    limits = Limits(**own)
    found = _lines(sight, of_line.Tolerance(**{k: v for k, v in parameters.items() if k not in own}))
    outages = in_communes(found, limits)
    if kind == "province":
        outages = in_provinces(found, outages, limits)
    for outage in outages.values():
        names = {
            "finding.outage_isps": ", ".join(outage.isps) or None,
            "finding.outage_kind": "isp" if outage.isps else "area",
        }
        readings: dict[str, float | None] = {"finding.outage_schools": float(len(outage.schools))}
        yield Finding(Subject(kind, outage.place_id), True, readings, dict(names), since=outage.since)
    for subject, since in sight.open_now.get(f"outage_{kind}", {}).items():
        if subject.id not in outages and any(
            _place(each, kind) == subject.id and _is_hidden(sight, each, since, limits) for each in found
        ):
            yield Finding(subject, value=None)


def _is_hidden(sight: Sight, line: Line, since: float, limits: Limits) -> bool:
    """Whether a school went silent with the others and is outside of its hours now."""
    went_along = since <= line.since <= since + limits.window
    return line.is_down is None and went_along and not sight.is_school_time(line.school_id)


in_commune = partial(look_at, "commune")
in_province = partial(look_at, "province")

_LIMITS = ("schools", "share", "window", "communes", "all_share")


def _place(line: Line, kind: Kind) -> int:
    return line.commune_id if kind == "commune" else line.province_id


def _lines(sight: Sight, tolerance: of_line.Tolerance) -> list[Line]:
    """Every school's line; one that is silent and of which nobody can tell why counts as not known."""
    contracts = lists.contracts(sight.conn, EVERYTHING, sight.now)
    found = []
    for school, silence in of_line.lines(sight, tolerance).items():
        place = sight.places.get(school)
        if place is not None:
            isps = frozenset(spelled(each.provider) for each in contracts.get(school, ()))
            is_down = True if silence.is_down else False if silence.is_heard else None
            found.append(Line(school, place.commune_id, place.province_id, isps, is_down, silence.since))
    return found


def spelled(isp: str) -> str:
    """A provider's name as it is compared: schools write VNPT, Vnpt and "VNPT "."""
    return " ".join(isp.split()).casefold()


def in_communes(lines: Iterable[Line], limits: Limits) -> dict[int, Outage]:
    """Commune → its outage."""
    of_commune: defaultdict[int, list[Line]] = defaultdict(list)
    for line in lines:
        of_commune[line.commune_id].append(line)
    found = ((id_, _outage(id_, its, limits)) for id_, its in of_commune.items())
    return {id_: outage for id_, outage in found if outage is not None}


def in_provinces(lines: Sequence[Line], communes: dict[int, Outage], limits: Limits) -> dict[int, Outage]:
    """Province → the outage of a provider that several of its communes have at once."""
    province = {line.commune_id: line.province_id for line in lines}
    hit: defaultdict[tuple[int, str], list[Outage]] = defaultdict(list)
    for outage in communes.values():
        for isp in outage.isps:
            hit[province[outage.place_id], isp].append(outage)
    many = {place: its for place, its in hit.items() if len(its) >= limits.communes}
    result: dict[int, Outage] = {}
    for province_id in {place for place, _ in many}:
        isps = tuple(sorted(isp for place, isp in many if place == province_id))
        its = [outage for (place, _), outages in many.items() if place == province_id for outage in outages]
        schools = tuple(sorted({school for outage in its for school in outage.schools}))
        result[province_id] = Outage(province_id, isps, schools, min(outage.since for outage in its))
    return result


def _outage(commune_id: int, lines: Sequence[Line], limits: Limits) -> Outage | None:
    """By provider where schools have told theirs; else of nearly all schools that were being heard."""
    by_isp: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        for isp in line.isps:
            by_isp[isp].append(line)
    together = {isp: _together(its, limits.share, limits) for isp, its in by_isp.items()}
    isps = tuple(sorted(isp for isp, gone in together.items() if gone))
    gone = {line.school_id: line for isp in isps for line in together[isp]}
    if not gone:
        gone = {line.school_id: line for line in _together(lines, limits.all_share, limits)}
    if not gone:
        return None
    return Outage(commune_id, isps, tuple(sorted(gone)), min(line.since for line in gone.values()))


def _together(lines: Sequence[Line], share: float, limits: Limits) -> list[Line]:
    """The most schools that fell silent within one window, if they are enough of those that were heard."""
    down = sorted((line for line in lines if line.is_down), key=lambda line: line.since)
    known = sum(line.is_down is not None for line in lines)
    most: list[Line] = []
    for first in range(len(down)):
        window = [line for line in down[first:] if line.since - down[first].since <= limits.window]
        most = max(most, window, key=len)
    return most if len(most) >= max(limits.schools, share * known) else []
