"""What the API answers about work lists."""

from schoolwatch_server.api.shapes import Answer, Count, DeviceName, Time
from schoolwatch_server.severity import Severity


class Fault(Answer):
    """`fresh`: it came on the list in this week. `withdrawn`: not mended, its rule applies no more."""

    device: DeviceName
    label: str
    room: str | None
    since: Time
    listed_at: Time
    ended_at: Time | None
    fresh: bool
    withdrawn: bool


class Task(Answer):
    rule: str
    severity: Severity
    standing: list[Fault]
    mended: list[Fault]


class WorkList(Answer):
    week: str
    school: str
    name: str
    tasks: list[Task]


class OfSchool(Answer):
    """`tasks` are kinds of faults, `grave` the computers with one of severity high or critical."""

    school_code: str
    name: str
    commune_code: str
    tasks: Count
    computers: Count
    grave: Count
    fresh: Count


class WorkLists(Answer):
    week: str
    schools: list[OfSchool]
