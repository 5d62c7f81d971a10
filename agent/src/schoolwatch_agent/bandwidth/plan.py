"""When to test and within which budget: pure arithmetic on a ledger that outlives restarts.

The window of each local day is cut into as many parts as there are tests; each part has one instant, spread
by the device and the day, never by the time, so that a province does not test in the same minute.

The budget is spent evenly over the month: a line so fast that all planned tests cost more is tested less
often, at least once a month when one test fits the budget.
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from schoolwatch_agent.bandwidth.order import Family, Outcome, Why
from schoolwatch_agent.schedule import share
from schoolwatch_contract.settings import Bandwidth

LOCAL = timedelta(hours=7)
"""Vietnam: UTC+7 all year."""

TRIES = 4
"""Attempts within one part of the window, when server or line say no."""

LAST_LOOK = 600.0
"""Seconds before a part's end in which no test is planned: the next cycle might be after it."""

RETRY = 120.0
"""Seconds between two attempts at least; the device adds up to as many of its own."""

LOOK_BACK = 31
"""Days for which a machine that slept counts what it missed."""

_DAY = 86400.0


class Ledger(msgspec.Struct, frozen=True):
    """What is remembered: kept in a file, told as facts and numbers.

    `handled` is the end (UTC seconds) of the last part that was measured or given up; `spent` and `skips`
    are of the calendar `month`; `skipped` is why the last planned test was not made. `booked` is what a
    test that has begun may cost: one that never came back has cost it.
    """

    handled: float | None = None
    tries: int = 0
    retry_at: float = 0.0
    waiting: Why | None = None
    month: str = ""
    spent: int = 0
    booked: int = 0
    last_bytes: int = 0
    measured: int = 0
    skipped: Why | None = None
    skips: dict[str, int] = {}
    server: str = ""
    congestion_control: dict[str, str] = {}


class Part(msgspec.Struct, frozen=True):
    """A part of a day's window and the instant in it (UTC seconds)."""

    begin: float
    instant: float
    end: float


class Step(msgspec.Struct, frozen=True):
    """The ledger after the clock was looked at, and the part in which a test is due now, if any."""

    ledger: Ledger
    due: Part | None = None


def parts(day: int, wanted: Bandwidth, device: str) -> Iterator[Part]:
    """The parts of a local day (days since 1970 in UTC+7), oldest first."""
    first, last = wanted.window
    length = (last - first) * 60.0 / max(wanted.tests_a_day, 1)
    midnight = _midnight(day)
    for number in range(wanted.tests_a_day if last > first else 0):
        begin = midnight + first * 60.0 + number * length
        # whole minutes into the part would all be :00 of some device; a share is any second
        within = max(length - LAST_LOOK, 0.0) * share(f"{device} bandwidth {day} {number}")
        yield Part(begin, begin + within, begin + length)


def look(ledger: Ledger, wanted: Bandwidth, now: float, device: str) -> Step:
    """What to do now: parts that went by untested are noted, and a part whose instant has come is due."""
    ledger = _month(msgspec.structs.replace(ledger, spent=ledger.spent + ledger.booked, booked=0), now)
    if ledger.handled is None or ledger.handled > now + 2 * _DAY:  # new, or the clock was set back
        ledger = msgspec.structs.replace(ledger, handled=now)
    today = _day(now)
    since = max(ledger.handled or now, now - LOOK_BACK * _DAY)
    for day in range(_day(since), today + 1):
        for part in parts(day, wanted, device):
            if part.end <= (ledger.handled or 0.0) or part.begin > now:
                continue
            if part.end <= now:
                ledger = skip(ledger, part, ledger.waiting or "asleep")
            elif part.instant <= now and ledger.retry_at <= now:
                return _affordable(ledger, wanted, part)
    return Step(ledger)


def _affordable(ledger: Ledger, wanted: Bandwidth, part: Part) -> Step:
    if ledger.tries >= TRIES:  # they ended the agent, or the machine
        return Step(skip(ledger, part, "interrupted"))
    if ledger.spent + max(ledger.last_bytes, 1) > wanted.budget:
        return Step(skip(ledger, part, "budget"))
    if ledger.spent > wanted.budget * elapsed(part, wanted):
        return Step(skip(ledger, part, "paced"))
    return Step(ledger, part)


