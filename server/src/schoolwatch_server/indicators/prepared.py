"""An indicator with all that the packs say of it: numbers, lines, what plans ask of which schools. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from schoolwatch_server.indicators.indicator import Indicator, Line, LineKind, Numbers, Source, Unit
from schoolwatch_server.packs import About, Definition, Number, Pack, Packs, Plan, Target, targets_of

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An indicator with all that the packs say of it, looked up once for however many places."""

    indicator: Indicator
    pack: str
    source: Source
    floor: float
    target: float | None
    better: Better
    lines: tuple[Line, ...]
    numbers: Numbers
    plans: tuple[Plan, ...]
    encouraged: bool = False
    asked: dict[About | None, "Asked"] = field(default_factory=dict, compare=False)
    """What `plans` ask of each kind of school, as far as that was looked up: most schools are of a few."""


def prepare(indicator: Indicator, packs: Packs, at: float) -> Prepared:
    """As the packs are; `at` is the instant that is judged, UTC seconds."""
    lasting = _lasting(indicator, packs)
    return replace(lasting, numbers={"at": at, **lasting.numbers})


@lru_cache(maxsize=256)
def _lasting(indicator: Indicator, packs: Packs) -> Prepared:
    """What is the same at every instant, as long as those packs are in force."""
    pack = packs.of(indicator.id)
    definition = pack.indicators[indicator.id]
    return Prepared(
        indicator,
        pack.name,
        Source(definition.document, definition.clause, definition.confidence),
        pack.coverage_floor.value,
        definition.target.value if definition.target else None,
        definition.better,
        _lines(indicator, pack, definition, packs),
        {
            "floor": pack.coverage_floor.value,
            **{name: number.value for name, number in definition.numbers.items()},
        },
        _asking(indicator.id, packs.plans),
        definition.encouraged,
    )


def _asking(indicator: str, plans: Iterable[Plan]) -> tuple[Plan, ...]:
    """The plans that ask something of an indicator, with nothing else in them."""
    found = []
    for plan in plans:
        items = tuple(item for item in plan.items if item.indicator == indicator)
        if items:
            found.append(msgspec.structs.replace(plan, items=items))
    return tuple(found)


class Asked(NamedTuple):
    """What plans ask of a number, by when they ask anything of its indicator, if they only recommend it."""

    target: Target | None
    deadline: str
    encouraged: bool


def asked_of(prepared: Prepared, about: About | None) -> Asked:
    """What is asked of a school, looked up once for each kind of school."""
    known = prepared.asked.get(about)
    if known is None:
        abouts = () if about is None else (about,)
        known = prepared.asked[about] = asked_of_all(prepared, abouts, prepared.indicator.unit)
    return known


def asked_of_all(prepared: Prepared, abouts: Collection[About], unit: Unit) -> Asked:
    """What plans ask of a number of that unit; where none asks anything the definition says if it is asked.

    "2 students a computer" is nothing that the share of schools could be held against.
    """
    found = targets_of(prepared.plans, prepared.indicator.id, abouts) if prepared.plans else ()
    asked = next((target for target in found if target.unit == unit), None)
    first = asked or next(iter(found), None)
    if first is None:
        return Asked(None, "", prepared.encouraged)
    return Asked(asked, "" if first.deadline is None else first.deadline.isoformat(), not first.mandatory)


def with_plan(lines: Iterable[Line], asked: Target) -> tuple[Line, ...]:
    """The lines of a definition, its target in the words of the plan that asks for it."""
    source = Source(asked.document, asked.clause, asked.confidence)
    rest = tuple(line for line in lines if line.kind != "target")
    return (*rest, Line("target", asked.value, asked.unit, (), source))


def _lines(indicator: Indicator, pack: Pack, definition: Definition, packs: Packs) -> tuple[Line, ...]:
    window = packs.windows.heard if indicator.window == "heard" else packs.windows.working
    lines = [_line("floor", pack.coverage_floor), _line("window", window)]
    if definition.threshold is not None:
        lines.append(_line("threshold", definition.threshold))
    lines += [_line("threshold", number) for number in definition.numbers.values()]
    if definition.target is not None:
        lines.append(_line("target", definition.target))
    return (*lines, *(_line("reference", number) for number in definition.references))


def _line(kind: LineKind, number: Number) -> Line:
    source = Source(number.document, number.clause, number.confidence)
    return Line(kind, number.value, number.unit, number.applies_to, source)
