"""Fills a report from one moment of the database: what it holds is what was known then, and stays so."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection

from schoolwatch_server import __version__
from schoolwatch_server.database import attachments, registry, states
from schoolwatch_server.database.rows import CommuneRow, SchoolRow
from schoolwatch_server.indicators.by_plan import OfItem
from schoolwatch_server.indicators.current import at, count_all, current, limits
from schoolwatch_server.indicators.indicator import IndicatorValue, Place
from schoolwatch_server.lifecycle import Systems, find
from schoolwatch_server.packs import Packs
from schoolwatch_server.reports import asking, behind, past, punctuality
from schoolwatch_server.reports.asked import Scored
from schoolwatch_server.reports.calendar import SHIPPED, Kind, day_of
from schoolwatch_server.reports.content import Content, DeviceLine, Evidence, PackUsed, Part
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.state import State
from schoolwatch_server.working import working

SCORED: Final[tuple[Kind, ...]] = ("self_assessment", "ad_hoc")
"""Kinds of reports that hold scores by sets of criteria."""

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Named:
    """A place as the register calls it; `within` names the places above it, the highest first."""

    level: Place
    id: int
    code: str
    name: str
    province_id: int
    within: tuple[str, ...] = ()
    school_level: str = ""
    commune_id: int | None = None
    school_id: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What values are judged with, and whether all that is known was made up; `systems`: their support."""

    packs: Packs
    systems: Systems = ()
    simulated: bool = False


def place(conn: Connection, level: Place, code: str, scope: Scope) -> Named | None:
    """The place of that code, when the scope sees it; none for a school that is no more."""
    match level:
        case "school":
            school = registry.school_by_code(conn, code, scope)
            return None if school is None or not school.code else _school(school)
        case "commune":
            for commune in registry.communes(conn, scope):
                if commune.code == code:
                    return Named(
                        level, commune.id, code, commune.name, commune.province_id, (commune.province,),
                        commune_id=commune.id,
                    )  # fmt: skip
        case "province":
            for province in registry.provinces(conn, scope):
                if province.code == code:
                    return Named(level, province.id, code, province.name, province.id)
    return None


def fill(
    conn: Connection,
    where: Named,
    kind: Kind,
    period: str,
    judged: Judged,
    now: float,
    *,
    revision: int = 1,
    due: str = "",
    note: str = "",
    previous: str = "",
) -> Content:
    """All of a report, as the database stands in this transaction; `now` is UTC seconds."""
    packs = judged.packs
    values, parts, items = _values(conn, where, packs, now, with_scores=kind in SCORED)
    scope = Scope(where.level, where.id)
    is_school = where.level == "school"
    window = max(packs.windows.working.value, packs.windows.heard.value)
    return Content(
        kind=kind,
        period=period,
        level=where.level,
        place_id=where.id,
        code=where.code,
        name=where.name,
        within=where.within,
        school_level=where.school_level,
        revision=revision,
        frozen_at=now,
        window_from=now - window * _DAY,
        window_to=now,
        due=due,
        program=__version__,
        simulated=judged.simulated,
        packs=_packs(packs),
        values=values,
        parts=parts,
        devices=tuple(_devices(conn, where, judged, now)) if is_school else (),
        evidence=tuple(_evidence(conn, where)) if is_school else (),
        note=note,
        previous=previous,
        assessments=asking.assessments(conn, where.id, values, packs) if is_school and kind in SCORED else (),
        plan_lines=asking.plan_lines(conn, scope, values, items, packs),
        history=past.history(conn, scope, now),
    )


def _school(row: SchoolRow) -> Named:
    return Named(
        "school", row.id, row.code, row.name, row.province_id, (row.province, row.commune), row.level,
        commune_id=row.commune_id, school_id=row.id,
    )  # fmt: skip


# --- values -------------------------------------------------------------------------------------------


