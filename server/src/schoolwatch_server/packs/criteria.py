"""Criteria that schools score themselves by, with the highest score of each and its source. Pure."""

from typing import Annotated, Literal

import msgspec

from schoolwatch_server.packs.plan import Stage
from schoolwatch_server.strict_yaml import ENDS, Confidence, Id, Title, Version

Code = Annotated[str, msgspec.Meta(pattern=rf"^[0-9]{{1,2}}(\.[0-9]{{1,2}}){{0,3}}{ENDS}")]
Points = Annotated[float, msgspec.Meta(ge=0, le=1000)]

Provisional = Literal["", "share", "yes_no"]
"""How a score is guessed from what was measured until the school enters its own: the highest score times a
share, or all of it for yes; empty: no source says how, so it is not guessed."""


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One criterion; `max` None: no source gives it, the Sở types it in. A mandatory one has no points.

    `indicator` is the evidence that this program measures. `confidence` is of the number.
    """

    code: Code
    group: Code
    vi: Title
    en: str = ""
    max: Points | None = None
    mandatory: bool = False
    indicator: Id | None = None
    provisional: Provisional = ""
    clause: str = ""
    note: str = ""
    confidence: Confidence


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A group of criteria whose scores are added up to at most `max`."""

    code: Code
    vi: Title
    en: str = ""
    max: Points
    confidence: Confidence


class LevelRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which level a group's total gives: below `basic` 1, up to and with `good` 2, above `good` 3.

    The school's level is that of its lower group; `mixed_confidence` says how sure that is.
    """

    basic: Points
    good: Points
    clause: Title
    confidence: Confidence
    mixed_confidence: Confidence


class Criteria(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A set of criteria of one document; a higher version of the same id replaces it as a whole."""

    kind: Literal["criteria"]
    id: Id
    version: Version
    vi: Title
    en: str = ""
    document: Title
    applies_to: tuple[Stage, ...] = ()
    note: str = ""
    groups: tuple[Group, ...] = ()
    levels: LevelRule | None = None
    criteria: tuple[Criterion, ...] = ()

    @property
    def name(self) -> str:
        """`qd4725@1`."""
        return f"{self.id}@{self.version}"
