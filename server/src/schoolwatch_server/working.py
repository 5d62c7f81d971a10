"""Whether a computer is in working order, from what people and its own reports say, with the reasons. Pure.

The verdict is the one that indicators count by: flagged broken is no, heard within the window is yes,
anything else is unknown and never bad. Reasons that do not change it say what to look at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from schoolwatch_server.database.rows import DeviceRow
from schoolwatch_server.state import State, find

Reason = Literal["broken", "never_heard", "silent", "silent_in_used_room", "disk_failing"]

SILENT = 3 * 86400.0
"""Seconds without a report after which a computer may not start any more, when others of its room do."""

USED = 86400.0
"""Seconds within which another computer of the room must have reported."""


@dataclass(frozen=True, slots=True)
class Working:
    """In working order (None: unknown), and why, or what to look at all the same."""

    verdict: bool | None
    reasons: tuple[Reason, ...] = ()


def working(
    device: DeviceRow,
    school: Iterable[DeviceRow],
    *,
    now: float,
    after: float,
    state: State | None = None,
) -> Working:
    """`school` are the devices of its school; `after` begins the window of the pack, UTC seconds."""
    reasons: list[Reason] = ["broken"] if device.broken else []
    taken = device.taken_at
    if taken is None:
        reasons.append("never_heard")
    elif taken < now - SILENT and _is_used(device, school, now):
        reasons.append("silent_in_used_room")
    elif taken < after:
        reasons.append("silent")
    if state is not None and disk_fails(state):
        reasons.append("disk_failing")
    heard = taken is not None and taken >= after
    return Working(False if device.broken else True if heard else None, tuple(reasons))


def disk_fails(state: State) -> bool:
    """A disk predicts its own failure, or says that it is not healthy."""
    predicted = find(state.readings, "disk_health.failure_predicted").values()
    healthy = find(state.readings, "disk_health.healthy").values()
    return any(number == 1 for _, number in predicted) or any(number == 0 for _, number in healthy)


def _is_used(device: DeviceRow, school: Iterable[DeviceRow], now: float) -> bool:
    return device.room is not None and any(
        other.id != device.id
        and other.school_id == device.school_id
        and other.room == device.room
        and other.taken_at is not None
        and other.taken_at >= now - USED
        for other in school
    )
