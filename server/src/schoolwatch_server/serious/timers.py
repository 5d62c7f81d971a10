"""The two deadlines of a serious incident: when each is due, how it stands, what is told when. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Step = Literal["notice", "report"]
"""The first notice, and the report of cause, scope and remedy."""

STEPS: tuple[Step, ...] = get_args(Step)
HOURS: Mapping[Step, int] = {"notice": 24, "report": 72}
"""After the detection, in hours."""

DOCUMENT = "Nghị định 331/2026/NĐ-CP"
CLAUSE = "điểm d khoản 2 Điều 31"
CONFIDENCE = "V-2nd"
"""As a second source gives it: the decree itself was not read."""

SOON = 4 * 3600.0
"""Seconds before a deadline at which people are reminded; a proposal of this project."""

_HOUR = 3600.0

Standing = Literal["sent", "running", "soon", "overdue"]
TimerEvent = Literal["notice_due", "notice_late", "report_due", "report_late"]
TIMER_EVENTS: tuple[TimerEvent, ...] = get_args(TimerEvent)


@dataclass(frozen=True, slots=True)
class Sent:
    """That a step was done: when and by whose account it was written down, and the number of the letter."""

    at: float
    by: str
    reference: str


@dataclass(frozen=True, slots=True)
class Serious:
    """A serious incident: when the server found it (UTC seconds), and what was sent of it already."""

    incident_id: int
    detected_at: float
    sent: Mapping[Step, Sent] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timer:
    """One deadline: `due_at` in UTC seconds; `sent` ends it."""

    step: Step
    due_at: float
    sent: Sent | None = None

    def standing(self, now: float) -> Standing:
        """How it stands at an instant."""
        if self.sent is not None:
            return "sent"
        if now >= self.due_at:
            return "overdue"
        return "soon" if now >= self.due_at - SOON else "running"

    @property
    def was_late(self) -> bool:
        """Whether it was sent after its deadline."""
        return self.sent is not None and self.sent.at > self.due_at


def timers(incident: Serious) -> tuple[Timer, ...]:
    """Both deadlines, the nearer first."""
    return tuple(
        Timer(step, incident.detected_at + HOURS[step] * _HOUR, incident.sent.get(step)) for step in STEPS
    )


def due_timers(incidents: Iterable[Serious], now: float) -> tuple[tuple[int, TimerEvent], ...]:
    """What people are to be told by now: incident and event; once told, each is told no more.

    A deadline that is missed is told as missed alone: who was away needs no message that it comes near.
    """
    told: list[tuple[int, TimerEvent]] = []
    for incident in incidents:
        for timer in timers(incident):
            match timer.standing(now):
                case "soon":
                    told.append((incident.incident_id, _event(timer.step, "due")))
                case "overdue":
                    told.append((incident.incident_id, _event(timer.step, "late")))
    return tuple(told)


def _event(step: Step, kind: Literal["due", "late"]) -> TimerEvent:
    events: dict[tuple[Step, str], TimerEvent] = {
        ("notice", "due"): "notice_due",
        ("notice", "late"): "notice_late",
        ("report", "due"): "report_due",
        ("report", "late"): "report_late",
    }
    return events[step, kind]
