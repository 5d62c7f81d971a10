"""Deadlines of serious incidents in words: how long is left, or how long ago they passed."""

from collections.abc import Mapping
from dataclasses import dataclass

from schoolwatch_server.console.words import Words
from schoolwatch_server.database.serious import Gravity
from schoolwatch_server.serious.timers import Timer, timers

_CHIPS = {"sent": "good", "running": "plain", "soon": "warn", "overdue": "bad"}


@dataclass(frozen=True, slots=True)
class TimerWords:
    """A deadline as a page shows it: `chip` is how it stands in colour, `told` in words.

    `more` says of what was sent when, under which number and who recorded it.
    """

    step: str
    chip: str
    told: str
    more: str
    due_at: float
    is_open: bool


def timers_in_words(gravity: Gravity | None, words: Words, now: float) -> tuple[TimerWords, ...]:
    """Both deadlines of a serious incident; none of another one, or of a false alarm that owes nothing."""
    if gravity is None or not gravity.is_serious or not (gravity.owes or gravity.times.sent):
        return ()
    return tuple(_in_words(timer, words, now) for timer in timers(gravity.times))


def next_deadlines(gravities: Mapping[int, Gravity], words: Words, now: float) -> dict[int, TimerWords]:
    """By incident the nearer of its deadlines that is not met; those that owe nothing have none."""
    found = {}
    for number, gravity in gravities.items():
        is_open = (timer for timer in timers_in_words(gravity, words, now) if timer.is_open)
        if gravity.owes and (timer := next(is_open, None)) is not None:
            found[number] = timer
    return found


def _in_words(timer: Timer, words: Words, now: float) -> TimerWords:
    standing = timer.standing(now)
    sent = timer.sent
    if sent is None:
        key = "serious.overdue" if standing == "overdue" else "serious.left"
        told, more = words.text(key, span=words.span(max(abs(timer.due_at - now), 1))), ""
    else:
        told = words.text("serious.sent_late" if timer.was_late else "serious.sent")
        more = words.text("serious.sent_more", when=words.when(sent.at), reference=sent.reference, by=sent.by)
    chip = "warn" if timer.was_late else _CHIPS[standing]
    return TimerWords(timer.step, chip, told, more, timer.due_at, sent is None)
