"""The three kinds of record, and the envelope that says once who measured and when."""

from typing import Annotated

import msgspec

SCHEMA = 1
"""The envelope's schema number. Unknown fields are ignored, an unknown number is refused."""

EARLIEST = 315_532_800.0
"""1980-01-01: what a PC with a flat clock battery says. Anything before is not a clock."""

LATEST = 4_102_444_800.0
"""2100-01-01: anything from then on is not a clock."""

RELEASED = 1_767_225_600.0
"""2026-01-01: before that there was no agent, so a clock that shows it is wrong."""


def possible(at: float) -> float:
    """The nearest instant that may travel, for what a clock gone mad shows; the server reckons its error."""
    return min(max(at, EARLIEST), LATEST - 1)


END = r"$(?!\n)"
"""The end of a pattern. Python's `$` alone lets a last line feed pass, JSON Schema's doesn't."""

NAME = r"^[a-z][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)+" + END
"""How a metric, fact or sighting is named: `subject.quantity`, dotted lower case."""

NO_NUL = r"^[^\u0000]*$"
"""PostgreSQL cannot store the character NUL, so no text on the wire holds one (its manual, 8.3)."""

LABEL = r"^[a-z][a-z0-9_]*" + END
"""How a label is named."""

# Patterns are checked in envelope.py, like times: a regular expression a text takes four times as long as
# reading the rest of a report.
Name = Annotated[str, msgspec.Meta(max_length=64, extra_json_schema={"pattern": NAME})]
LabelKey = Annotated[str, msgspec.Meta(max_length=32, extra_json_schema={"pattern": LABEL})]
LabelValue = Annotated[str, msgspec.Meta(max_length=128, extra_json_schema={"pattern": NO_NUL})]
Labels = Annotated[dict[LabelKey, LabelValue], msgspec.Meta(max_length=8)]
Text = Annotated[str, msgspec.Meta(max_length=512, extra_json_schema={"pattern": NO_NUL})]
Time = Annotated[
    float, msgspec.Meta(extra_json_schema={"minimum": EARLIEST, "exclusiveMaximum": LATEST})
]  # checked in envelope.py: it has a reason of its own for counting


class Reading(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A number at a moment, in the catalogue's base unit; `None` is unknown, never 0."""

    metric: Name
    value: float | None
    labels: Labels = {}


class Fact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A text that rarely changes; `None` is unknown, and `reason` then says why."""

    name: Name
    value: Text | None
    labels: Labels = {}
    reason: Text = ""


class Sighting(msgspec.Struct, frozen=True, array_like=True):
    """Something seen on the wire or in a log at `seen_at` (UTC seconds)."""

    kind: Name
    subject: LabelValue
    detail: Annotated[dict[LabelKey, Text], msgspec.Meta(max_length=32)] = {}
    seen_at: Time | None = None


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """One cycle of one agent. `taken_at` is the agent's clock in UTC seconds, `agent` its version."""

    schema: Annotated[int, msgspec.Meta(extra_json_schema={"const": SCHEMA})]
    taken_at: Time
    agent: Annotated[str, msgspec.Meta(max_length=32, extra_json_schema={"pattern": NO_NUL})]
    readings: Annotated[tuple[Reading, ...], msgspec.Meta(max_length=2000)] = ()
    facts: Annotated[tuple[Fact, ...], msgspec.Meta(max_length=1000)] = ()
    sightings: Annotated[tuple[Sighting, ...], msgspec.Meta(max_length=500)] = ()
