"""Whether a computer is in working order, from what people and its own reports say, with the reasons. Pure.

The verdict is the one that indicators count by: flagged broken is no, heard within the window is yes,
anything else is unknown and never bad. Reasons that do not change it say what to look at. The facts it rests
on stand beside it, so that somebody can check it a year later.
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
class FailingDisk:
    """What a disk told, and when: `failure_predicted`, or else that it is not healthy."""

    disk: str
    failure_predicted: bool
    taken_at: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What the verdict rests on, in UTC seconds: the flag, the newest report, and since when one counts.

    `room_taken_at` is the newest report of another computer in its room; None when there is none.
    """

    broken: bool
    taken_at: float | None
    counts_since: float
    room_taken_at: float | None
    failing_disks: tuple[FailingDisk, ...] = ()


@dataclass(frozen=True, slots=True)
class Working:
    """In working order (None: unknown), why, or what to look at all the same, and what that rests on."""

    verdict: bool | None
    reasons: tuple[Reason, ...]
    facts: Facts


def working(
    device: DeviceRow,
    school: Iterable[DeviceRow],
    *,
    now: float,
    after: float,
    state: State | None = None,
) -> Working:
    """`school` are the devices of its school; `after` begins the window of the pack, UTC seconds."""
    disks = () if state is None else failing_disks(state)
    facts = Facts(device.broken, device.taken_at, after, _newest_beside(device, school), disks)
    heard = facts.taken_at is not None and facts.taken_at >= after
    return Working(False if facts.broken else True if heard else None, tuple(_reasons(facts, now)), facts)


def failing_disks(state: State) -> tuple[FailingDisk, ...]:
    """The disks that predict their own failure, or say that they are not healthy."""
    found: dict[str, FailingDisk] = {}
    for metric, bad in (("disk_health.healthy", 0), ("disk_health.failure_predicted", 1)):
        for key, (labels, value) in find(state.readings, metric).items():
            if value == bad:
                disk = labels.get("disk", "")
                found[disk] = FailingDisk(disk, bad == 1, state.readings[key].taken_at)
    return tuple(found[disk] for disk in sorted(found))


def _reasons(facts: Facts, now: float) -> Iterable[Reason]:
    if facts.broken:
        yield "broken"
    taken = facts.taken_at
    if taken is None:
        yield "never_heard"
    elif taken < now - SILENT and facts.room_taken_at is not None and facts.room_taken_at >= now - USED:
        yield "silent_in_used_room"
    elif taken < facts.counts_since:
        yield "silent"
    if facts.failing_disks:
        yield "disk_failing"


def _newest_beside(device: DeviceRow, school: Iterable[DeviceRow]) -> float | None:
    beside = [
        other.taken_at
        for other in school
        if device.room is not None
        and other.id != device.id
        and (other.school_id, other.room) == (device.school_id, device.room)
        and other.taken_at is not None
    ]
    return max(beside, default=None)
