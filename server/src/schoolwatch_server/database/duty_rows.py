"""The duty list and the numbers of escalation, as kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from schoolwatch_server.database import channel_rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.dependents import for_good
from schoolwatch_server.duty.shift import Shift, Where
from schoolwatch_server.scope import Scope

_d = t.duty.c

ESCALATE: Mapping[str, float] = {"critical": 15, "high": 30, "medium": 0, "low": 0}
"""Minutes until the next step is told, unless set otherwise; 0 is never. A proposal of this project."""

SHIFTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for all of duty; instants are UTC seconds."""

    escalate: Mapping[str, float]
    has_ping: bool = False
    ping_every: int = 60
    pinged_at: float | None = None
    ping_failed_at: float | None = None
    ping_error: str = ""


def shifts(conn: Connection) -> tuple[Shift, ...]:
    """The duty list, the first step first."""
    return tuple(_shift(row) for row in conn.execute(select(t.duty).order_by(_d.step, _d.id)))


def on_duty(conn: Connection, everybody: Collection[str]) -> tuple[Shift, ...]:
    """The duty list with the channels that can be told alone: one that is switched off tells nobody."""
    there = shifts(conn)
    if not there:
        return ()
    known = {*everybody, *channel_rows.usable(conn)}
    return tuple(
        replace(shift, channels=tuple(one for one in shift.channels if one in known)) for shift in there
    )


def put(conn: Connection, shift: Shift, now: float) -> int:
    """Writes an entry, which is new with the id 0, and returns its id."""
    values = {
        "name": shift.name,
        "scope_level": shift.scope.level,
        "scope_id": shift.scope.id,
        "least": shift.least,
        "weekdays": sum(1 << day for day in shift.weekdays),
        "starts": shift.starts,
        "ends": shift.ends,
        "first_day": shift.first_day.isoformat() if shift.first_day else None,
        "last_day": shift.last_day.isoformat() if shift.last_day else None,
        "step": shift.step,
        "quiet_from": shift.quiet[0] if shift.quiet else None,
        "quiet_to": shift.quiet[1] if shift.quiet else None,
        "digest_at": shift.digest,
        "channels": list(shift.channels),
        "acts": shift.acts,
        "changed_at": now,
    }
    if shift.id:
        conn.execute(update(t.duty).where(_d.id == shift.id).values(**values))
        return shift.id
    key = conn.execute(insert(t.duty).values(**values)).inserted_primary_key
    assert key is not None  # a row was inserted
    return int(key[0])


def remove(conn: Connection, shift_id: int) -> bool:
    """Takes an entry out; whether there was one."""
    for_good(conn)
    return conn.execute(delete(t.duty).where(_d.id == shift_id)).rowcount > 0


def settings(conn: Connection) -> Settings:
    """What was set, or else what is proposed."""
    row = conn.execute(select(t.notify_settings).limit(1)).first()
    if row is None:
        return Settings(ESCALATE)
    return Settings(
        {**ESCALATE, **row.escalate},
        row.ping_url is not None,
        row.ping_every,
        row.pinged_at,
        row.ping_failed_at,
        row.ping_error,
    )


def settings_row(conn: Connection) -> int:
    """The id of the one row of settings, which is made when it is not there."""
    found = conn.scalar(select(t.notify_settings.c.id).limit(1))
    if found is not None:
        return int(found)
    key = conn.execute(insert(t.notify_settings).values(escalate=dict(ESCALATE))).inserted_primary_key
    assert key is not None  # a row was inserted
    return int(key[0])


def set_escalation(conn: Connection, minutes: Mapping[str, float]) -> None:
    """Minutes by severity; 0 is never."""
    here = t.notify_settings.c.id == settings_row(conn)
    conn.execute(update(t.notify_settings).where(here).values(escalate=dict(minutes)))


def where(conn: Connection, incident_id: int) -> tuple[Where, str]:
    """Where an incident is, and its severity."""
    i, s, c = t.incident.c, t.school.c, t.commune.c
    commune = func.coalesce(i.commune_id, s.commune_id)
    query = (
        select(i.school_id, commune, func.coalesce(i.province_id, c.province_id), i.severity)
        .select_from(t.incident)
        .outerjoin(t.school, s.id == i.school_id)
        .outerjoin(t.commune, c.id == commune)
        .where(i.id == incident_id)
    )
    school_id, commune_id, province_id, severity = conn.execute(query).one()
    return Where(province_id, commune_id, school_id), severity


def _shift(row: Row[tuple[object, ...]]) -> Shift:
    return Shift(
        id=row.id,
        name=row.name,
        scope=Scope(row.scope_level, row.scope_id),
        least=row.least,
        weekdays=frozenset(day for day in range(7) if row.weekdays >> day & 1),
        starts=row.starts,
        ends=row.ends,
        channels=tuple(row.channels),
        first_day=date.fromisoformat(row.first_day) if row.first_day else None,
        last_day=date.fromisoformat(row.last_day) if row.last_day else None,
        step=row.step,
        quiet=(row.quiet_from, row.quiet_to) if row.quiet_from is not None else None,
        digest=row.digest_at,
        acts=row.acts,
    )
