"""A school that fell silent as a whole: its line is down, or its power.

That all computers are quiet is no sign of it: a lesson ends, a day ends. What makes it one is a witness:

- a gateway or server, which nobody switches off, was heard until the end as well;
- or many devices, in several rooms and not of labs alone, were being heard and stopped within one delivery
  period, in the midst of a session;
- or a school that is heard nearly every school day was not heard for a whole one.

Without a witness nothing is said.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from schoolwatch_server.database import hearings, states
from schoolwatch_server.hearing import ALWAYS_ON, Hearing, days_of
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.school_time import (
    SchoolTime,
    day_number,
    is_school_day,
    is_school_time,
    seconds_of_school,
    session_at,
)
from schoolwatch_server.state import State, find
from schoolwatch_server.watches.sight import Sight

Witness = Literal["gateway", "many", "habit"]
Cause = Literal["line", "power", "unknown"]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Seconds of school without a hearing after which each witness is believed, and what makes a witness.

    `together` is the time in which devices that share a fate stop being heard: a delivery period and a
    little more. `left` is what must be left of the session then: at its end computers are switched off.
    """

    quiet: float
    gateway: float
    overnight: float
    many: float
    day: float
    together: float = 1080.0
    before: float = 3600.0
    left: float = 2700.0
    share: float = 0.9
    least: float = 5
    habit: float = 0.8
    habit_days: float = 10


@dataclass(frozen=True, slots=True)
class Silence:
    """Whether a school's line is down (None: not known now, as before), and who tells it.

    Nothing was heard since `since`. `is_heard` is whether that was just now: a school may be silent and yet
    nobody tells that its line is down.
    """

    is_down: bool | None
    since: float
    witness: Witness | None = None
    devices: int = 0
    is_heard: bool = False


def look(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of each school that is quiet: that its line is down, or that this is not known now.

    Of one that is heard again, what it was, as far as anybody can tell.
    """
    stand = lines(sight, Tolerance(**parameters))
    for school_id, silence in stand.items():
        if silence.is_down is not False:
            facts: dict[str, str | None] = {"finding.line_witness": silence.witness}
            readings: dict[str, float | None] = {"finding.line_devices": float(silence.devices)}
            since = silence.since
            yield Finding(Subject("school", school_id), silence.is_down, readings, facts, since=since)
    back = {
        subject.id: since
        for subject, since in sight.open_now.get("line_down", {}).items()
        if subject.id in stand and stand[subject.id].is_heard
    }
    if back:
        yield from _back(sight, back)


def lines(sight: Sight, limits: Tolerance) -> dict[int, Silence]:
    """School → how its line stands; a school that is quiet outside of its hours is not known."""
    found = {
        school: Silence(
            is_down=False if sight.now - at < limits.quiet else None,
            since=at,
            is_heard=sight.now - at < limits.quiet,
        )
        for school, at in sight.heard.items()
    }
    for school, its in sight.quiet.items():
        if school in sight.calendars:
            silence = judge(its, sight.calendars[school], sight.now, sight.deaf_at, limits)
            found[school] = silence or Silence(is_down=False, since=sight.heard[school])
    return found


def cause(before: float, told: Sequence[tuple[str, State]]) -> Cause:
    """Whether the line or the power was gone since `before`, by the role and state of devices that are back.

    One that ran through was never without power. A gateway that has started since then was.
    """
    ran, started = False, False
    for role, state in told:
        for name, (_, seconds) in find(state.readings, "uptime.seconds").items():
            told_at = state.readings[name].taken_at
            if seconds is None or told_at <= before:
                continue
            ran_through = told_at - seconds <= before
            ran |= ran_through
            started |= not ran_through and role in ALWAYS_ON
    return "line" if ran else "power" if started else "unknown"


def _back(sight: Sight, since: Mapping[int, float]) -> Iterator[Finding]:
    its = hearings.of_schools(sight.conn, since.keys())
    told = states.known(sight.conn, [each.device_id for found in its.values() for each in found])
    for school_id, before in since.items():
        roles = [
            (each.role, told[each.device_id]) for each in its.get(school_id, ()) if each.device_id in told
        ]
        facts: dict[str, str | None] = {"finding.line_cause": cause(before, roles)}
        yield Finding(Subject("school", school_id), value=False, facts=facts)


def judge(
    hearings: Sequence[Hearing], calendar: SchoolTime, now: float, deaf_at: float, limits: Tolerance
) -> Silence | None:
    """How a school's line stands at `now`; None for a school that was never heard over a line.

    `deaf_at` is when the server itself heard nobody, last: only what is silent since then was not heard.
    """
    over_line = [each for each in hearings if each.at is not None and not each.is_carried]
    last = max((each.at for each in over_line if each.at is not None), default=None)
    if last is None:
        return None
    if now - last < limits.quiet:
        return Silence(is_down=False, since=last, is_heard=True)
    witness, needed, devices = _witness(over_line, last, calendar, limits)
    if witness is None or seconds_of_school(calendar, last, now) < needed:
        return Silence(is_down=False, since=last)
    counted = seconds_of_school(calendar, max(last, deaf_at), now) >= needed
    known = counted and is_school_time(calendar, now)
    return Silence(True if known else None, last, witness, devices)


def _witness(
    hearings: Sequence[Hearing], last: float, calendar: SchoolTime, limits: Tolerance
) -> tuple[Witness | None, float, int]:
    """Who tells it, how many seconds of school they must have been silent, and how many devices they are."""
    session = session_at(calendar, last)
    lately = [each for each in hearings if each.at is not None and last - each.at <= limits.before]
    together = [each for each in lately if each.at is not None and last - each.at <= limits.together]
    steady = sum(each.role in ALWAYS_ON for each in together)
    if steady:
        in_its_midst = session is not None and session[1] - last >= limits.gateway
        return "gateway", limits.gateway if in_its_midst else limits.overnight, steady
    if session and session[1] - last >= limits.left and _share_a_fate(lately, together, limits):
        return "many", limits.many, len(together)
    if _is_habit(hearings, last, calendar, limits):
        return "habit", limits.day, len(lately)
    return None, 0.0, 0


def _share_a_fate(lately: Sequence[Hearing], together: Sequence[Hearing], limits: Tolerance) -> bool:
    """Nearly all that were being heard stopped together, in more than one room, and not in labs alone."""
    return (
        len(together) >= max(limits.least, limits.share * len(lately))
        and len({each.room_id for each in together}) > 1
        and any(each.role not in ("student_lab", "") for each in together)
    )


def _is_habit(hearings: Sequence[Hearing], last: float, calendar: SchoolTime, limits: Tolerance) -> bool:
    """Whether the school was heard on nearly every school day before it fell silent."""
    today = day_number(last)
    heard = days_of(hearings, today)
    back = [n for n in range(1, 29) if is_school_day(calendar, today - n)]
    met = sum(heard >> n & 1 for n in back)
    return len(back) >= limits.habit_days and met >= limits.habit * len(back)
