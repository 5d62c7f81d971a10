"""A school's work list of a week: standing faults by rule, what is new on it and what was mended."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from schoolwatch_server.database.faults import Fault
from schoolwatch_server.rules import Rule
from schoolwatch_server.severity import SEVERITIES
from schoolwatch_server.use import WEEK, week_of
from schoolwatch_server.vietnam import VIETNAM, day_of

_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Week:
    """An ISO 8601 week in Vietnam: Monday 00:00 (UTC seconds) to the next."""

    start: float

    @property
    def end(self) -> float:
        """The next Monday."""
        return self.start + WEEK

    @property
    def name(self) -> str:
        """`2026-W48`."""
        year, number, _ = self.first.isocalendar()
        return f"{year}-W{number:02d}"

    @property
    def number(self) -> int:
        """1 to 53."""
        return self.first.isocalendar().week

    @property
    def first(self) -> date:
        """Monday."""
        return day_of(self.start)

    @property
    def last(self) -> date:
        """Sunday."""
        return self.first + timedelta(days=6)

    @property
    def before(self) -> "Week":
        """The week before."""
        return Week(self.start - WEEK)


def this_week(now: float) -> Week:
    """The week that an instant (UTC seconds) is in."""
    return Week(week_of(now))


def named(text: str) -> Week | None:
    """`2026-W48`; None when there is no such week."""
    found = _WEEK.fullmatch(text)
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        return None
    if monday is None or monday.year < 1971:
        return None
    return Week(week_of(datetime(monday.year, monday.month, monday.day, 12, tzinfo=VIETNAM).timestamp()))


@dataclass(frozen=True, slots=True)
class Task:
    """What one rule found: computers that still have the fault at the week's end, and those mended in it.

    `rule` is None of a rule that is no longer in force.
    """

    id: str
    rule: Rule | None
    severity: str
    standing: tuple[Fault, ...]
    mended: tuple[Fault, ...]
    fresh: frozenset[str]
    """Devices that came on the list in this week."""


def tasks(faults: Iterable[Fault], rules: Mapping[str, Rule], week: Week) -> tuple[Task, ...]:
    """Grouped by rule: the most severe first, then what most computers have. Each computer is there once."""
    by_rule: dict[str, list[Fault]] = {}
    for fault in faults:
        if fault.withdrawn and not _stands(fault, week):
            continue  # nobody mended it
        by_rule.setdefault(fault.rule, []).append(fault)
    found = [_task(id_, rules.get(id_), held, week) for id_, held in by_rule.items()]
    return tuple(sorted(found, key=lambda task: (_rank(task.severity), -len(task.standing), task.id)))


def _task(id_: str, rule: Rule | None, held: list[Fault], week: Week) -> Task:
    standing = {fault.device: fault for fault in held if _stands(fault, week)}
    mended = {fault.device: fault for fault in held if fault.device not in standing}
    severity = rule.severity if rule else held[-1].severity
    fresh = frozenset(name for name, fault in standing.items() if fault.listed_at >= week.start)
    return Task(id_, rule, severity, tuple(standing.values()), tuple(mended.values()), fresh)


def _stands(fault: Fault, week: Week) -> bool:
    return fault.ended_at is None or fault.ended_at >= week.end


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
