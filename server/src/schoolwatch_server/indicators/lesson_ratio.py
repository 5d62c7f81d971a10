"""Pupils that share one computer in a lesson of Informatics: the worst class over its lab's computers.

QĐ 4725/QĐ-BGDĐT, criterion 1.7.2, asks it of a lesson, not of the whole school: a lab that two campuses share
serves one class at a time, and a class that is split has a lesson of its largest group. Each stage is held
against its own number; of a school with several the one furthest from it is told.
"""

from collections.abc import Iterable, Sequence

from schoolwatch_server.indicators.facts import Lab, Said, SchoolClass
from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, OfStage

_TAUGHT = ("TH", "THCS", "THPT", "GDTX")


def compute(counts: Counts, numbers: Numbers) -> Fraction:
    """Covered are the computers of the labs that classes use, and the classes whose lab is known."""
    if not set(_TAUGHT) & set(counts.stages):
        return Fraction(None, None, 0, None, "not_applicable")
    classes = [c for c in counts.classes if c.taught > 0 and learns(c, numbers)]
    if not classes:
        return Fraction(None, None, 0, None, "no_students" if counts.classes else "no_classes")
    labs = {lab.room_id: lab for lab in counts.labs}
    placed = [(c, lab) for c in classes if (lab := lab_of(c, labs)) is not None]
    if not placed:
        return Fraction(None, None, 0, None, "no_lab")
    used = {lab.room_id: lab for _, lab in placed}.values()
    known, declared = _covered(used, counts)
    of_stages = {
        stage: [(c.taught, working_of(lab)) for c, lab in placed if c.stage == stage] for stage in _TAUGHT
    }
    stages = tuple(_stage(stage, taught, numbers) for stage, taught in of_stages.items() if taught)
    worst = max(stages, key=_badness)
    known *= len(placed) / len(classes)
    enough = declared is not None and declared > 0 and known >= numbers["floor"] * declared
    told = stages if len(stages) > 1 else ()
    said = _said(placed, worst.stage, numbers)
    if declared == 0:
        return Fraction(worst.numerator, worst.denominator, known, declared, target=worst.target, said=said)
    is_asked = any(stage.target is not None for stage in stages)
    none = enough and not worst.denominator
    return Fraction(
        worst.numerator,
        worst.denominator,
        known,
        declared,
        "none_working" if none else "",
        meets=_meets(stages) if enough else None,
        target=worst.target,
        said=said,
        is_asked=is_asked,
        stages=told,
    )


def learns(of: SchoolClass, numbers: Numbers) -> bool:
    """Informatics begins in a grade of primary school; of a class whose grade nobody gave it is assumed."""
    if of.stage not in _TAUGHT:
        return False
    return of.stage != "TH" or of.grade is None or of.grade >= numbers["first_grade"]


def lab_of(of: SchoolClass, labs: dict[int, Lab]) -> Lab | None:
    """The lab that was named; a school with a single one has no other."""
    if of.room_id is not None:
        return labs.get(of.room_id)
    return next(iter(labs.values())) if len(labs) == 1 else None


def working_of(lab: Lab) -> int:
    """Its computers that work, with those that a person found working."""
    return lab.working + (lab.by_hand or 0)


def _stage(stage: str, taught: Sequence[tuple[int, int]], numbers: Numbers) -> OfStage:
    """`taught`: pupils of each lesson, and the computers that work for it."""
    pupils, computers = max(
        taught, key=lambda each: (each[0] / each[1] if each[1] else float("inf"), each[0])
    )
    value = pupils / computers if computers else None
    target = numbers.get(stage.lower())
    meets = None if target is None else value is not None and value <= target
    return OfStage(stage, value, pupils, computers, target, meets)


def _badness(of: OfStage) -> tuple[bool, float, float]:
    """How far from its number: no working computer at all is the worst, then the largest part of it."""
    value = float("inf") if of.value is None else of.value
    return value == float("inf"), value / (of.target or 1.0), value


def _meets(stages: Iterable[OfStage]) -> bool | None:
    said = [stage.meets for stage in stages]
    return False if False in said else None if None in said else True


def _covered(used: Iterable[Lab], counts: Counts) -> tuple[float, float | None]:
    """Known and declared computers of these labs; where a lab's number is missing, those of the school."""
    labs = list(used)
    if all(lab.declared is not None for lab in labs):
        declared = [(lab.known + (lab.by_hand or 0), lab.declared or 0) for lab in labs]
        return sum(min(known, of) for known, of in declared), sum(of for _, of in declared)
    by_hand = sum(lab.by_hand or 0 for lab in counts.labs)
    if counts.student_devices_declared is None:
        return 0, None
    known = counts.student_devices_known + by_hand
    return min(known, counts.student_devices_declared), counts.student_devices_declared


def _said(placed: Iterable[tuple[SchoolClass, Lab]], stage: str, numbers: Numbers) -> Said | None:
    """The same ratio with the computers that the school says are in its labs."""
    ratios = [c.taught / lab.declared for c, lab in placed if c.stage == stage and lab.declared]
    return Said(max(ratios), "declared", numbers["at"]) if ratios else None


INDICATOR = Indicator(
    "students_per_computer_in_lesson",
    "students/computer",
    compute,
    code="I-02",
    group="assessment",
    basis="hybrid",
    numbers=("th", "thcs", "thpt", "first_grade"),
    counts_schools=True,
)
