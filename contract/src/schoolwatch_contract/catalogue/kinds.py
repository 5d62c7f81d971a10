"""What the catalogue says about each metric, fact and sighting."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["ratio", "count", "boolean", "s", "B", "bit/s", "load"]
"""Base units only; a boolean is 0 or 1."""

Privacy = Literal["technical", "organisational", "pseudonymised"]
"""Technical: says nothing of a person or place. Organisational: tells a school's network from another's.
Pseudonymised: stands for a device or person whose identity stayed at the school."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that is measured; `probe` is "" for what the agent says of itself."""

    name: str
    unit: Unit
    probe: str
    privacy: Privacy
    vi: str
    en: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FactKind:
    """A text that rarely changes."""

    name: str
    probe: str
    privacy: Privacy
    vi: str
    en: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SightingKind:
    """Something seen on the wire or in a log."""

    name: str
    probe: str
    privacy: Privacy
    vi: str
    en: str
