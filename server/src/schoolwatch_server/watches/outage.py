"""Schools of one place that fall silent at once: their provider's outage, or a power cut of all the place."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from schoolwatch_server.rules.subject import Kind, Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.watches import line as of_line
from schoolwatch_server.watches.sight import Sight


@dataclass(frozen=True, slots=True)
class Line:
    """A school's line: down, just heard (False), or neither (None). It was last heard at `since`.

    `isps` are its providers, by what they are compared by.
    """

    school_id: int
    commune_id: int
    province_id: int
    isps: Mapping[str, str]
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
    """Schools that went together; `isp` is empty when no provider is common to them: rather a power cut."""

    place_id: int
    isp: str
    name: str
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
    subjects = {Subject(kind, outage.place_id, outage.isp): outage for outage in outages}
    for subject, outage in subjects.items():
        facts: dict[str, str | None] = {
            "finding.outage_isp": outage.name or None,
            "finding.outage_kind": "isp" if outage.isp else "area",
        }
        readings: dict[str, float | None] = {"finding.outage_schools": float(len(outage.schools))}
        if kind == "province":
            facts["finding.outage_communes"] = _by_commune(sight, outage)
        parts = frozenset({outage.isp} - {""})
        yield Finding(subject, True, readings, facts, since=outage.since, parts=parts)
    for subject, since in sight.open_now.get(f"outage_{kind}", {}).items():
        if subject not in subjects and any(
            _concerns(subject, each) and _is_hidden(sight, each, since, limits) for each in found
        ):
            yield Finding(subject, value=None)


def _by_commune(sight: Sight, outage: Outage) -> str:
    """How many schools went in each commune, by its id: `3:12 7:4`."""
    counts = Counter(sight.places[school].commune_id for school in outage.schools if school in sight.places)
    return " ".join(f"{commune}:{count}" for commune, count in sorted(counts.items()))


def _concerns(subject: Subject, line: Line) -> bool:
    """Whether an outage is one of a line's place, and of its provider where it is of one."""
    place = line.commune_id if subject.kind == "commune" else line.province_id
    return place == subject.id and (not subject.part or subject.part in line.isps)


def _is_hidden(sight: Sight, line: Line, since: float, limits: Limits) -> bool:
    """Whether a school went silent with the others and is outside of its hours now."""
    went_along = since <= line.since <= since + limits.window
    return line.is_down is None and went_along and not sight.is_school_time(line.school_id)


in_commune = partial(look_at, "commune")
in_province = partial(look_at, "province")

_LIMITS = ("schools", "share", "window", "communes", "all_share")


def _lines(sight: Sight, tolerance: of_line.Tolerance) -> list[Line]:
    """Every school's line; one that is silent and of which nobody can tell why counts as not known."""
    found = []
    for school, silence in of_line.lines(sight, tolerance).items():
        place = sight.places.get(school)
        if place is not None:
            isps = sight.isps.get(school, {})
            is_down = True if silence.is_down else False if silence.is_heard else None
            found.append(Line(school, place.commune_id, place.province_id, isps, is_down, silence.since))
    return found


def in_communes(lines: Iterable[Line], limits: Limits) -> list[Outage]:
    """The outages of communes, one for each provider."""
    of_commune: defaultdict[int, list[Line]] = defaultdict(list)
    for line in lines:
        of_commune[line.commune_id].append(line)
    return [outage for id_, its in of_commune.items() for outage in _outages(id_, its, limits)]


def in_provinces(lines: Sequence[Line], communes: Iterable[Outage], limits: Limits) -> list[Outage]:
    """The outages of providers that several communes of a province have at once."""
    province = {line.commune_id: line.province_id for line in lines}
    hit: defaultdict[tuple[int, str], list[Outage]] = defaultdict(list)
    for outage in communes:
        if outage.isp:
            hit[province[outage.place_id], outage.isp].append(outage)
    return [
        Outage(
            province_id,
            isp,
            its[0].name,
            tuple(sorted({school for outage in its for school in outage.schools})),
            min(outage.since for outage in its),
        )
        for (province_id, isp), its in hit.items()
        if len(its) >= limits.communes
    ]


def _outages(commune_id: int, lines: Sequence[Line], limits: Limits) -> Iterator[Outage]:
    """By provider where schools have told theirs; else of nearly all schools that were being heard."""
    by_isp: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        for isp in line.isps:
            by_isp[isp].append(line)
    found = {
        isp: gone for isp, its in sorted(by_isp.items()) if (gone := _together(its, limits.share, limits))
    }
    if not found and (gone := _together(lines, limits.all_share, limits)):
        found = {"": gone}
    for isp, gone in found.items():
        schools = tuple(sorted(line.school_id for line in gone))
        yield Outage(commune_id, isp, gone[0].isps.get(isp, ""), schools, min(line.since for line in gone))


def _together(lines: Sequence[Line], share: float, limits: Limits) -> list[Line]:
    """The most schools that fell silent within one window, if they are enough of those that were heard."""
    down = sorted((line for line in lines if line.is_down), key=lambda line: line.since)
    known = sum(line.is_down is not None for line in lines)
    most: list[Line] = []
    for first in range(len(down)):
        window = [line for line in down[first:] if line.since - down[first].since <= limits.window]
        most = max(most, window, key=len)
    return most if len(most) >= max(limits.schools, share * known) else []
