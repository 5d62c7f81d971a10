"""Fills a report from one moment of the database: what it holds is what was known then, and stays so."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from schoolwatch_server import __version__
from schoolwatch_server.database import attachments, registry, states
from schoolwatch_server.database.rows import CommuneRow, SchoolRow
from schoolwatch_server.indicators.current import current, everywhere, limits
from schoolwatch_server.indicators.indicator import IndicatorValue, Place
from schoolwatch_server.lifecycle import Systems, find
from schoolwatch_server.packs import Packs
from schoolwatch_server.reports import punctuality
from schoolwatch_server.reports.calendar import SHIPPED, Kind, day_of
from schoolwatch_server.reports.content import Content, DeviceLine, Evidence, PackUsed, Part
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.state import State
from schoolwatch_server.working import working

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
    values, parts = _values(conn, where, packs, now)
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
        devices=tuple(_devices(conn, where, judged, now)) if where.level == "school" else (),
        evidence=tuple(_evidence(conn, where)) if where.level == "school" else (),
        note=note,
        previous=previous,
    )


def _school(row: SchoolRow) -> Named:
    return Named(
        "school", row.id, row.code, row.name, row.province_id, (row.province, row.commune), row.level,
        commune_id=row.commune_id, school_id=row.id,
    )  # fmt: skip


# --- values -------------------------------------------------------------------------------------------


def _values(
    conn: Connection, where: Named, packs: Packs, now: float
) -> tuple[tuple[IndicatorValue, ...], tuple[Part, ...]]:
    """Of the place itself, and of its parts: a commune's schools; a province's communes, then its schools."""
    on_time = punctuality.counted(conn, Scope(where.level, where.id), now)

    def whole(level: Place, id_: int, values: Sequence[IndicatorValue]) -> tuple[IndicatorValue, ...]:
        return (*values, punctuality.value(on_time, level, id_, now)) if values else ()

    if where.level == "school":
        return whole("school", where.id, current(conn, "school", where.id, packs, now)), ()
    schools = registry.schools(conn, Scope(where.level, where.id))
    if where.level == "commune":
        below = [(school, current(conn, "school", school.id, packs, now)) for school in schools]
        parts = tuple(_of_school(school, whole("school", school.id, values)) for school, values in below)
        return whole("commune", where.id, current(conn, "commune", where.id, packs, now)), parts
    found: defaultdict[tuple[Place, int], list[IndicatorValue]] = defaultdict(list)
    for counted, value in everywhere(conn, packs, now):
        if counted.province_id == where.id:
            found[value.level, value.place_id].append(value)
    communes = registry.communes(conn, EVERYTHING, province_id=where.id)
    parts = (
        *(_of_commune(row, whole("commune", row.id, found["commune", row.id])) for row in communes),
        *(_of_school(row, whole("school", row.id, found["school", row.id])) for row in schools),
    )
    return whole("province", where.id, found["province", where.id]), parts


def _of_commune(row: CommuneRow, values: Sequence[IndicatorValue]) -> Part:
    return Part(level="commune", id=row.id, code=row.code, name=row.name, values=_short(values))


def _of_school(school: SchoolRow, values: Sequence[IndicatorValue]) -> Part:
    return Part(
        level="school",
        id=school.id,
        code=school.code,
        name=school.name,
        within=school.commune,
        school_level=school.level,
        values=_short(values),
    )


def _short(values: Sequence[IndicatorValue]) -> tuple[IndicatorValue, ...]:
    """Without the packs' numbers, which stand once beside the place's own values."""
    return tuple(replace(value, lines=()) for value in values)


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
    devices = registry.devices(conn, Scope("school", where.id))
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
