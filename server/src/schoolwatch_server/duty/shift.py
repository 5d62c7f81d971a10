"""A shift: whom which incidents are told to, in which hours of which days. Hours are Vietnam's.

A shift that ends at or before its start ends on the next day: 22:00-06:00 on Sunday is on duty on Monday at
02:00; 00:00-00:00 is the whole day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from schoolwatch_server.scope import Scope
from schoolwatch_server.severity import SEVERITIES
from schoolwatch_server.vietnam import VIETNAM

PATIENT = ("low", "medium")
"""Those that wait out quiet hours."""

Acts = Literal["all", "closed", "none"]
"""Of what people did about an incident a shift is told: that somebody took it too, its end alone, nothing."""

ACTS: tuple[Acts, ...] = get_args(Acts)

NIGHT = (22 * 60, 6 * 60)
"""Minutes of the day in which nobody is woken by what others did about what isn't serious, unless a shift has
quiet hours of its own. A proposal of this project."""

STEPS = 5
"""Steps of escalation that can be set up."""

_DAY = 1440
_WEEK = 7 * _DAY


@dataclass(frozen=True, slots=True)
class Where:
    """Where an incident is; nothing at all is the server itself."""

    province_id: int | None = None
    commune_id: int | None = None
    school_id: int | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """One entry of the duty list. Minutes are of the day; `weekdays` counts Monday as 0.

    `quiet` are from-to minutes in which low and medium ones wait for its end; at `digest` of each day low
    ones come in one message. `step` 1 is told at once, 2 and more when nobody acknowledged in time. `acts`:
    of what people did about an incident that it was told of.
    """

    id: int
    name: str
    scope: Scope
    least: str
    weekdays: frozenset[int]
    starts: int
    ends: int
    channels: tuple[str, ...]
    first_day: date | None = None
    last_day: date | None = None
    step: int = 1
    quiet: tuple[int, int] | None = None
    digest: int | None = None
    acts: Acts = "all"


@dataclass(frozen=True, slots=True)
class Gap:
    """Minutes of the week (Monday 00:00 is 0) in which nobody of the first step is on duty."""

    starts: int
    ends: int


def rank(severity: str) -> int:
    """0 is the least; a severity that is not known counts as the most."""
    return len(SEVERITIES) - (SEVERITIES.index(severity) + 1 if severity in SEVERITIES else 0)


def is_on(shift: Shift, at: float) -> bool:
    """Whether somebody is on duty by this shift at an instant (UTC seconds)."""
    local = datetime.fromtimestamp(at, VIETNAM)
    minute = local.hour * 60 + local.minute
    return any(
        _begins(shift, local.date() - timedelta(days=back))
        and shift.starts <= minute + back * _DAY < _end(shift)
        for back in (0, 1)
    )


def covers(scope: Scope, where: Where) -> bool:
    """Whether incidents there are this scope's."""
    ids = {"province": where.province_id, "commune": where.commune_id, "school": where.school_id}
    return scope.level == "all" or (scope.id is not None and ids[scope.level] == scope.id)


def due(shift: Shift, severity: str, at: float) -> tuple[float, bool]:
    """When it is told by this shift (UTC seconds), and whether in a digest; at once is `at` itself."""
    if severity not in PATIENT:
        return at, False
    then, waits = at, False
    if shift.digest is not None and severity == "low":
        then, waits = _next(at, shift.digest), True
    if shift.quiet is not None and _in(shift.quiet, then):
        then, waits = _next(then, shift.quiet[1]), True
    return then, waits


def due_act(shift: Shift | None, severity: str, at: float, *, is_serious: bool) -> tuple[float, bool]:
    """When it is told by this shift (None: by none) that somebody did something, and whether in a digest.

    Of a serious incident at once. Of any other not at night.
    """
    if is_serious:
        return at, False
    then, waits = (at, False) if shift is None else due(shift, severity, at)
    hours = NIGHT if shift is None or shift.quiet is None else shift.quiet
    return (_next(then, hours[1]), True) if _in(hours, then) else (then, waits)


def wants(shift: Shift, event: str) -> bool:
    """Whether a shift is told that somebody did this: took an incident, closed it, opened it again."""
    return shift.acts == "all" or (shift.acts == "closed" and event != "acknowledged")


def gaps(shifts: Sequence[Shift], severity: str, where: Where, today: date) -> tuple[Gap, ...]:
    """When in the week that begins on `today`'s Monday nobody is told at once of such an incident there."""
    monday = today - timedelta(days=today.weekday())
    held = bytearray(_WEEK)
    for shift in shifts:
        if (
            not shift.channels
            or shift.step != 1
            or rank(severity) < rank(shift.least)
            or not covers(shift.scope, where)
        ):
            continue
        for day in range(-1, 7):
            if _begins(shift, monday + timedelta(days=day)):
                first, last = (max(0, min(_WEEK, day * _DAY + at)) for at in (shift.starts, _end(shift)))
                held[first:last] = b"\1" * (last - first)
    found, start = [], None
    for minute in range(_WEEK + 1):
        free = minute < _WEEK and not held[minute]
        if free and start is None:
            start = minute
        elif not free and start is not None:
            found.append(Gap(start, minute))
            start = None
    return tuple(found)


def _begins(shift: Shift, day: date) -> bool:
    return (
        day.weekday() in shift.weekdays
        and (shift.first_day is None or shift.first_day <= day)
        and (shift.last_day is None or day <= shift.last_day)
    )


def _end(shift: Shift) -> int:
    return shift.ends if shift.ends > shift.starts else shift.ends + _DAY


def _in(hours: tuple[int, int], at: float) -> bool:
    local = datetime.fromtimestamp(at, VIETNAM)
    minute, (begin, end) = local.hour * 60 + local.minute, hours
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def _next(at: float, minute: int) -> float:
    """The next instant after `at` when it is that minute of the day."""
    local = datetime.fromtimestamp(at, VIETNAM)
    then = local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    return (then if then > local else then + timedelta(days=1)).timestamp()
