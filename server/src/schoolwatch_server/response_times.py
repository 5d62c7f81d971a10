"""How fast incidents are acknowledged and closed: mean and median of those opened in a month of Vietnam.

All times are of the server's clock, when it wrote down what happened: an incident that came late is told of
when it came, and nobody could have acted before. What happened after the month's end doesn't change its
figures, so a number that was handed in comes out the same a year later.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median

from schoolwatch_server.vietnam import VIETNAM

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")

TAKEN = ("acknowledged", "resolved", "false_alarm")
"""Events that show that a person has seen an incident."""

CLOSED = ("closed", "resolved", "false_alarm")
"""Events that close one."""

APART = ("stood", "merged", "withdrawn", "retired", "unheard", "unobserved", "untargeted")
"""Events that end one otherwise: on the work list, in a larger one, or as its rule, computer, sensor or
target is no more."""

KINDS = tuple(dict.fromkeys((*TAKEN, *CLOSED, *APART, "opened", "reopened")))


@dataclass(frozen=True, slots=True)
class Month:
    """A month in Vietnam, [start, end) in UTC seconds."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """`2026-11`."""
        return f"{self.year:04}-{self.number:02}"

    @property
    def start(self) -> float:
        """Its first instant."""
        return datetime(self.year, self.number, 1, tzinfo=VIETNAM).timestamp()

    @property
    def end(self) -> float:
        """The first instant of the next one."""
        return self.after.start

    @property
    def before(self) -> "Month":
        """The month before."""
        return Month(self.year, self.number - 1) if self.number > 1 else Month(self.year - 1, 12)

    @property
    def after(self) -> "Month":
        """The next month."""
        return Month(self.year, self.number + 1) if self.number < 12 else Month(self.year + 1, 1)


def month_of(at: float) -> Month:
    """The month that an instant is in."""
    there = datetime.fromtimestamp(at, VIETNAM)
    return Month(there.year, there.month)


def named(text: str) -> Month | None:
    """`2026-11`; None when there is no such month."""
    found = _MONTH.fullmatch(text)
    if found is None or not 1971 <= int(found[1]) <= 9000 or not 1 <= int(found[2]) <= 12:
        return None
    return Month(int(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class Course:
    """One incident: its place by ids, when people were told, what happened, in order: (UTC seconds, kind)."""

    school_id: int | None
    commune_id: int | None
    province_id: int | None
    opened_at: float
    events: Sequence[tuple[float, str]]

    @property
    def acknowledged_after(self) -> float | None:
        """Seconds until a person took it; None: nobody did."""
        return next((at - self.opened_at for at, kind in self.events if kind in TAKEN), None)

    @property
    def end(self) -> tuple[float, str] | None:
        """Seconds until it was over for good, and how; None: it is open."""
        over: tuple[float, str] | None = None
        for at, kind in self.events:
            if kind == "reopened":
                over = None
            elif over is None and kind in (*CLOSED, *APART):
                over = (at - self.opened_at, kind)
        return over


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the incidents of one place; times in seconds, None where there is nothing to take a mean of.

    `open` are those not over at the end, `apart` those that ended otherwise: neither is in the mean.
    `untaken` are those that nobody acknowledged, over or not. False alarms are among the closed ones.
    """

    opened: int
    acknowledged: int
    acknowledge_mean: float | None
    acknowledge_median: float | None
    untaken: int
    closed: int
    close_mean: float | None
    close_median: float | None
    false_alarms: int
    open: int
    apart: int


def figures(courses: Iterable[Course]) -> Figures:
    """Counted and averaged."""
    of = tuple(courses)
    taken = [after for course in of if (after := course.acknowledged_after) is not None]
    ends = [end for course in of if (end := course.end) is not None]
    closed = [after for after, kind in ends if kind in CLOSED]
    return Figures(
        opened=len(of),
        acknowledged=len(taken),
        acknowledge_mean=fmean(taken) if taken else None,
        acknowledge_median=median(taken) if taken else None,
        untaken=len(of) - len(taken),
        closed=len(closed),
        close_mean=fmean(closed) if closed else None,
        close_median=median(closed) if closed else None,
        false_alarms=sum(kind == "false_alarm" for _, kind in ends),
        open=len(of) - len(ends),
        apart=len(ends) - len(closed),
    )
