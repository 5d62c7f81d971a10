"""What the API answers about what a school's network is known to have, and what it is sent."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schoolwatch_server.api.incident_shapes import Person
from schoolwatch_server.api.query import CODE
from schoolwatch_server.api.shapes import Answer, Time

Machine = Annotated[
    str,
    Field(
        max_length=60,
        description="The pseudonym of a machine, or of an address that may move: its role, and the address",
    ),
]
Rule = Annotated[str, Field(max_length=60, description="The id of the rule that learns")]


class Said(Answer):
    at: Time
    by: Person | None
    incident: int | None


class Known(Answer):
    """`was_there` in the first days of a sensor; `said`: who called it no fault, with which incident.

    `last_seen` is to a day, null: not since somebody said so.
    """

    rule: Rule
    machine: Machine
    announces: Annotated[dict[str, str], Field(description="Detail of its sightings → values that are known")]
    known_since: Time | None
    was_there: bool
    said: list[Said]
    last_seen: Time | None


class Waiting(Answer):
    incident: int
    rule: str
    machine: Machine
    since: Time


class Ended(Answer):
    """`ended_by` is null where nobody said so: it was not seen for long."""

    rule: Rule
    machine: Machine
    ended_at: Time
    ended_by: Person | None


class KnownNetwork(Answer):
    school: str
    known: list[Known]
    waiting: list[Waiting]
    ended: list[Ended]


class Forget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    school: Annotated[str, Field(pattern=CODE)]
    rule: Rule
    machine: Machine
