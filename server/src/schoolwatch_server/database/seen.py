"""Adds up what devices tell, room by room, in one query however many schools there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Label,
    Select,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
)

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import inside, place
from schoolwatch_server.scope import Level, Scope

RUNG_NUMBERS = range(-1, 5)
"""Highest rungs in the order of `Counts.ipv6_rung`; -1 is "rung 0 failed"."""

PAIRS = (
    "issued",
    "firewall",
    "patched",
    "supported",
    "autorun_off",
    "attachments_marked",
    "accounts",
    "due",
    "quality",
    "backed_up",
    "ipv6_works",
)
"""Of each there are two sums, `…_yes` and `…_known`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What separates the counts: instants in UTC seconds, spans in seconds, speeds in bit/s, sizes in bytes.

    `issued` are parts of names in small letters, `bios_before` a day (ISO 8601), `supported` and `ended` what
    `state.os` says of systems that makers support and no longer support.
    """

    working_after: float
    heard_after: float
    speed_100: float
    speed_1000: float
    signature_age: float
    patch_age: float
    least_length: float
    lock_after: float
    bios_before: str
    memory: float
    latency: float
    jitter: float
    loss: float
    backup_age: float
    by_hand_after: float
    clock: float
    now: float
    issued: tuple[str, ...] = ()
    supported: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    room_devices: int = 5


Sums = Mapping[str, int]


def seen(conn: Connection, scope: Scope, limits: Limits) -> dict[int, dict[int | None, Sums]]:
    """School → room (None: in no room) → its sums, of the devices in use."""
    query, names = _query(scope.level, len(limits.issued), "room")
    found: dict[int, dict[int | None, Sums]] = {}
    for school, room, *values in conn.execute(query, _values(limits) | place(scope)).all():
        found.setdefault(school, {})[room] = dict(zip(names, values, strict=True))
    return found


def by_device(conn: Connection, scope: Scope, limits: Limits) -> dict[int, Sums]:
    """The same of each device by itself, by its id: whether it is in a sum (1) or not (0)."""
    query, names = _query(scope.level, len(limits.issued), "device")
    rows = conn.execute(query, _values(limits) | place(scope)).all()
    return {device: dict(zip(names, values, strict=True)) for _, device, *values in rows}


@lru_cache(maxsize=64)
def _query(level: Level, issued: int, each: Literal["room", "device"]) -> tuple[Select[Any], tuple[str, ...]]:
    """The statement for scopes of a level with so many names of issued antivirus, and its sums' names.

    There is a row for each room, or for each device.
    """
    here = and_(t.membership.c.device_id == t.device.c.id, t.membership.c.valid_to.is_(None))
    joined = (
        t.membership.join(t.device, here)
        .join(t.school, t.membership.c.school_id == t.school.c.id)
        .outerjoin(t.room, t.membership.c.room_id == t.room.c.id)
        .outerjoin(t.state, t.state.c.device_id == t.device.c.id)
        .outerjoin(_w, and_(_w.c.device_id == t.device.c.id, _is_working()))
    )
    of = t.membership.c.room_id if each == "room" else t.membership.c.device_id
    room = (t.membership.c.school_id, of)
    sums = tuple(_sums(issued))
    query = (
        select(*room, *sums)
        .select_from(joined)
        .where(inside(level), t.device.c.retired_at.is_(None))
        .group_by(*room)
    )
    return query, tuple(label.name for label in sums)


def _values(limits: Limits) -> dict[str, object]:
    """What the statement leaves open: built once, it is asked with other limits each time."""
    return {
        **{name: getattr(limits, name) for name in _OPEN},
        "supported": limits.supported,
        "ended": limits.ended,
        "known": limits.supported + limits.ended,
        **{f"issued{number}": _like(name) for number, name in enumerate(limits.issued)},
    }


def _like(name: str) -> str:
    """A pattern of LIKE for what holds that text."""
    for sign in "/%_":
        name = name.replace(sign, f"/{sign}")
    return f"%{name}%"


_OPEN = (
    "working_after",
    "heard_after",
    "speed_100",
    "speed_1000",
    "signature_age",
    "patch_age",
    "least_length",
    "lock_after",
    "bios_before",
    "memory",
    "latency",
    "jitter",
    "loss",
    "backup_age",
)
_w = t.state.alias("working")
"""The state of a device that works; of any other all its columns are NULL, and a NULL is in no sum."""

_LISTS = ("supported", "ended", "known")
_limit: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in _OPEN} | {
    name: bindparam(name, expanding=True) for name in _LISTS
}


def systems(conn: Connection, scope: Scope) -> tuple[str, ...]:
    """What `state.os` says of the devices that a scope sees, each system once."""
    return tuple(conn.scalars(_systems(scope.level), place(scope)))


@cache
def _systems(level: Level) -> Select[Any]:
    s, m = t.state.c, t.membership.c
    query = select(s.os).where(s.os.is_not(None)).distinct()
    if level == "all":
        return query
    here = select(m.device_id).join_from(t.membership, t.school).where(inside(level), m.valid_to.is_(None))
    return query.where(s.device_id.in_(here))


def _sums(issued: int) -> Iterable[Label[int]]:
    """All sums, with so many names of issued antivirus."""
    s, broken = _w.c, t.device.c.broken
    working = s.device_id.is_not(None)
    student = func.coalesce(t.device.c.role, t.room.c.role) == "student_lab"
    wired = and_(s.link_medium == "wired", s.link_speed.is_not(None))
    yield func.count().label("devices_enrolled")
    yield _sum("devices_heard", t.state.c.taken_at >= _limit["heard_after"])
    yield _sum("student_devices", student)
    yield _sum("student_devices_known", and_(student, or_(working, broken.is_(True))))
    yield _sum("student_devices_working", and_(student, working))
    yield _sum("working", working)
    yield _sum("protected_yes", s.protected.is_(True))
    yield _sum("protected_known", s.protected.is_not(None))
    yield _sum("signatures_old", and_(s.protected.is_(True), s.signature_age > _limit["signature_age"]))
    yield _sum("link_known", or_(wired, s.link_medium == "wireless"))
    yield _sum("wired", wired)
    yield _sum("wired_100", and_(wired, s.link_speed >= _limit["speed_100"]))
    yield _sum("wired_1000", and_(wired, s.link_speed >= _limit["speed_1000"]))
    yield _sum("servers", s.is_server.is_(True))
    for number in RUNG_NUMBERS:
        yield _sum(rung(number), s.ipv6_rung == number)
    for name, yes, known in _pairs(issued):
        yield _sum(f"{name}_yes", yes)
        yield _sum(f"{name}_known", known)


Condition = ColumnElement[bool]


def _pairs(issued: int) -> Iterable[tuple[str, Condition, Condition]]:
    """Name, whether it is so, whether that is known; a NULL in either is "no"."""
    s = _w.c
    yield "firewall", s.firewall.is_(True), s.firewall.is_not(None)
    yield "patched", s.patch_age <= _limit["patch_age"], s.patch_age.is_not(None)
    yield "autorun_off", s.autorun_off.is_(True), s.autorun_off.is_not(None)
    yield "attachments_marked", s.attachments_marked.is_(True), s.attachments_marked.is_not(None)
    yield "ipv6_works", s.ipv6_works.is_(True), s.ipv6_works.is_not(None)
    yield "issued", *_issued(issued)
    yield "supported", s.os.in_(_limit["supported"]), s.os.in_(_limit["known"])
    yield "accounts", *_accounts()
    yield "due", *_due()
    yield "quality", *_quality()
    yield (
        "backed_up",
        and_(s.is_server.is_(True), s.backup_age <= _limit["backup_age"]),
        and_(s.is_server.is_(True), s.backup_age.is_not(None)),
    )


def _issued(issued: int) -> tuple[Condition, Condition]:
    """An issued product runs, guards in real time and is young. One that doesn't run is known not to."""
    s = _w.c
    runs = or_(false(), *(s.antivirus.like(bindparam(f"issued{n}"), escape="/") for n in range(issued)))
    untold = s.antivirus.contains("?")
    yes = and_(runs, s.realtime.is_(True), s.signature_age <= _limit["signature_age"])
    bad = or_(s.realtime.is_(False), s.signature_age > _limit["signature_age"])
    without = and_(s.antivirus.is_not(None), ~runs, ~untold)
    return yes, or_(yes, and_(runs, bad), without)


