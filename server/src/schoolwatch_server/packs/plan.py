"""A plan: an authority's document with targets and deadlines, for the schools that each is about. Pure."""

import datetime as dt
from collections.abc import Collection
from datetime import date
from typing import Annotated, Literal

import msgspec

from schoolwatch_server.strict_yaml import ENDS, Confidence, Id, Title, Version

TargetUnit = Literal["ratio", "students/computer", "level", "count", "Mbit/s", "kbit/s/student", "days"]
"""`ratio` is a share from 0 to 1; `level` is a level of QĐ 4725/QĐ-BGDĐT or of a provincial scale."""

Stage = Literal["MN", "TH", "THCS", "THPT", "GDTX"]
Question = Annotated[str, msgspec.Meta(pattern=rf"^[a-z][a-z0-9_.]{{0,59}}{ENDS}")]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """A school as a plan's scope is held against it.

    `stages` as `levels.stages` gives them; `commune` is a code, `former_place` a name from before July 2025.
    Unknown is empty or None: it lies in no scope that asks for it.
    """

    stages: tuple[str, ...] = ()
    commune: str = ""
    former_place: str = ""
    is_public: bool | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A number to be reached, with its last day and its source; `plan` is `ninh_binh_2025@1`.

    `deadline` is the last day that still counts; None: the document names none. Unit `ratio` is 0…1.
    """

    value: float
    unit: TargetUnit
    deadline: date | None
    document: str
    clause: str
    confidence: Confidence
    better: Literal["higher", "lower"]
    mandatory: bool
    plan: str
    item: str

    def is_overdue(self, today: date) -> bool:
        """Whether its last day is past."""
        return self.deadline is not None and self.deadline < today

    def is_met(self, value: float) -> bool:
        """Whether a value reaches it."""
        return value >= self.value if self.better == "higher" else value <= self.value


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of a plan: what is to be reached, by when, by which schools, in the document's own words.

    `indicator` is measured, `question` is declared by schools; neither: it is followed outside this program.
    `target` None: the document gives no number. `confidence` is of the number, `quote` the document's words.
    """

    id: Id
    vi: Title
    en: str = ""
    indicator: Id | None = None
    question: Question | None = None
    target: Annotated[float, msgspec.Meta(ge=0)] | None = None
    unit: TargetUnit = "ratio"
    better: Literal["higher", "lower"] = "higher"
    deadline: date | None = None
    mandatory: bool = True
    levels: tuple[Stage, ...] = ()
    communes: tuple[str, ...] = ()
    former_places: tuple[str, ...] = ()
    public_only: bool = False
    clause: Title
    quote: str = ""
    note: str = ""
    confidence: Confidence

    def concerns(self, place: About, former_places: tuple[str, ...] = ()) -> bool:
        """Whether it is about that school.

        `former_places` are its plan's, for an item that names none of its own.
        """
        areas = self.former_places or former_places
        return (
            (not self.levels or bool(set(self.levels) & set(place.stages)))
            and (not self.communes or place.commune in self.communes)
            and (not areas or place.former_place in areas)
            and (not self.public_only or place.is_public is True)
        )


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One document of an authority; a higher version of the same id replaces it as a whole.

    `former_places` names the provinces or districts of before July 2025 that it is about; none: everywhere.
    """

    kind: Literal["plan"]
    id: Id
    version: Version
    vi: Title
    en: str = ""
    number: str = ""
    date: dt.date | None = None
    issuer: Title
    former_places: tuple[str, ...] = ()
    items: tuple[Item, ...]

    @property
    def name(self) -> str:
        """`ninh_binh_2025@1`: what is written beside every target that it sets."""
        return f"{self.id}@{self.version}"

    @property
    def document(self) -> str:
        """How it is cited: its number with its day and who issued it."""
        number = self.number or self.vi
        day = f" ngày {self.date:%d/%m/%Y}" if self.date else ""
        return f"{number}{day} của {self.issuer}"

    def target(self, item: Item) -> Target | None:
        """The number of one of its items; None where the document and the Sở give none."""
        if item.target is None:
            return None
        return Target(
            value=item.target,
            unit=item.unit,
            deadline=item.deadline,
            document=self.document,
            clause=item.clause,
            confidence=item.confidence,
            better=item.better,
            mandatory=item.mandatory,
            plan=self.name,
            item=item.id,
        )


def targets_of(plans: tuple[Plan, ...], measured: str, places: Collection[About] = ()) -> tuple[Target, ...]:
    """What plans ask of an indicator (or of a declared question) of every one of these, what binds first.

    `places` are a school, or all schools of a place: what is asked of some of them alone is no target of the
    whole. None: whatever is asked of anybody.

    A mandatory one comes before one that is encouraged, then the newest document, then the first deadline,
    then the strictest number.
    """
    found = [
        (plan, target)
        for plan in plans
        for item in plan.items
        if measured in (item.indicator, item.question)
        and all(item.concerns(place, plan.former_places) for place in places)
        if (target := plan.target(item)) is not None
    ]
    found.sort(key=lambda each: rank(*each))
    return tuple(target for _, target in found)


def rank(plan: Plan, target: Target) -> tuple[bool, int, date, float]:
    """What binds first is the smallest: see `targets_of`."""
    newest = -plan.date.toordinal() if plan.date else 0
    strictest = -target.value if target.better == "higher" else target.value
    return (not target.mandatory, newest, target.deadline or date.max, strictest)
