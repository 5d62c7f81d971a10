"""When devices were last heard, and on which days: what all watches on silence rest on. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

REMEMBERED: Final = 56
"""Days of which it is remembered whether a device was heard: eight weeks."""

MASK: Final = (1 << REMEMBERED) - 1

ALWAYS_ON: Final = frozenset({"gateway", "server"})
"""Roles of devices that nobody switches off when a lesson ends."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """A device in use, and when the server last heard it (UTC seconds; None: never).

    `days` says of each of the last days whether it was heard then: bit 0 is the day `newest` (a local day's
    number), bit 1 the one before. `is_carried` is one whose newest report came on a stick: of such a device
    nobody knows whether its line works.
    """

    device_id: int
    school_id: int
    room_id: int | None
    role: str
    at: float | None
    newest: int = 0
    days: int = 0
    is_carried: bool = False


def heard_on(hearing: Hearing, day: int) -> Hearing:
    """The hearing with one day more, if that is newer than what is remembered."""
    if day <= hearing.newest:
        return hearing
    return replace(hearing, newest=day, days=days_until(hearing, day) | 1)


def days_until(hearing: Hearing, today: int) -> int:
    """The days of a hearing as seen from `today`: bit 0 is today."""
    behind = today - hearing.newest
    if behind < 0:
        return hearing.days >> -behind
    return (hearing.days << behind) & MASK if behind < REMEMBERED else 0


def days_of(hearings: Iterable[Hearing], today: int) -> int:
    """The days on which any of these was heard."""
    found = 0
    for each in hearings:
        found |= days_until(each, today)
    return found


def mask_of(holds: Callable[[int], bool], today: int) -> int:
    """The remembered days, as seen from `today`, of which a condition on their numbers holds."""
    return sum(1 << back for back in range(REMEMBERED) if holds(today - back))
