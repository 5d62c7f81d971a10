"""What the API answers of rules."""

from typing import Annotated, Any, Literal

from pydantic import Field

from schoolwatch_server.api.shapes import Answer
from schoolwatch_server.severity import Severity
from schoolwatch_server.strict_yaml import Confidence

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class InBoth(Answer):
    """A text in Vietnamese and English."""

    vi: str
    en: str


class RuleSource(Answer):
    """The document and clause, and how sure they are."""

    document: str
    clause: str
    confidence: Confidence


class RuleVersion(Answer):
    """A version that was saved in the console; an `ends` took the rule's changes out of force."""

    version: int
    valid_from: Instant
    saved_at: Instant
    ends: bool
    taken_back: bool


class Replay(Answer):
    """Whether a rule can be tried on what is stored of the past; `why_not` null: it can."""

    possible: bool
    why_not: InBoth | None


class Rule(Answer):
    """A rule in force, switched off ones too; times in seconds, `since` null: since it was installed.

    `versions` are the department's own, the oldest first; `sha256` is of the text in force.
    """

    id: str
    version: int
    enabled: bool
    severity: Severity
    scope: str
    title: InBoth
    why: InBoth
    what_to_do: InBoth
    source: RuleSource
    condition: dict[str, Any]
    open_after: float
    close_after: float
    standing_after: float
    reopen_within: float
    communes: list[str]
    levels: list[str]
    origin: Literal["shipped", "file", "console"]
    since: Instant | None
    sha256: str
    replay: Replay
    versions: list[RuleVersion]


class Rules(Answer):
    """What judges now."""

    rules: list[Rule]
