"""Which report is due when: periods, deadlines and the last day in time. Pure, but for reading one file.

A deadline is written as its document has it, "trước ngày 20": strictly before, so the last day in time is the
one before (19). Days are days in Vietnam. A report of a period is due within the period itself, as the plans
have it: the one of November before 20 November.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from schoolwatch_server import strict_yaml
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.strict_yaml import Confidence, Title
from schoolwatch_server.vietnam import VIETNAM as VIETNAM
from schoolwatch_server.vietnam import day_of as day_of

Kind = Literal["monthly", "quarterly", "half_year", "year", "self_assessment", "ad_hoc"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
LEVELS: Final[tuple[Place, ...]] = get_args(Place)
SHIPPED: Final = Path(__file__).with_name("calendar.yaml")
REMIND: Final = (7, 2)
"""Days before the last day in time on which a reminder goes out."""


Before = str
"""`20` (of the month, or of the quarter's last one), `+5` (of the month after it), `12-10` (10 December), or
empty: no deadline."""


class Other(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What another plan says of the same report."""

    before: str
    document: Title
    clause: str
    confidence: Confidence


class Deadline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By when which places hand in a kind of report, and where that stands.

    `own`: the province set it itself; nobody but it knows how sure that is.
    """

    kind: Kind
    level: Place
    before: str
    document: str
    clause: str
    confidence: Confidence | Literal[""]
    others: tuple[Other, ...] = ()
    own: bool = False


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shipped file."""

    deadlines: tuple[Deadline, ...]


Deadlines = Mapping[tuple[Kind, Place], Deadline]


@dataclass(frozen=True, slots=True)
class Due:
    """A report that is to be handed in; `last_day` is the last one in time."""

    kind: Kind
    level: Place
    period: str
    last_day: date


def shipped() -> dict[tuple[Kind, Place], Deadline]:
    """What holds until a province sets its own. Raises `SheetError`."""
    calendar = strict_yaml.read(SHIPPED, Calendar)
    for deadline in calendar.deadlines:
        for before in (deadline.before, *(other.before for other in deadline.others)):
            check(deadline.kind, before)
    return {(deadline.kind, deadline.level): deadline for deadline in calendar.deadlines}


# --- days and periods ---------------------------------------------------------------------------------

_SHAPES: Final[Mapping[Kind, re.Pattern[str]]] = {
    "monthly": re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII),
    "quarterly": re.compile(r"(20\d\d)-Q([1-4])", re.ASCII),
    "half_year": re.compile(r"(20\d\d)-H([12])", re.ASCII),
    "year": re.compile(r"(20\d\d)", re.ASCII),
    "self_assessment": re.compile(r"(20\d\d)-(20\d\d)", re.ASCII),
    "ad_hoc": re.compile(r"(20\d\d)-(\d\d)-(\d\d)", re.ASCII),
}
_SCHOOL_YEAR_BEGINS = 8  # the plans of a school year date from August and September
_YEAR_IS_OVER = 6  # a report on a year that is due by June is on the year before
_DAY_OF_MONTH = re.compile(r"(\+?)([1-9]|1\d|2[0-8])", re.ASCII)
_MONTH_AND_DAY = re.compile(r"(0[1-9]|1[0-2])-(\d\d)", re.ASCII)


def period_of(kind: Kind, day: date) -> str:
    """The period that a day lies in: `2026-11`, `2026-Q4`, `2026-H2`, `2026`, `2026-2027`, the day."""
    match kind:
        case "monthly":
            return f"{day:%Y-%m}"
        case "quarterly":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case "half_year":
            return f"{day.year}-H{1 if day.month <= 6 else 2}"
        case "year":
            return f"{day.year}"
        case "self_assessment":
            first = day.year if day.month >= _SCHOOL_YEAR_BEGINS else day.year - 1
            return f"{first}-{first + 1}"
        case "ad_hoc":
            return day.isoformat()


def begin_of(kind: Kind, period: str) -> date:
    """Its first day. Raises `ValueError` for what is no period of that kind."""
    match = _SHAPES[kind].fullmatch(period)
    if match is None:
        raise ValueError(f"{period[:20]!r} is no period of a {kind} report: {_EXAMPLES[kind]}")
    year = int(match[1])
    match kind:
        case "monthly":
            return date(year, int(match[2]), 1)
        case "quarterly":
            return date(year, 3 * int(match[2]) - 2, 1)
        case "half_year":
            return date(year, 6 * int(match[2]) - 5, 1)
        case "year":
            return date(year, 1, 1)
        case "self_assessment":
            if int(match[2]) != year + 1:
                raise ValueError(f"{period!r} is no school year: {_EXAMPLES[kind]}")
            return date(year, _SCHOOL_YEAR_BEGINS, 1)
        case "ad_hoc":
            return date(year, int(match[2]), int(match[3]))


_MONTHS: Final[Mapping[Kind, int]] = {
    "monthly": 1, "quarterly": 3, "half_year": 6, "year": 12, "self_assessment": 12
}  # fmt: skip


