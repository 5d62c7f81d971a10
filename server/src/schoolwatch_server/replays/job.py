"""What the child that replays is told on its standard input, and what it says line by line. Pure."""

import msgspec

from schoolwatch_server.config import ServerConfig
from schoolwatch_server.rules.step import Evidence
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.told import Given

SHOWN = 200
"""Incidents and faults, per rule, that are told one by one."""


class Place(msgspec.Struct, frozen=True):
    """What is looked at together: schools (None: all), and the communes and provinces that are judged."""

    schools: tuple[int, ...] | None = ()
    communes: tuple[int, ...] = ()
    provinces: tuple[int, ...] = ()


class Larger(msgspec.Struct, frozen=True):
    """An incident that really was, of a rule that silences the one that is replayed; UTC seconds."""

    rule: str
    subject: Subject
    opened_at: float
    closed_at: float


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules to follow over [start, end) (UTC seconds), which is stored from `begin` on.

    `texts` are the rules' YAML: the version in force, and the draft where there is one; `teacher` is that of
    the rule that knows for them (`known_by`), empty where they need none. A rule of reports
    goes computer by computer in the order of `devices`; one of a watch place by place, looking every `step`
    seconds.
    """

    url: str
    config: ServerConfig
    texts: tuple[str, ...]
    start: float
    end: float
    begin: float = 0.0
    devices: tuple[int, ...] = ()
    places: tuple[Place, ...] = ()
    step: float = 60.0
    larger: tuple[Larger, ...] = ()
    given: Given = Given()
    teacher: str = ""


_NIGHT = 300.0
"""Seconds between two looks at night: after more the server counts as one that nobody looked at."""


def instants(job: Job) -> tuple[float, ...]:
    """When a watch looks: every `step` seconds, on full ones; from 22 to 5 o'clock every five minutes."""
    found: list[float] = []
    now = -(-job.start // job.step) * job.step
    while now <= job.end:
        found.append(now)
        hour = (now / 3600 + 7) % 24
        now += max(job.step, _NIGHT) if hour >= 22 or hour < 5 else job.step
    return tuple(found)


class Found(msgspec.Struct, frozen=True):
    """An incident, or (`is_listed`) a fault on the work list, that a rule would have found.

    `subject` is what it is about, as `str(Subject)`. `since` is when its condition began, `at` the evidence
    that decided it, `until` when it was over (None: not by the end); `is_part`: because it became part of a
    larger one. `in_both`: the other version finds it at that time as well.
    """

    subject: str
    is_listed: bool
    since: float
    at: float
    late: bool
    evidence: Evidence
    until: float | None = None
    is_part: bool = False
    in_both: bool = False
    severity: str = ""


class Count(msgspec.Struct, frozen=True):
    """How often each came: `by_day` are incidents by the day (in Vietnam, ISO 8601) on which they opened."""

    opened: int = 0
    still_open: int = 0
    listed: int = 0
    by_day: dict[str, int] = {}


class Said(msgspec.Struct, frozen=True):
    """How far the child is: computers or looks, and reports or rows; per rule its numbers, and its news."""

    done: int
    rows: int
    seconds: float
    counts: tuple[Count, ...]
    found: tuple[tuple[Found, ...], ...]
    is_end: bool = False
