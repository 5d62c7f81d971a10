"""From the duty list to the channels that are told of one incident, and when.

Without any shift of the first step, the channels that are everybody's get everything at once. With shifts,
those on duty do; in hours and places that no shift covers, and for a critical one that no shift takes,
everybody's channels do again: nothing serious is told to nobody.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from schoolwatch_server.duty.shift import Shift, Where, covers, due, due_act, is_on, rank, wants


@dataclass(frozen=True, slots=True)
class Told:
    """A channel that is told at `at` (UTC seconds), at once or in a digest; by which shifts, if any."""

    channel: str
    at: float
    is_digest: bool = False
    shifts: tuple[str, ...] = ()


def opening(
    shifts: Sequence[Shift], everybody: Collection[str], severity: str, where: Where, at: float, step: int = 1
) -> tuple[Told, ...]:
    """Who is told that an incident opened (step 1), or that nobody acknowledged it (the steps above)."""
    here = [one for one in shifts if one.channels and one.step == step and covers(one.scope, where)]
    on_duty = [shift for shift in here if is_on(shift, at)]
    matching = [shift for shift in on_duty if rank(severity) >= rank(shift.least)]
    if matching:
        return _merged(matching, severity, at)
    if step == 1 and (not on_duty or severity == "critical"):
        return tuple(Told(channel, at) for channel in sorted(everybody))
    return ()


def subscribed(own: Sequence[Shift], told: Collection[Told], severity: str, at: float) -> tuple[Told, ...]:
    """Who is told besides because they wished it, of what is in their scope; nobody is told twice."""
    known = {one.channel for one in told}
    wished = [shift for shift in own if rank(severity) >= rank(shift.least)]
    return tuple(one for one in _merged(wished, severity, at) if one.channel not in known)


def ending(shifts: Sequence[Shift], were_told: Collection[str], severity: str, at: float) -> tuple[Told, ...]:
    """Who is told that it is over: whoever was told of it, by the same quiet hours and digests."""
    found = []
    for channel in sorted(were_told):
        own = [due(shift, severity, at) for shift in shifts if channel in shift.channels]
        then, is_digest = min(own, default=(at, False))
        found.append(Told(channel, then, is_digest))
    return tuple(found)


def acted(
    shifts: Sequence[Shift],
    were_told: Collection[str],
    event: str,
    severity: str,
    at: float,
    *,
    is_serious: bool,
) -> tuple[Told, ...]:
    """Who is told what somebody did about it: whoever was told of it, unless each of its shifts says no."""
    found = []
    for channel in sorted(were_told):
        own = [shift for shift in shifts if channel in shift.channels]
        told_by = [shift for shift in own if wants(shift, event)]
        if own and not told_by:
            continue
        asked: Sequence[Shift | None] = told_by or [None]
        times = [due_act(shift, severity, at, is_serious=is_serious) for shift in asked]
        found.append(Told(channel, *min(times)))
    return tuple(found)


def next_step(shifts: Sequence[Shift], after: int) -> int | None:
    """The step above that has any shift; None when there is none."""
    return min((shift.step for shift in shifts if shift.step > after), default=None)


def patience(minutes: Mapping[str, float], severity: str) -> float | None:
    """Seconds that an incident may wait for somebody to acknowledge it; None is for ever."""
    found = minutes.get(severity, 0)
    return found * 60 if found > 0 else None


def _merged(shifts: Sequence[Shift], severity: str, at: float) -> tuple[Told, ...]:
    """One row a channel: the earliest of what its shifts ask for."""
    found: dict[str, Told] = {}
    for shift in shifts:
        then, is_digest = due(shift, severity, at)
        for channel in shift.channels:
            known = found.get(channel)
            names = (*(known.shifts if known else ()), shift.name)
            if known is not None and known.at <= then:
                then, is_digest = known.at, known.is_digest
            found[channel] = Told(channel, then, is_digest, names)
    return tuple(found[channel] for channel in sorted(found))
