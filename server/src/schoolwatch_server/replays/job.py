"""What the child that replays is told on its standard input, and what it says line by line. Pure."""

import msgspec

from schoolwatch_server.rules.step import Evidence
from schoolwatch_server.rules.told import Given

SHOWN = 200
"""Incidents and faults, per rule, that are told one by one."""


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules to follow over reports taken in [start, end) (UTC seconds), computer by computer in this order.

    `texts` are the rules' YAML: the version in force, and the draft where there is one. After `seconds` it
    says how far it got.
    """

    url: str
    texts: tuple[str, ...]
    devices: tuple[int, ...]
    start: float
    end: float
    seconds: float
    given: Given = Given()


class Found(msgspec.Struct, frozen=True):
    """An incident, or (`is_listed`) a fault on the work list, that a rule would have found.

    `since` is when its condition began, `at` the evidence that decided it, `until` when it was over (None:
    not by the end). `in_both`: the other version finds it at that time as well.
    """

    device: int
    part: str
    is_listed: bool
    since: float
    at: float
    late: bool
    evidence: Evidence
    until: float | None = None
    in_both: bool = False


class Count(msgspec.Struct, frozen=True):
    """How often each came: `by_day` are incidents by the day (in Vietnam, ISO 8601) on which they opened."""

    opened: int = 0
    still_open: int = 0
    listed: int = 0
    by_day: dict[str, int] = {}


class Said(msgspec.Struct, frozen=True):
    """How far the child is: computers and reports done; per rule its numbers, and what is new on its list."""

    devices: int
    reports: int
    seconds: float
    counts: tuple[Count, ...]
    found: tuple[tuple[Found, ...], ...]