def _values(
    conn: Connection, where: Named, packs: Packs, now: float, *, with_scores: bool
) -> tuple[tuple[IndicatorValue, ...], tuple[Part, ...], tuple[OfItem, ...]]:
    """Of the place itself, of its parts (a commune's schools; a province's communes, then its schools), and
    what items of plans come to there."""
    scope = Scope(where.level, where.id)
    on_time = punctuality.counted(conn, scope, now)

    def whole(level: Place, id_: int, values: Sequence[IndicatorValue]) -> tuple[IndicatorValue, ...]:
        return (*values, punctuality.value(on_time, level, id_, now)) if values else ()

    if where.level == "school":
        return whole("school", where.id, current(conn, "school", where.id, packs, now)), (), ()
    schools = registry.schools(conn, scope)
    found: defaultdict[tuple[Place, int], Sequence[IndicatorValue]] = defaultdict(tuple)
    if where.level == "commune":
        here = at(conn, "commune", where.id, packs, now)
        found["commune", where.id], items = here.values, here.items
        found |= {("school", one.id): current(conn, "school", one.id, packs, now) for one in schools}
    else:
        every = defaultdict[tuple[Place, int], list[IndicatorValue]](list)
        counted_all = count_all(conn, packs, now)
        for counted, value in counted_all.values():
            if counted.province_id == where.id:
                every[value.level, value.place_id].append(value)
        found |= every
        items = tuple(
            item
            for school, item in counted_all.items()
            if item.value is not None and (item.value.level, item.value.place_id) == ("province", where.id)
        )
    scored: Mapping[int, tuple[Scored, ...]] = {}
    if with_scores:
        of_schools = {one.id: found["school", one.id] for one in schools}
        scored = asking.scored(conn, scope, schools, of_schools, packs)
    communes = registry.communes(conn, EVERYTHING, province_id=where.id) if where.level == "province" else ()
    parts = (
        *(_of_commune(row, whole("commune", row.id, found["commune", row.id])) for row in communes),
        *(
            _of_school(row, whole("school", row.id, found["school", row.id]), scored.get(row.id, ()))
            for row in schools
        ),
    )
    return whole(where.level, where.id, found[where.level, where.id]), parts, items


def _of_commune(row: CommuneRow, values: Sequence[IndicatorValue]) -> Part:
    return Part(level="commune", id=row.id, code=row.code, name=row.name, values=_short(values))


def _of_school(school: SchoolRow, values: Sequence[IndicatorValue], scored: tuple[Scored, ...]) -> Part:
    return Part(
        level="school",
        id=school.id,
        code=school.code,
        name=school.name,
        within=school.commune,
        school_level=school.level,
        values=_short(values),
        scored=scored,
    )


def _short(values: Sequence[IndicatorValue]) -> tuple[IndicatorValue, ...]:
    """Without the packs' numbers, which stand once beside the place's own values."""
    return tuple(msgspec.structs.replace(value, lines=()) for value in values)


def _packs(packs: Packs) -> tuple[PackUsed, ...]:
    """Every pack in force, with the SHA-256 of its text, and the shipped calendar of reports."""
    calendar = PackUsed(name=punctuality.PACK, sha256=hashlib.sha256(SHIPPED.read_bytes()).hexdigest())
    named = (
        PackUsed(name=held.sheet.name, sha256=held.sha256, since=held.since.isoformat() if held.since else "")
        for held in packs.held
    )
    return (*named, calendar)


def _evidence(conn: Connection, where: Named) -> Iterator[Evidence]:
    """The files behind what counts of what the school declared."""
    for question, file in attachments.counted(conn, Scope("school", where.id)):
        yield Evidence(question=question, name=file.name, sha256=file.sha256, size=file.size)


# --- devices ------------------------------------------------------------------------------------------


def _devices(conn: Connection, where: Named, judged: Judged, now: float) -> Iterator[DeviceLine]:
    """What each computer's part in the numbers is; its label is what people wrote, never who uses it."""
    scope = Scope("school", where.id)
    devices = registry.devices(conn, scope)
    counted = behind.counted(conn, scope, judged.packs, now)
    known = states.known(conn, [device.id for device in devices])
    after = limits(judged.packs, now).working_after
    for device in devices:
        state = known.get(device.id, State())
        yield DeviceLine(
            device=device.device,
            label=device.label,
            room=device.room or "",
            role=device.role or "",
            working=working(device, devices, now=now, after=after, state=state).verdict,
            taken_at=device.taken_at,
            facts={
                "protected": device.protected,
                "antivirus": device.antivirus,
                "link_medium": device.link_medium,
                "link_speed": device.link_speed,
                "ipv6_rung": device.ipv6_rung,
                "os_supported": _is_supported(state, judged.systems, now),
            },
            counted=counted.get(device.id, {}),
        )


def _is_supported(state: State, systems: Systems, now: float) -> bool | None:
    """Whether everybody gets security updates for what it runs; None where nobody can say."""
    name, release, edition = (state.facts.get(f"os.{part}") for part in ("name", "version", "edition"))
    if name is None or name.value is None:
        return None
    system = find(
        systems,
        name.value,
        (release.value if release else None) or "",
        edition.value if edition else None,
    )
    return None if system is None else system.ends >= day_of(now)