def end_of_period(kind: Kind, period: str) -> date:
    """Its last day. Raises `ValueError` as `begin_of` does."""
    begin = begin_of(kind, period)
    if kind == "ad_hoc":
        return begin
    after = begin.year * 12 + begin.month - 1 + _MONTHS[kind]
    return date(after // 12, after % 12 + 1, 1) - timedelta(days=1)


_EXAMPLES: Final[Mapping[Kind, str]] = {
    "monthly": "write it as 2026-11",
    "quarterly": "write it as 2026-Q4",
    "half_year": "write it as 2026-H1",
    "year": "write it as 2026",
    "self_assessment": "write it as 2025-2026",
    "ad_hoc": "write a day as 2026-11-29",
}


def check(kind: Kind, before: Before) -> None:
    """Raises `ValueError` for what can be no deadline of that kind."""
    if not before:
        return
    if kind in ("monthly", "quarterly"):
        if not _DAY_OF_MONTH.fullmatch(before):
            raise ValueError(f"{before[:20]!r} is no day that every month has: write 1 to 28, or +1 to +28")
        return
    if kind == "ad_hoc":
        raise ValueError("a report that somebody asks for has no deadline of the calendar")
    match = _MONTH_AND_DAY.fullmatch(before)
    if match is None or not 1 <= int(match[2]) <= monthrange(2027, int(match[1]))[1]:
        raise ValueError(f"{before[:20]!r} is no day of a year: write month and day as 12-10")


def last_day(kind: Kind, period: str, before: Before) -> date | None:
    """The last day in time: the one before the deadline; None where a period has no deadline.

    Only the first half of a year has its own report: the year's stands for the second. A report on a year
    that is due from January to June is due in the year after.
    """
    if not before:
        return None
    begin = begin_of(kind, period)
    match kind:
        case "monthly" | "quarterly":
            after, day = before.startswith("+"), int(before.removeprefix("+"))
            last = end_of_period(kind, period)
            named = (last + timedelta(days=day)) if after else last.replace(day=day)
        case "half_year" if period.endswith("H2"):
            return None
        case _:
            month, day = (int(part) for part in before.split("-"))
            limit = _SCHOOL_YEAR_BEGINS if kind == "self_assessment" else _YEAR_IS_OVER + 1
            follows = month < limit and kind in ("self_assessment", "year")
            named = date(begin.year + follows, month, day)
    return named - timedelta(days=1)


def periods(kind: Kind, since: date, until: date) -> tuple[str, ...]:
    """Every period that a day of that time lies in, the oldest first; every day may be one of its own."""
    if kind == "ad_hoc":
        return tuple((since + timedelta(days=n)).isoformat() for n in range((until - since).days + 1))
    months = range(since.year * 12 + since.month - 1, until.year * 12 + until.month)
    return tuple(dict.fromkeys(period_of(kind, date(month // 12, month % 12 + 1, 1)) for month in months))


# --- what is due --------------------------------------------------------------------------------------

_YEAR = timedelta(days=366)


def between(deadline: Deadline, since: date, until: date) -> Iterator[Due]:
    """What a deadline makes due with its last day in that time (both days included), the oldest first."""
    for period in periods(deadline.kind, since - _YEAR, until + _YEAR):
        last = last_day(deadline.kind, period, deadline.before)
        if last is not None and since <= last <= until:
            yield Due(deadline.kind, deadline.level, period, last)


def coming(deadline: Deadline, today: date) -> Due | None:
    """The next one of which the last day has not passed."""
    return next(between(deadline, today, today + _YEAR), None)


def reminder(due: Due, today: date) -> int | None:
    """Which reminder is to go out on a day (7 or 2 days before the last one); None when none is.

    Whoever was down on the very day sends it the day after: it says how many days are left.
    """
    left = (due.last_day - today).days
    return next((days for days in sorted(REMIND) if 0 <= left <= days), None)


def in_words(text: Callable[..., str], kind: str, period: str) -> str:
    """`tháng 11/2026`, `quý IV/2026`, `6 tháng đầu năm 2026`; what is no period stays as it is.

    Months 1 and 2 have a nought before them, quarters are Roman: Nghị định 30/2020/NĐ-CP, Phụ lục I.
    """
    year, _, part = period.partition("-")
    if kind == "ad_hoc" and re.fullmatch(r"\d{4}-\d\d-\d\d", period):
        return text("reports.period.ad_hoc", day=f"{date.fromisoformat(period):%d/%m/%Y}")
    if kind == "self_assessment" and re.fullmatch(r"\d{4}-\d{4}", period):
        return text("reports.period.self_assessment", year=period)
    if kind == "monthly" and re.fullmatch(r"\d\d", part):
        return text("reports.period.monthly", month=part if part < "03" else int(part), year=year)
    if kind == "quarterly" and re.fullmatch(r"Q[1-4]", part):
        return text("reports.period.quarterly", quarter=_ROMAN[int(part[1])], year=year)
    if kind == "half_year" and part in _HALVES:
        return text(f"reports.period.{_HALVES[part]}", year=year)
    return text("reports.period.year", year=year) if kind == "year" and not part else period


def called(text: Callable[..., str], kind: str, period: str) -> str:
    """`Báo cáo tháng 11/2026`."""
    return text(f"reports.of.{kind}", period=in_words(text, kind, period)) if kind in KINDS else period


_ROMAN: Final = ("", "I", "II", "III", "IV")
_HALVES: Final = {"H1": "first_half", "H2": "second_half"}
