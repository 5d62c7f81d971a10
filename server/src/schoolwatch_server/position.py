"""Where a school stands: degrees of WGS 84 as people copy them from a map, and as a geohash. Pure."""

import re
from dataclasses import dataclass
from typing import Final, Literal

LATITUDES: Final = (6.0, 24.0)
LONGITUDES: Final = (102.0, 118.0)
"""Vietnam with its islands, as for boundaries of communes."""

GEOHASH_LENGTH: Final = 9
"""Characters: 5 m."""

Fault = Literal["not_a_position", "swapped_position", "outside_position"]

_PAIR: Final = re.compile(
    r"\s*(?:(\d{1,3}(?:\.\d{1,15})?)\s*[,;\s]\s*(\d{1,3}(?:\.\d{1,15})?)"
    r"|(\d{1,3}(?:,\d{1,15})?)\s*(?:;|,?\s)\s*(\d{1,3}(?:,\d{1,15})?))\s*",
    re.ASCII,
)
_BASE32: Final = "0123456789bcdefghjkmnpqrstuvwxyz"


class PositionError(ValueError):
    """A text that is no position; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees, north and east."""

    latitude: float
    longitude: float

    @property
    def text(self) -> str:
        """As it is kept, to the metre: `20.25430, 105.97500`."""
        return f"{self.latitude:.5f}, {self.longitude:.5f}"

    @property
    def geohash(self) -> str:
        """In characters of base 32, as maps of Grafana take it (G. Niemeyer, 2008)."""
        spans = [[-180.0, 180.0], [-90.0, 90.0]]
        values = (self.longitude, self.latitude)
        made = ""
        for at in range(GEOHASH_LENGTH):
            number = 0
            for bit in range(5):
                which = (at * 5 + bit) % 2
                span = spans[which]
                middle = (span[0] + span[1]) / 2
                is_above = values[which] >= middle
                span[0 if is_above else 1] = middle
                number = number * 2 + is_above
            made += _BASE32[number]
        return made


def parse(text: str) -> Position:
    """Latitude, then longitude: `20.2543, 105.975`, or with commas `20,2543; 105,975`.

    Raises `PositionError`; nothing at all is none either.
    """
    match = _PAIR.fullmatch(text)
    if match is None:
        raise PositionError("not_a_position")
    first, second = (float(one.replace(",", ".")) for one in match.groups() if one is not None)
    if _within(first, LATITUDES) and _within(second, LONGITUDES):
        return Position(first, second)
    if _within(second, LATITUDES) and _within(first, LONGITUDES):
        raise PositionError("swapped_position")
    raise PositionError("outside_position")


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]
