"""How long the computers of rooms were on and in use: the only place that makes these sums and reads them.

A room's week is summed once, a week after its end, from where each computer stood on each whole day of it,
and never changed: what comes later, or moves, or is seen from two sides, leaves no difference to subtract.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, Engine, RowMapping, Select, bindparam, exists, or_, select

from schoolwatch_server.database import rollups
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.reach import inside, place, within
from schoolwatch_server.database.upsert import insert_new
from schoolwatch_server.scope import Level, Scope
from schoolwatch_server.store.rollup import DAY, Folds
from schoolwatch_server.targets import USED_BY_PUPILS
from schoolwatch_server.use import FEWEST, QUANTITIES, WEEK, Cell, Quantity, Week, newest_settled, summed

BACK = 8
"""Weeks that are made up for after an outage of the server."""

_STEP = 20
"""Rooms summed in one go: a fraction of a second."""

Hidden = Literal["nobody_told", "few", "dominated"]
"""Why there is no number: of too few computers, or nearly all of it one computer's."""


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of a computer on a day of which it told, and on how many computers and days it rests.

    Without a value nothing but the number of computers is said.
    """

    devices: int
    value: float | None = None
    device_days: int | None = None
    hidden: Hidden | None = None


@dataclass(frozen=True, slots=True)
class RoomUse:
    """A room's week (its first instant, UTC seconds); seconds a day on and in use, starts a day.

    `days`: on how many of the seven somebody told; None where even that would tell of few.
    """

    id: int
    room_id: int
    room: str
    role: str
    school_code: str
    school: str
    week: int
    days: int | None
    on: Mean
    active: Mean
    boots: Mean

    def mean(self, quantity: Quantity) -> Mean:
        """One of the three by its name."""
        return {"on": self.on, "active": self.active, "boots": self.boots}[quantity]


def sum_weeks(engine: Engine, now: float, *, seconds: float = 5.0) -> int:
    """Sums the weeks of rooms that are due, for at most so many seconds; gives how many were summed."""
    deadline = time.monotonic() + seconds
    newest, made = newest_settled(now), 0
    for week in range(newest - (BACK - 1) * WEEK, newest + 1, WEEK):
        while time.monotonic() < deadline:
            step = _step(engine, week)
            made += step
            if step < _STEP:
                break
    return made


def of_school(conn: Connection, school_id: int, least: int) -> dict[int, RoomUse]:
    """Room id → its newest week; rooms of pupils alone."""
    found = _read(conn, t.room.c.school_id == school_id, least=least)
    return {use.room_id: use for use in sorted(found, key=lambda use: use.week)}


def of_labs(conn: Connection, scope: Scope, now: float, *, least: int) -> dict[int, list[Mean]]:
    """School id → for each of its labs how long a computer was on a day, of the newest week that is settled.

    What may not be shown of a room is no part of anything here either.
    """
    asked = place(scope) | {"week": newest_settled(now)}
    found: defaultdict[int, list[Mean]] = defaultdict(list)
    for row in conn.execute(_labs(scope.level), asked).mappings():
        found[row["school_id"]].append(_mean(row, "on", max(least, FEWEST)))
    return dict(found)


@cache
def _labs(level: Level) -> Select[Any]:
    u, r = t.room_use, t.room.c
    return (
        select(r.school_id, u.c.on_devices, u.c.on_device_days, u.c.on_total)
        .select_from(u.join(t.room, u.c.room_id == r.id).join(t.school, r.school_id == t.school.c.id))
        .where(inside(level), r.role == "student_lab", u.c.week == bindparam("week"))
        .order_by(u.c.id)
    )


def after(
    conn: Connection,
    scope: Scope,
    *,
    least: int,
    after: int = 0,
    limit: int | None = None,
    school_id: int | None = None,
) -> tuple[RoomUse, ...]:
    """One page of all weeks that a scope sees, in the order of their ids; without a limit all of them."""
    school = () if school_id is None else (t.room.c.school_id == school_id,)
    return _read(conn, within(scope), t.room_use.c.id > after, *school, least=least, limit=limit)


# --- summing ------------------------------------------------------------------------------------------


def _step(engine: Engine, week: int) -> int:
    """Computes outside of the write lock; who was quicker is left as it is."""
    with begin_read(engine) as conn:
        rooms = _due(conn, week)
        rows = [_row(room_id, week, summed(_cells(conn, room_id, week))) for room_id in rooms]
    if rows:
        with begin_write(engine) as conn:
            insert_new(conn, t.room_use, rows, ("room_id", "week"))
    return len(rows)


def _due(conn: Connection, week: int) -> list[int]:
    """Rooms of pupils in which something stood in that week and that have no sum of it."""
    r, m, u = t.room.c, t.membership.c, t.room_use.c
    stood = exists().where(m.room_id == r.id, m.valid_from < week + WEEK, _until(week))
    has = exists().where(u.room_id == r.id, u.week == week)
    query = select(r.id).where(r.role.in_(USED_BY_PUPILS), ~has, stood).order_by(r.id).limit(_STEP)
    return [int(room) for room in conn.scalars(query)]


def _cells(conn: Connection, room_id: int, week: int) -> dict[int, dict[int, Cell]]:
    """Device → day → what it told, of the whole days that each device stood in the room.

    The day of a move is nobody's: a day's sum does not say which part of it was where.
    """
    m = t.membership.c
    query = select(m.device_id, m.valid_from, m.valid_to).where(
        m.room_id == room_id, m.valid_from < week + WEEK, _until(week)
    )
    here: defaultdict[int, set[int]] = defaultdict(set)
    for device_id, since, until in conn.execute(query):
        here[device_id] |= {
            day
            for day in range(week, week + WEEK, DAY)
            if since <= day and (until is None or until >= day + DAY)
        }
    told = rollups.read_many(conn, list(here), DAY, week, week + WEEK, "rooms")
    return {
        device_id: {day: _cell(folds) for day, folds in told.get(device_id, {}).items() if day in days}
        for device_id, days in here.items()
    }


def _cell(folds: Folds) -> Cell:
    return {quantity: folds[f"use.{quantity}"].sum for quantity in QUANTITIES if f"use.{quantity}" in folds}


def _until(week: int) -> Any:
    return or_(t.membership.c.valid_to.is_(None), t.membership.c.valid_to > week)


def _row(room_id: int, week: int, of: Week) -> dict[str, Any]:
    row: dict[str, Any] = {"room_id": room_id, "week": week, "days": of.days}
    for quantity, each in of.sums.items():
        row[f"{quantity}_devices"] = each.devices
        row[f"{quantity}_device_days"] = each.device_days
        row[f"{quantity}_total"] = each.total
    return row


# --- reading ------------------------------------------------------------------------------------------


def _read(conn: Connection, *where: Any, least: int, limit: int | None = None) -> tuple[RoomUse, ...]:
    u, r, s = t.room_use.c, t.room.c, t.school.c
    present = (t.school_code.c.school_id == s.id) & t.school_code.c.valid_to.is_(None)
    joined = (
        t.room_use.join(t.room, u.room_id == r.id)
        .join(t.school, r.school_id == s.id)
        .outerjoin(t.school_code, present)
    )
    named = (r.name.label("room"), r.role, s.name.label("school"), t.school_code.c.code.label("code"))
    query = select(t.room_use, *named).select_from(joined).where(r.role.in_(USED_BY_PUPILS), *where)
    rows: Iterable[RowMapping] = conn.execute(query.order_by(u.id).limit(limit)).mappings()
    return tuple(_use(row, max(least, FEWEST)) for row in rows)


def _use(row: Mapping[Any, Any], least: int) -> RoomUse:
    means: dict[Quantity, Mean] = {quantity: _mean(row, quantity, least) for quantity in QUANTITIES}
    return RoomUse(
        id=row["id"],
        room_id=row["room_id"],
        room=row["room"],
        role=row["role"],
        school_code=row["code"] or "",
        school=row["school"],
        week=row["week"],
        days=row["days"] if means["on"].devices >= least else None,
        **means,
    )


def _mean(row: Mapping[Any, Any], quantity: Quantity, least: int) -> Mean:
    devices, days, total = (row[f"{quantity}_{part}"] for part in ("devices", "device_days", "total"))
    if devices == 0:
        return Mean(0, hidden="nobody_told")
    if devices < least:
        return Mean(devices, hidden="few")
    return Mean(devices, hidden="dominated") if total is None else Mean(devices, total / days, days)
