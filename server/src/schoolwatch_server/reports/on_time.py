"""I-30, the share of reports that were handed in on time. Pure.

A report is on time when it was first handed in on its last day or earlier, in Vietnam's time. That the first
time counts, also when the manager returned it afterwards, is a proposal [P]: no source says it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from schoolwatch_server.reports.calendar import Due
from schoolwatch_server.vietnam import ends


@dataclass(frozen=True, slots=True)
class OnTime:
    """Reports of which the last day has passed, and how many of them came on time, late, or not at all."""

    due: int = 0
    on_time: int = 0
    late: int = 0

    @property
    def missing(self) -> int:
        """Those that were never handed in."""
        return self.due - self.on_time - self.late

    @property
    def ratio(self) -> float | None:
        """0…1; None where nothing was due yet."""
        return self.on_time / self.due if self.due else None

    def __add__(self, other: "OnTime") -> "OnTime":
        return OnTime(self.due + other.due, self.on_time + other.on_time, self.late + other.late)


Handed = Mapping[tuple[str, str], tuple[float, str]]
"""By kind and period: when a report was first handed in (UTC seconds), and the last day that held then
(ISO 8601, empty where there was none)."""


def on_time(dues: Iterable[Due], handed_in: Handed, now: float, since: float) -> OnTime:
    """Of one place: what was due between `since` (when it came into the register) and `now` (UTC seconds).

    What is due today is not counted before the day is over, unless it was handed in.
    """
    counted = OnTime()
    for due in dues:
        came = handed_in.get((due.kind, due.period))
        end = ends(due.last_day)
        if end < since or (end > now and came is None):
            continue
        late = came is not None and is_late(due, *came)
        counted += OnTime(1, int(came is not None and not late), int(late))
    return counted


def is_late(due: Due, at: float, held: str) -> bool:
    """Whether what was handed in then came after its last day.

    A deadline that was set since then makes nothing late that was on time, nor the other way round.
    """
    return at >= ends(date.fromisoformat(held) if held else due.last_day)
