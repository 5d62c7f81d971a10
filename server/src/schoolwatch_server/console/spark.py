"""A small line of a value's days, as points of an SVG drawing. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from schoolwatch_server.forecast import Day

WIDTH, HEIGHT, EDGE = 140, 32, 3
BREAK = 4
"""Days without a value from which on the line is broken: what was then is not known."""


@dataclass(frozen=True, slots=True)
class Spark:
    """Lines as `x,y x,y` and, where there is a target, how high it lies."""

    lines: tuple[str, ...]
    target: float | None


def spark(days: Sequence[Day], target: float | None) -> Spark | None:
    """None for fewer than two days: a line needs them."""
    if len(days) < 2:
        return None
    values = [value for _, value in days] + ([] if target is None else [target])
    low, high = min(values), max(values)
    first, span = days[0][0], (days[-1][0] - days[0][0]).days or 1

    def y(value: float) -> float:
        share = 0.5 if high == low else (value - low) / (high - low)
        return round(HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE), 1)

    lines: list[list[str]] = [[]]
    before = first
    for day, value in days:
        if (day - before).days >= BREAK:
            lines.append([])
        x = round(EDGE + (day - first).days / span * (WIDTH - 2 * EDGE), 1)
        lines[-1].append(f"{x},{y(value)}")
        before = day
    return Spark(tuple(" ".join(line) for line in lines), None if target is None else y(target))
