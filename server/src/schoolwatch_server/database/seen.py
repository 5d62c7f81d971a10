"""Adds up what devices tell, room by room, in one query however many schools there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Integer, Label, and_, case, false, func, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import within
from schoolwatch_server.scope import Scope

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
    now: float
    issued: tuple[str, ...] = ()
    supported: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    room_devices: int = 5


Sums = Mapping[str, int]


def seen(conn: Connection, scope: Scope, limits: Limits) -> dict[int, dict[int | None, Sums]]:
    """School → room (None: in no room) → its sums, of the devices in use."""
    here = and_(t.membership.c.device_id == t.device.c.id, t.membership.c.valid_to.is_(None))
    joined = (
        t.membership.join(t.device, here)
        .join(t.school, t.membership.c.school_id == t.school.c.id)
        .outerjoin(t.room, t.membership.c.room_id == t.room.c.id)
        .outerjoin(t.state, t.state.c.device_id == t.device.c.id)
    )
    place = (t.membership.c.school_id, t.membership.c.room_id)
    query = (
        select(*place, *_sums(limits))
        .select_from(joined)
        .where(within(scope), t.device.c.retired_at.is_(None))
        .group_by(*place)
    )
    result = conn.execute(query)
    names = tuple(result.keys())[2:]
    found: dict[int, dict[int | None, Sums]] = {}
    for school, room, *values in result:
        found.setdefault(school, {})[room] = dict(zip(names, values, strict=True))
    return found


def systems(conn: Connection) -> tuple[str, ...]:
    """What `state.os` says of all devices: each system once, whoever asks; it is nobody's."""
    return tuple(conn.scalars(select(t.state.c.os).where(t.state.c.os.is_not(None)).distinct()))


def _sums(limits: Limits) -> Iterable[Label[int]]:
    s, broken = t.state.c, t.device.c.broken
    working = and_(s.taken_at >= limits.working_after, broken.is_(False))
    student = func.coalesce(t.device.c.role, t.room.c.role) == "student_lab"
    wired = and_(working, s.link_medium == "wired", s.link_speed.is_not(None))
    yield func.count().label("devices_enrolled")
    yield _sum("devices_heard", s.taken_at >= limits.heard_after)
    yield _sum("student_devices", student)
    yield _sum("student_devices_known", and_(student, or_(working, broken.is_(True))))
    yield _sum("student_devices_working", and_(student, working))
    yield _sum("working", working)
    yield _sum("protected_yes", and_(working, s.protected.is_(True)))
    yield _sum("protected_known", and_(working, s.protected.is_not(None)))
    yield _sum("link_known", or_(wired, and_(working, s.link_medium == "wireless")))
    yield _sum("wired", wired)
    yield _sum("wired_100", and_(wired, s.link_speed >= limits.speed_100))
    yield _sum("wired_1000", and_(wired, s.link_speed >= limits.speed_1000))
    yield _sum("servers", and_(working, s.is_server.is_(True)))
    for number in RUNG_NUMBERS:
        yield _sum(rung(number), and_(working, s.ipv6_rung == number))
    for name, yes, known in _pairs(limits):
        yield _sum(f"{name}_yes", and_(working, yes))
        yield _sum(f"{name}_known", and_(working, known))


Condition = ColumnElement[bool]


def _pairs(limits: Limits) -> Iterable[tuple[str, Condition, Condition]]:
    """Name, whether it is so, whether that is known; a NULL in either is "no"."""
    s = t.state.c
    yield "firewall", s.firewall.is_(True), s.firewall.is_not(None)
    yield "patched", s.patch_age <= limits.patch_age, s.patch_age.is_not(None)
    yield "autorun_off", s.autorun_off.is_(True), s.autorun_off.is_not(None)
    yield "attachments_marked", s.attachments_marked.is_(True), s.attachments_marked.is_not(None)
    yield "ipv6_works", s.ipv6_works.is_(True), s.ipv6_works.is_not(None)
    yield "issued", *_issued(limits)
    yield "supported", s.os.in_(limits.supported), s.os.in_(limits.supported + limits.ended)
    yield "accounts", *_accounts(limits)
    yield "due", *_due(limits)
    yield "quality", *_quality(limits)
    yield (
        "backed_up",
        and_(s.is_server.is_(True), s.backup_age <= limits.backup_age),
        and_(s.is_server.is_(True), s.backup_age.is_not(None)),
    )


def _issued(limits: Limits) -> tuple[Condition, Condition]:
    """An issued product runs, guards in real time and is young. One that doesn't run is known not to."""
    s = t.state.c
    runs = or_(false(), *(s.antivirus.contains(name, autoescape=True) for name in limits.issued))
    untold = s.antivirus.contains("?")
    yes = and_(runs, s.realtime.is_(True), s.signature_age <= limits.signature_age)
    bad = or_(s.realtime.is_(False), s.signature_age > limits.signature_age)
    without = and_(s.antivirus.is_not(None), ~runs, ~untold)
    return yes, or_(yes, and_(runs, bad), without)


def _accounts(limits: Limits) -> tuple[Condition, Condition]:
    """Long passwords, a lock in time, no open account; one that is known to fail is enough to fail."""
    s = t.state.c
    locks = and_(s.lock_after > 0, s.lock_after <= limits.lock_after)
    yes = and_(s.least_length >= limits.least_length, locks, s.accounts_closed.is_(True))
    bad = or_(
        s.least_length < limits.least_length,
        s.lock_after == 0,
        s.lock_after > limits.lock_after,
        s.accounts_closed.is_(False),
    )
    return yes, or_(yes, bad)


def _due(limits: Limits) -> tuple[Condition, Condition]:
    """Too old, too little memory, a failing disk or a system without updates; the first two must be known."""
    s = t.state.c
    yes = or_(
        s.bios_date < limits.bios_before,
        s.memory < limits.memory,
        s.disk_failing.is_(True),
        s.os.in_(limits.ended),
    )
    return yes, or_(yes, and_(s.bios_date.is_not(None), s.memory.is_not(None)))


def _quality(limits: Limits) -> tuple[Condition, Condition]:
    s = t.state.c
    yes = and_(
        s.server_latency <= limits.latency, s.server_jitter <= limits.jitter, s.server_loss <= limits.loss
    )
    bad = or_(s.server_latency > limits.latency, s.server_jitter > limits.jitter, s.server_loss > limits.loss)
    return yes, or_(yes, bad)


def _sum(name: str, condition: Condition) -> Label[int]:
    # a condition on a state that isn't there is NULL, which CASE takes as "no"
    return func.sum(case((condition, 1), else_=0), type_=Integer).label(name)


def rung(number: int) -> str:
    """The name of the sum of devices whose highest rung that is."""
    return f"rung{number}"
