"""When the present trend of an indicator reaches its target, with an interval, or why nobody can say. Pure.

The method is the drift method (a random walk with drift): a week is the median of its daily values, the trend
is the mean change from week to week, and the changes' own spread says how sure that is. Carried on, the trend
and its bounds are three curves; the days on which they meet the target are the forecast and its interval. So
that growth that slows down before 100 % is not taken for steady growth, a share is also carried on as the
share of what is still missing, over all weeks and over the newer half: the interval holds all of them.
docs/decisions/0028-forecast.md has what was measured of this and of other methods.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from statistics import NormalDist, fmean, median
from typing import Literal

from schoolwatch_server.sections import Forecasting

Standing = Literal["reached", "on_time", "likely", "unlikely", "missed", "overdue", "dated", "unknown"]
"""`likely`: the trend is in time, its slower bound is not; `unlikely`: the faster bound alone is in time;
`missed`: not even that one; `dated`: there is no deadline."""

Why = Literal["", "no_value", "too_short", "flat", "away", "far", "yes_no"]
"""Why no day is expected: a trend that stands still, leads away, or needs more than `HORIZON`.

What is either so or not (`yes_no`) has no trend; who asks for a forecast knows that, not this module.
"""

LEVEL = 0.9
"""Of the interval: so much of what the trend's spread allows lies within it."""

STALE = 14
"""Days after which the newest value is no present one."""

HORIZON = 3653
"""Days that are looked ahead: a date further off says nothing."""

MISSING = 0.0005
"""Of the share that is missing: what is less is printed as 100,0 % and counts as all."""

Day = tuple[date, float]

_TERMS = Forecasting()
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a history says of a target.

    `expected`, `earliest` and `latest` are days; None: not within ten years, `reason` says why `expected` is.
    `since`: reached without a break since that day. `lost_on`: the first day on which it no longer was.
    `a_week`: the trend, in the indicator's unit. `weeks`: weeks with a value that it rests on.
    """

    standing: Standing
    reason: Why = ""
    expected: date | None = None
    earliest: date | None = None
    latest: date | None = None
    since: date | None = None
    lost_on: date | None = None
    a_week: float | None = None
    weeks: int = 0


def forecast(
    history: Sequence[Day],
    target: float,
    deadline: date | None,
    now: date,
    *,
    better: Literal["higher", "lower"] = "higher",
    is_share: bool = True,
    terms: Forecasting = _TERMS,
) -> Forecast:
    """The forecast from daily values (one a day, oldest first, days without a value left out).

    `deadline` is the last day that counts. `is_share`: values lie between 0 and 1. Values after `now` and
    numbers that are not finite are left out.
    """
    known = [(day, value) for day, value in history if day <= now and math.isfinite(value)]
    sign = 1.0 if better == "higher" else -1.0
    met = [sign * value >= sign * target for _, value in known]
    lost = _lost(known, met)
    if not known or (now - known[-1][0]).days > STALE:
        return Forecast("unknown", "no_value", lost_on=lost)
    if met[-1]:
        return Forecast("reached", since=_since(known, met))
    weeks = _weeks(known, now, max(terms.most_weeks, terms.least_weeks))
    if len(weeks) < terms.least_weeks:
        found = Forecast("unknown", "too_short", lost_on=lost, weeks=len(weeks))
    else:
        closing = is_share and better == "higher"
        found = _carried_on(weeks, known[-1], target, sign, closing=closing, least=terms.least_weeks)
        found = replace(found, lost_on=lost)
    return _judged(found, deadline, now)


# --- the history ------------------------------------------------------------------------------------------


def _since(known: Sequence[Day], met: Sequence[bool]) -> date:
    """The first day of the days without a break that end with the newest one."""
    at = len(known) - 1
    while at > 0 and met[at - 1]:
        at -= 1
    return known[at][0]


def _lost(known: Sequence[Day], met: Sequence[bool]) -> date | None:
    """The day after which it was no longer reached; None when it never was, or is."""
    if not met or met[-1] or True not in met:
        return None
    last = max(at for at, is_met in enumerate(met) if is_met)
    return known[last + 1][0]


def _weeks(known: Sequence[Day], now: date, most: int) -> list[tuple[int, float]]:
    """Median of each week with a value; week 0 is the newest, earlier ones are negative. Oldest first."""
    by_week: dict[int, list[float]] = {}
    for day, value in known:
        week = -((now - day).days // 7)
        if week > -most:
            by_week.setdefault(week, []).append(value)
    return [(week, median(values)) for week, values in sorted(by_week.items())]


# --- the trend and where it meets the target --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Trend:
    """Change a week, the variance of that estimate, and the variance of a single week's change."""

    change: float
    of_change: float
    of_week: float
    weeks: int


