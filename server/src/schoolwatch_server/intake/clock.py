"""When a report was taken, on the server's clock: how wrong was the clock by which it was taken?

`sent_at` is what that clock showed when the report was sent, so arrival less `sent_at` is its error and the
time on the way. No I/O, no clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schoolwatch_contract.frame import Header
from schoolwatch_contract.records import RELEASED
from schoolwatch_server.intake.accept import Message

LATE_AFTER = 1800.0
"""Seconds from which a report is late, whatever the delivery period is."""

SEEN_WITHIN = 86_400.0
"""Seconds before its report within which a sighting was, which a sensor keeps for an hour. A small computer
without a battery shows a time long past when it starts, and a server of then would pass for an old one."""

STEP = 600.0
"""Seconds by which a message may be held up on its way before it must be of another clock."""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """Seconds to add to the report's clock to get the server's.

    `is_measured`: this very message told, since it came at once and by its own clock. `is_certain`: the
    instant may be told to others; else nobody knows when the report was taken.
    """

    offset: float
    is_measured: bool
    is_certain: bool


def reckon(
    message: Message, header: Header, taken_at: float, measured: float | None, believed: Sequence[float] = ()
) -> Reckoned:
    """The error of the clock by which a report was taken.

    `measured` is the offset that the report's generation was last heard live with; `believed` are those that
    explain a message which waited at the broker, when they can: the first one that does holds.
    """
    if header.clock == "own":
        offset = _own(message, header.sent_at, measured, believed)
        is_measured = not message.is_carried and not message.waited
        return Reckoned(offset, is_measured, is_credible(taken_at + offset, message.arrived))
    now = _own(message, header.sent_at, None, believed)
    known = [each for each in (measured,) if each is not None]
    for offset in known if header.clock == "doubtful" else (*known, now, 0.0):
        if is_credible(taken_at + offset, message.arrived):
            return Reckoned(offset, is_measured=False, is_certain=True)
    return Reckoned(now, is_measured=False, is_certain=False)


def is_credible(instant: float, arrived: float) -> bool:
    """Whether something may have been measured then: there was an agent, and it lies not in the future."""
    return RELEASED <= instant <= arrived + STEP


def corrected(at: float, offset: float, arrived: float) -> float:
    """An instant of the report's clock on the server's; nothing was taken after it arrived."""
    return min(at + offset, arrived)


def seen_when(at: float | None, offset: float, taken_at: float, arrived: float) -> float:
    """When a sighting of a report was; by a clock that was set before the report was taken, when that was.

    So it is where nobody says when (None).
    """
    if at is None:
        return taken_at
    when = corrected(at, offset, arrived)
    return when if when >= taken_at - SEEN_WITHIN else taken_at


def is_late(taken_at: float, arrived: float, delivery_period: float) -> bool:
    """Whether a report is older than its way here explains."""
    return arrived - taken_at > max(LATE_AFTER, 2 * delivery_period)


def _own(message: Message, sent_at: float, measured: float | None, believed: Iterable[float]) -> float:
    """The offset if `sent_at` is of the report's own clock."""
    if message.made_at is not None:
        return message.made_at - sent_at + _of_bundle(message.made_at, message.arrived, measured)
    now: float = message.arrived - sent_at
    known: tuple[float, ...] = () if measured is None else (measured,)
    for offset in (*known, *believed) if message.waited else known:
        if -STEP <= now - offset <= message.waited + STEP:
            return offset
    return now


def _of_bundle(made_at: float, arrived: float, measured: float | None) -> float:
    """The offset of the clock by which a bundle was written: it is not known how long that is ago.

    It is taken at its word unless it was measured; what it is ahead of ours for certain is taken off.
    """
    if measured is not None and made_at + measured <= arrived + STEP:
        return measured
    return min(arrived - made_at, 0.0)
