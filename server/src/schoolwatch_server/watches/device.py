"""A computer that stays silent while its room is in use. Pure.

A computer that is off is no news. It becomes some when it used to be on whenever its room was, and now was
not on several days on which most of the room was. So a trolley of laptops, of which some
are on and some are not, an old computer that nobody likes, a quiet room, a night, a holiday and a summer
say nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schoolwatch_server.database import hearings
from schoolwatch_server.hearing import REMEMBERED, Hearing, days_until, mask_of
from schoolwatch_server.rules.subject import Subject, device
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.school_time import DAY, SchoolTime, day_number, is_school_day
from schoolwatch_server.targets import USED_BY_PUPILS
from schoolwatch_server.watches.sight import Sight


@dataclass(frozen=True, slots=True)
class Limits:
    """`days` of use without it; a habit is `habit` of at least `before` days of use.

    A room is in use on a day on which `share` of its computers, and at least `least`, were heard.
    """

    days: float = 3
    habit: float = 0.9
    before: float = 8
    share: float = 0.5
    least: float = 3


@dataclass(frozen=True, slots=True)
class Missing:
    """A computer that is missing: on so many days of use in a row, after a habit of `heard` of `of` days."""

    hearing: Hearing
    days: int
    heard: int
    of: int


def look(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of each computer of a room of pupils that is missing; one whose incident is open, until it is heard."""
    limits, today = Limits(**parameters), day_number(sight.now)
    open_now = {subject.id for subject in sight.open_now.get("device_silent", ())}
    masks: dict[SchoolTime, int] = {}
    # a day for each that it must miss, and it was heard within the weeks that are remembered
    after, before = sight.now - REMEMBERED * DAY, sight.now - (limits.days - 1) * DAY
    for room_id, room in hearings.of_rooms(sight.conn, USED_BY_PUPILS, after, before).items():
        school = room[0].school_id
        calendar = sight.calendars.get(school)
        if calendar is None:
            continue
        if calendar not in masks:
            masks[calendar] = mask_of(lambda day, its=calendar: is_school_day(its, day), today)  # type: ignore[misc]
        found = {one.hearing.device_id: one for one in missing(room, masks[calendar], today, limits)}
        known = sight.is_school_time(school)
        for each in room:
            one = found.get(each.device_id)
            if one is None and not (each.device_id in open_now and _is_silent(each, sight.now, limits)):
                continue
            readings: dict[str, float | None] = (
                {}
                if one is None
                else {
                    "finding.silence_days": float(one.days),
                    "finding.silence_habit": one.heard / one.of,
                }
            )
            above = {"room": room_id, "school": school, **sight.above(Subject("school", school))}
            yield Finding(
                device(each.device_id),
                True if known and one is not None else None,
                readings,
                since=each.at,
                above=above,
            )


def _is_silent(hearing: Hearing, now: float, limits: Limits) -> bool:
    return hearing.at is not None and now - hearing.at >= (limits.days - 1) * DAY


def days_in_use(room: Sequence[Hearing], school_days: int, today: int, limits: Limits) -> int:
    """The school days on which a room was in use; bit 0 is today."""
    alive = [days for days in (days_until(each, today) for each in room) if days]
    needed = max(limits.least, limits.share * len(alive))
    return sum(
        1 << back
        for back in range(REMEMBERED)
        if school_days >> back & 1 and sum(days >> back & 1 for days in alive) >= needed
    )


def missing(room: Sequence[Hearing], school_days: int, today: int, limits: Limits) -> tuple[Missing, ...]:
    """The computers of a room that are missing."""
    used = days_in_use(room, school_days, today, limits)
    if not used:
        return ()
    return tuple(one for one in (_missing(each, used, today, limits) for each in room) if one is not None)


def _missing(hearing: Hearing, used: int, today: int, limits: Limits) -> Missing | None:
    heard = days_until(hearing, today)
    if not heard:
        return None
    silent = (heard & -heard).bit_length() - 1  # days since it was heard, today among them
    absent = (used & ((1 << silent) - 1)).bit_count()
    before = used >> silent
    of, met = before.bit_count(), (before & heard >> silent).bit_count()
    if absent < limits.days or of < limits.before or met < limits.habit * of:
        return None
    return Missing(hearing, absent, met, of)
