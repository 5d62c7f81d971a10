"""What a store answers: series of points; and the interface that every store has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Resolution = Literal["raw", "1h", "1d"]


@dataclass(frozen=True, slots=True)
class Point:
    """What a series was at `at` (raw), or over the hour or day that begins there (UTC seconds).

    `mean` of raw points, `last` and when it was taken; a raw point is its own mean, min, max and last.
    """

    at: float
    mean: float
    min: float
    max: float
    count: int
    last: float
    last_at: float


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one device with these labels; unknown values are gaps between its points."""

    metric: str
    labels: dict[str, str]
    resolution: Resolution
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A value that the server judged: a measurement with tags at a moment; None is "not enough data"."""

    measurement: str
    tags: Mapping[str, str]
    at: float
    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    coverage: float | None = None
    pack: str = ""


JUDGED_FIELDS: Final = ("value", "numerator", "denominator", "coverage")
"""The numbers of a judged value; which packs it was judged by stays in the server's database."""


ENDED: Final = (None, None, 0.0, None)
"""Its numbers where a series ends: of nothing, as the place is gone or stands elsewhere now."""


class Store(Protocol):
    """Where series are read from and judged values are written to."""

    def series(
        self, device_id: int, metric: str, start: float, end: float, resolution: Resolution | None = None
    ) -> tuple[Series, ...]:
        """A device's metric in [start, end), one series a label set; the range picks the resolution."""

    def write_judged(self, rows: Sequence[Judged]) -> None:
        """Writes judged values; the same series and moment again replaces."""

    def judged(
        self, measurement: str, tags: Mapping[str, str], start: float, end: float
    ) -> tuple[Judged, ...]:
        """Judged values in [start, end) whose tags include these, oldest first."""