def _accounts() -> tuple[Condition, Condition]:
    """Long passwords, a lock in time, no open account; one that is known to fail is enough to fail."""
    s = _w.c
    locks = and_(s.lock_after > 0, s.lock_after <= _limit["lock_after"])
    yes = and_(s.least_length >= _limit["least_length"], locks, s.accounts_closed.is_(True))
    bad = or_(
        s.least_length < _limit["least_length"],
        s.lock_after == 0,
        s.lock_after > _limit["lock_after"],
        s.accounts_closed.is_(False),
    )
    return yes, or_(yes, bad)


def _due() -> tuple[Condition, Condition]:
    """Too old, too little memory, a failing disk or a system without updates; the first two must be known."""
    s = _w.c
    yes = or_(
        s.bios_date < _limit["bios_before"],
        s.memory < _limit["memory"],
        s.disk_failing.is_(True),
        s.os.in_(_limit["ended"]),
    )
    return yes, or_(yes, and_(s.bios_date.is_not(None), s.memory.is_not(None)))


def _quality() -> tuple[Condition, Condition]:
    s = _w.c
    yes = and_(
        s.server_latency <= _limit["latency"],
        s.server_jitter <= _limit["jitter"],
        s.server_loss <= _limit["loss"],
    )
    bad = or_(
        s.server_latency > _limit["latency"],
        s.server_jitter > _limit["jitter"],
        s.server_loss > _limit["loss"],
    )
    return yes, or_(yes, bad)


def _is_working() -> Condition:
    return and_(_w.c.taken_at >= _limit["working_after"], t.device.c.broken.is_(False))


def _sum(name: str, condition: Condition) -> Label[int]:
    # a condition on a state that isn't there is NULL, which FILTER takes as "no"
    return func.count().filter(condition).label(name)


def rung(number: int) -> str:
    """The name of the sum of devices whose highest rung that is."""
    return f"rung{number}"
