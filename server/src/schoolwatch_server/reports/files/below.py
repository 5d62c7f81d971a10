"""The places below a commune or province as tables: how each stands, and how many reach what. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports.content import Part
from schoolwatch_server.reports.files import asks, words
from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.reports.files.sheet import Cell, Figure

STANDINGS = ("reached", "missed", "no_target", "unknown")


def tables(paper: Paper) -> Iterator[asks.Table]:
    """Schools by what they reach; then a commune's schools, or a province's communes, one by one."""
    parts = paper.content.parts
    schools = [part for part in parts if part.level == "school"]
    if schools:
        yield asks.Table(
            paper.text("file.letter.schools"),
            (),
            _heads(paper, "name"),
            tuple(by_indicator(paper, schools)),
            (0.44, 0.13, 0.14, 0.14, 0.15),
        )
    direct = [part for part in parts if part.level == "commune"] or schools
    if direct:
        yield asks.Table(
            paper.text(f"file.below.{direct[0].level}"),
            (paper.text("file.below.what"),),
            _heads(paper, "part"),
            tuple(_of_part(part) for part in direct),
            (0.44, 0.13, 0.14, 0.14, 0.15),
        )


def by_indicator(paper: Paper, schools: Iterable[Part]) -> Iterator[tuple[Cell, ...]]:
    """Of each indicator how many schools reach the target, don't, have none, or have too little data."""
    counts: dict[str, Counter[str]] = {}
    names: dict[str, str] = {}
    for value in (value for part in schools for value in part.values):
        names.setdefault(value.indicator, words.name_of(paper, value))
        counts.setdefault(value.indicator, Counter())[standing(value)] += 1
    for key, of in counts.items():
        yield names[key], *(Figure(of[column], "count") for column in STANDINGS)


def _of_part(part: Part) -> tuple[Cell, ...]:
    of = Counter(standing(value) for value in part.values)
    return f"{part.name} ({part.code})", *(Figure(of[column], "count") for column in STANDINGS)


def _heads(paper: Paper, first: str) -> tuple[str, ...]:
    return tuple(paper.text(f"file.letter.column.{key}") for key in (first, *STANDINGS))


def standing(value: IndicatorValue) -> str:
    """One of `STANDINGS`."""
    reached = words.is_reached(value)
    if reached is None:
        return "unknown" if value.value is None else "no_target"
    return "reached" if reached else "missed"
