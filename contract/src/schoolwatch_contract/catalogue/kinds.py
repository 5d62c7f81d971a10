"""What the catalogue says about each metric, fact and sighting, and about the probe that sends them."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["ratio", "count", "boolean", "s", "B", "bit/s", "load", "Hz", "dBm"]
"""Base units only; a boolean is 0 or 1, and a signal's power has no other unit in use than dBm."""

Privacy = Literal["technical", "organisational", "pseudonymised", "aggregated"]
"""Technical: says nothing of a person or place. Organisational: tells a school's network from another's.
Pseudonymised: stands for a device or person whose identity stayed at the school.
Aggregated: shown of rooms of several computers, never of one computer."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that is measured.

    `short` is what it is called above a graph (vi, en), where what it means (`vi`, `en`) is a sentence.
    """

    name: str
    unit: Unit
    privacy: Privacy
    vi: str
    en: str
    labels: tuple[str, ...] = ()
    probe: str = ""
    short: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class FactKind:
    """A text that rarely changes."""

    name: str
    privacy: Privacy
    vi: str
    en: str
    labels: tuple[str, ...] = ()
    probe: str = ""


@dataclass(frozen=True, slots=True)
class SightingKind:
    """Something seen on the wire or in a log; `details` are what may be told of it besides its subject."""

    name: str
    privacy: Privacy
    vi: str
    en: str
    details: tuple[str, ...] = ()
    probe: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one probe sends, what that is called (`name`: vi, en), and to what purpose (`vi`, `en`).

    The probe "" is the agent itself. The kinds need not name the probe: the catalogue writes it into each.
    """

    probe: str
    vi: str
    en: str
    name: tuple[str, str]
    metrics: tuple[Metric, ...] = ()
    facts: tuple[FactKind, ...] = ()
    sightings: tuple[SightingKind, ...] = ()
