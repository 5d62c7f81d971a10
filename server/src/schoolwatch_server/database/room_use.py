"""How long the computers of a school's rooms were on and in use: the only place that makes these sums.

Nothing of one computer leaves this module: a room with fewer computers that told than the settings say is
given without numbers. Whatever else the server shows of a device does not have them (`shown_alone`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from schoolwatch_server.database import rollups
from schoolwatch_server.database import tables as t
from schoolwatch_server.store.rollup import DAY, Folds, bucket
from schoolwatch_server.targets import USED_BY_PUPILS

DAYS = 7
"""Whole days (UTC+7) before today over which a room is summed."""


@dataclass(frozen=True, slots=True)
class RoomUse:
    """A lab or classroom over `DAYS`; means of a computer, None where they are unknown or not to be shown.

    `told` computers told how long they were on; `few`: too few for a room's numbers to be nobody's.
    Seconds a day on and in use, starts a week.
    """

    told: int
    few: bool
    on: float | None = None
    active: float | None = None
    boots: float | None = None


@dataclass(slots=True)
class _Sums:
    on: float = 0.0
    active: float = 0.0
    boots: float = 0.0
    told: int = 0
    knew: int = 0


def of_school(conn: Connection, school_id: int, now: float, least: int) -> dict[int, RoomUse]:
    """Room id → its use; rooms of pupils alone. `least` computers must have told, and of use as well."""
    end = bucket(now, DAY)
    begin = bucket(end - (DAYS - 0.5) * DAY, DAY)
    rooms: defaultdict[int, _Sums] = defaultdict(_Sums)
    members = _members(conn, school_id)
    days = rollups.read_many(conn, [device_id for _, device_id, _ in members], DAY, begin, end)
    for room_id, device_id, since in members:
        here = [folds for day, folds in days.get(device_id, {}).items() if day >= bucket(since, DAY)]
        _add(rooms[room_id], here)
    return {room_id: _mean(sums, least) for room_id, sums in rooms.items()}


def _members(conn: Connection, school_id: int) -> list[tuple[int, int, float]]:
    """Room, device, and since when it stands there."""
    m, r = t.membership.c, t.room.c
    query = (
        select(r.id, m.device_id, m.valid_from)
        .join(t.room, m.room_id == r.id)
        .where(m.school_id == school_id, m.valid_to.is_(None), r.role.in_(USED_BY_PUPILS))
        .order_by(r.id, m.device_id)
    )
    return [(int(room), int(device), float(since)) for room, device, since in conn.execute(query)]


def _add(sums: _Sums, days: Sequence[Folds]) -> None:
    """One computer more; `active` counts only of those that tell it."""
    on = [day["use.on"].sum for day in days if "use.on" in day]
    active = [day["use.active"].sum for day in days if "use.active" in day]
    if on:
        sums.told += 1
        sums.on += sum(on)
        sums.boots += sum(day["use.boots"].sum for day in days if "use.boots" in day)
    if active:
        sums.knew += 1
        sums.active += sum(active)


def _mean(sums: _Sums, least: int) -> RoomUse:
    if sums.told < least:
        return RoomUse(sums.told, few=sums.told > 0)
    return RoomUse(
        sums.told,
        few=False,
        on=sums.on / sums.told / DAYS,
        active=sums.active / sums.knew / DAYS if sums.knew >= least else None,
        boots=sums.boots / sums.told,
    )