def elapsed(part: Part, wanted: Bandwidth) -> float:
    """The share of its month's test windows that is over when a part begins."""
    first, last = wanted.window
    today = (part.begin - _midnight(_day(part.begin)) - first * 60.0) / ((last - first) * 60.0)
    begun = datetime.fromtimestamp(part.begin, UTC) + LOCAL
    return (begun.day - 1 + today) / _days(begun)


def _days(day: datetime) -> int:
    """Those of its month."""
    later = day.replace(day=28) + timedelta(days=4)
    return (later - timedelta(days=later.day)).day


def family(ledger: Ledger, wanted: Bandwidth) -> Family:
    """The families take turns."""
    return wanted.families[ledger.measured % len(wanted.families)]


def attempt(ledger: Ledger) -> Ledger:
    """To be kept before a test begins: one that ends the machine is not begun for ever, nor for nothing."""
    return msgspec.structs.replace(ledger, tries=ledger.tries + 1, booked=ledger.last_bytes)


def settle(ledger: Ledger, part: Part, outcome: Outcome, now: float, device: str) -> Ledger:
    """The ledger after an attempt."""
    ledger = spend(ledger, outcome, now)
    if not outcome.skipped:
        return msgspec.structs.replace(
            ledger, handled=part.end, tries=0, retry_at=0.0, waiting=None, skipped=None
        )
    if outcome.skipped == "budget" or ledger.tries >= TRIES:
        return skip(ledger, part, outcome.skipped)
    wait = max(outcome.retry, RETRY) + share(f"{device} bandwidth again {ledger.tries}") * RETRY
    return msgspec.structs.replace(ledger, retry_at=now + wait, waiting=outcome.skipped)


def spend(ledger: Ledger, outcome: Outcome, now: float) -> Ledger:
    """Counts the bytes of a test, planned or asked for by hand, and notes where it was made."""
    ledger = _month(ledger, now)
    ledger = msgspec.structs.replace(ledger, spent=ledger.spent + outcome.bytes, booked=0)
    if outcome.skipped == "budget":  # so much, and more, is what one costs on this line
        return msgspec.structs.replace(ledger, last_bytes=max(ledger.last_bytes, outcome.bytes))
    if outcome.skipped:
        return ledger
    ways = {"download": outcome.download, "upload": outcome.upload}
    return msgspec.structs.replace(
        ledger,
        last_bytes=outcome.bytes,
        measured=ledger.measured + 1,
        server=outcome.server,
        congestion_control={
            name: way.congestion_control for name, way in ways.items() if way and way.congestion_control
        },
    )


def skip(ledger: Ledger, part: Part, why: Why) -> Ledger:
    """A planned test that is given up, and why."""
    return msgspec.structs.replace(
        ledger,
        handled=part.end,
        tries=0,
        retry_at=0.0,
        waiting=None,
        skipped=why,
        skips=ledger.skips | {why: ledger.skips.get(why, 0) + 1},
    )


def encode(ledger: Ledger) -> bytes:
    """The ledger as JSON."""
    return msgspec.json.encode(ledger)


def decode(text: bytes | None) -> Ledger:
    """The ledger in a JSON text; one that cannot be read begins anew."""
    if text is None:
        return Ledger()
    try:
        return msgspec.json.decode(text, type=Ledger)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Ledger()


def _month(ledger: Ledger, now: float) -> Ledger:
    month = f"{datetime.fromtimestamp(now, UTC) + LOCAL:%Y-%m}"
    if month == ledger.month:
        return ledger
    return msgspec.structs.replace(ledger, month=month, spent=0, skips={})


def _midnight(day: int) -> float:
    return day * _DAY - LOCAL.total_seconds()


def _day(now: float) -> int:
    return math.floor((now + LOCAL.total_seconds()) / _DAY)
