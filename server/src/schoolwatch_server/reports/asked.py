"""What criteria and plans asked of a place when a report was frozen, with the numbers as they stood. Pure.

Texts of packs are kept as they were, in both languages: a report prints them years after a pack was replaced.
"""

from typing import Literal

import msgspec


class ScoreLine(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion: `score` None is none yet; `basis` `provisional` is guessed from what was measured.

    `most` None: no source gives the highest score and the department has not typed it in. A mandatory one has
    no points: `fulfilled` says what the school answered, None that it has not.
    """

    code: str
    group: str
    vi: str
    en: str = ""
    score: float | None
    basis: Literal["entered", "provisional", "missing"]
    most: float | None
    mandatory: bool = False
    fulfilled: bool | None = None
    is_too_high: bool = False
    indicator: str = ""
    note: str = ""
    clause: str = ""
    confidence: str


class GroupTotal(msgspec.Struct, frozen=True, kw_only=True):
    """A group's total, or None with why (a key of the texts, `score.why.…`) and for which criteria."""

    code: str
    vi: str
    en: str = ""
    total: float | None
    most: float
    is_provisional: bool = False
    why: str = ""
    criteria: tuple[str, ...] = ()
    confidence: str


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """A school's scores by one set of criteria; `level` is 1 to 3, or None with why.

    `unfulfilled` are mandatory criteria that it does not fulfil: what follows from that no source says.
    """

    criteria: str
    pack: str
    document: str
    lines: tuple[ScoreLine, ...] = ()
    groups: tuple[GroupTotal, ...] = ()
    level: int | None = None
    is_provisional: bool = False
    why: str = ""
    unfulfilled: tuple[str, ...] = ()
    level_clause: str = ""
    confidence: str = ""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """What a report of a larger place keeps of a school: totals by group, the level or why not."""

    criteria: str
    pack: str
    document: str
    totals: tuple[tuple[str, float | None], ...] = ()
    level: int | None = None
    is_provisional: bool = False
    why: str = ""


class PlanLine(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a plan at a place, as `plan_rows.Row` has it; `deadline` is ISO 8601, empty without one."""

    plan: str
    item: str
    vi: str
    en: str = ""
    document: str
    clause: str
    confidence: str
    target: float | None
    unit: str
    better: Literal["higher", "lower"]
    deadline: str = ""
    mandatory: bool = True
    indicator: str = ""
    question: str = ""
    standing: Literal["met", "not_met", "unknown", "outside", "no_number"]
    value: float | None = None
    value_unit: str = ""
    coverage: float | None = None
    reached: int | None = None
    answered: int = 0
    schools: int = 0
    all_schools: int = 0