def _trend(weeks: Sequence[tuple[int, float]]) -> _Trend:
    """The drift of a random walk seen at these weeks; one that is seen after a gap counts for all of it."""
    spans = [later - earlier for (earlier, _), (later, _) in pairwise(weeks)]
    steps = [b - a for (_, a), (_, b) in pairwise(weeks)]
    whole = sum(spans)
    change = sum(steps) / whole
    free = len(steps) - 1
    spread = fmean((step - change * span) ** 2 / span for step, span in zip(steps, spans, strict=True))
    of_week = spread * len(steps) / free if free else math.inf
    return _Trend(change, of_week / whole, of_week, len(steps))


def _meets(trend: _Trend, gap: float) -> tuple[float, float, float]:
    """Weeks until the fast bound, the trend and the slow bound have closed a gap > 0; infinite: never.

    A bound is `change·h ± t·sqrt(of_week·h + of_change·h²)`. Both meet the gap at a root of one quadratic.
    """
    middle = gap / trend.change if trend.change > 0 else math.inf
    times = _student(trend.weeks - 1) ** 2
    a = trend.change**2 - times * trend.of_change
    b = 2 * trend.change * gap + times * trend.of_week
    # b² - 4·a·gap², written so that nothing of it cancels out
    inside = times * (
        4 * gap * (trend.change * trend.of_week + trend.of_change * gap) + times * trend.of_week**2
    )
    root = math.sqrt(max(inside, 0.0))
    if inside < 0 or b + root <= 0:  # it leads away, and its fast bound does too
        return math.inf, math.inf, math.inf
    slow = (b + root) / (2 * a) if a > 0 and trend.change > 0 else math.inf
    return min(2 * gap * gap / (b + root), middle), middle, max(slow, middle)


def _carried_on(
    weeks: Sequence[tuple[int, float]], newest: Day, target: float, sign: float, *, closing: bool, least: int
) -> Forecast:
    """The trend's meeting with the target, as days; `closing`: also as a share of what is missing."""
    straight = [(week, sign * value) for week, value in weeks]
    start = straight[-1][1] if straight[-1][1] < sign * target else sign * newest[1]
    trend = _trend(straight)
    fast, middle, slow = _meets(trend, sign * target - start)
    gap = _closed(target) - _closed(start) if closing else 0.0
    if gap > 0:
        shares = [(week, _closed(value)) for week, value in weeks]
        newer, of_newer = shares[-max(least, len(shares) // 2) :], (fast, middle, slow)
        slow = max(slow, _meets(_trend(shares), gap)[2])
        if len(newer) < len(shares):
            of_newer = _meets(_trend(newer), gap)
        fast, slow = min(fast, of_newer[0]), max(slow, of_newer[2])
    day = _day_of(newest[0])
    reason: Why = "" if day(middle) else "far" if trend.change > 0 else "away" if trend.change < 0 else "flat"
    return Forecast(
        "unknown",
        reason,
        expected=day(middle),
        earliest=day(fast),
        latest=day(slow),
        a_week=sign * trend.change,
        weeks=len(weeks),
    )


def _closed(share: float) -> float:
    """How far a share has come when each week closes the same part of what is missing."""
    return -math.log(max(1 - share, MISSING))


def _day_of(start: date) -> Callable[[float], date | None]:
    def day(weeks: float) -> date | None:
        days = weeks * 7
        return start + timedelta(days=math.ceil(days - _ROUNDING)) if days <= HORIZON else None

    return day


# --- what that means for the deadline ---------------------------------------------------------------------


def _judged(found: Forecast, deadline: date | None, now: date) -> Forecast:
    if deadline is not None and deadline < now:
        return replace(found, standing="overdue")
    if found.reason == "too_short":
        return found
    if deadline is None:
        return replace(found, standing="dated")

    def in_time(day: date | None) -> bool:
        return day is not None and day <= deadline

    if in_time(found.latest):
        return replace(found, standing="on_time")
    if in_time(found.expected):
        return replace(found, standing="likely")
    return replace(found, standing="unlikely" if in_time(found.earliest) else "missed")


def _student(free: int) -> float:
    """Student's t at `LEVEL`, from 3 degrees of freedom on to 1 % (Abramowitz and Stegun 26.7.5).

    Python's library has the normal distribution's quantile alone.
    """
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    n = max(free, 1)
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )
