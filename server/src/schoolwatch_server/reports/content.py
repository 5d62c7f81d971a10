"""What a report holds: everything that its files print, so that they can be made again years later. Pure.

The bytes of `encode` are what is kept and what the digest is of: keys in the order of the structs, no blanks.
A number that was unknown is null with its reason; nothing is looked up again when a file is made from it.
"""

import hashlib

import msgspec

from schoolwatch_server.indicators.indicator import IndicatorValue, Place
from schoolwatch_server.reports.asked import Assessment, PlanLine, Scored

FORMAT = 1
"""Raised when a field changes its meaning; fields are only ever added, with a default."""


class PackUsed(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that values were judged with: `network@1`, the SHA-256 of its text, since which day it holds."""

    name: str
    sha256: str
    since: str = ""


class DeviceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A device behind the values of a school, without anything about a person; None is unknown.

    `taken_at`: its newest report, UTC seconds. `facts`: named verdicts in the catalogue's words
    (`protected`, `link_speed`, `ipv6_rung`, `os_supported`), as text or number. `counted`: by indicator
    whether it counts for the number (true) or is known not to (false); what is not in it is not known.
    """

    device: str
    label: str
    room: str
    role: str
    working: bool | None
    taken_at: float | None
    facts: dict[str, str | float | bool | None] = {}
    counted: dict[str, bool] = {}


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the school declared something with."""

    question: str
    name: str
    sha256: str
    size: int


class History(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator's value at the end of days that were judged (`2026-11-18`); None: too little data."""

    indicator: str
    days: tuple[tuple[str, float | None], ...]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A place below the report's own (a school of a commune, a commune of a province) with its values.

    `scored`: its scores by sets of criteria, in a report of self-assessment.
    """

    level: Place
    id: int
    code: str
    name: str
    within: str = ""
    school_level: str = ""
    values: tuple[IndicatorValue, ...] = ()
    scored: tuple[Scored, ...] = ()


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """One frozen report; instants are UTC seconds, days ISO 8601 in Vietnam.

    `kind`: `monthly`, `quarterly`, `half_year`, `year`, `self_assessment`. `period`: `2026-11`, `2026-Q4`.
    `window_from` and `window_to` bound the readings that were looked at; `simulated` marks sample data.
    `within` names the places above, the highest first; `due` is the last day in time, or empty.
    `previous` is the digest of the revision before this one, and `note` why there is a further one.
    `assessments`: a school's scores, in a report of self-assessment. `plan_lines`: what plans asked of the
    place itself. `history`: its own values over the year before.
    """

    format: int = FORMAT
    kind: str
    period: str
    level: Place
    place_id: int
    code: str
    name: str
    within: tuple[str, ...] = ()
    school_level: str = ""
    revision: int
    frozen_at: float
    window_from: float
    window_to: float
    due: str = ""
    program: str
    simulated: bool
    packs: tuple[PackUsed, ...] = ()
    values: tuple[IndicatorValue, ...] = ()
    parts: tuple[Part, ...] = ()
    devices: tuple[DeviceLine, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    note: str = ""
    previous: str = ""
    assessments: tuple[Assessment, ...] = ()
    plan_lines: tuple[PlanLine, ...] = ()
    history: tuple[History, ...] = ()


def encode(content: Content) -> bytes:
    """The bytes that are kept."""
    return msgspec.json.encode(content)


def decode(body: bytes) -> Content:
    """Raises `msgspec.ValidationError` when the bytes are no report."""
    return msgspec.json.decode(body, type=Content)


class _Outline(Content, frozen=True, kw_only=True):
    """The same with its parts as they were written, which costs a tenth of reading them."""

    parts: tuple[msgspec.Raw, ...] = ()  # type: ignore[assignment]  # read one by one below


def outline(body: bytes, most: int) -> tuple[Content, int]:
    """As `decode` with at most so many parts, and how many there are: enough for a page of a province."""
    found = msgspec.json.decode(body, type=_Outline)
    parts = tuple(msgspec.json.decode(raw, type=Part) for raw in found.parts[:most])
    told = {name: getattr(found, name) for name in Content.__struct_fields__ if name != "parts"}
    return Content(**told, parts=parts), len(found.parts)


def digest(body: bytes) -> str:
    """SHA-256 of the kept bytes, in hexadecimal: what a page prints and its QR code leads to."""
    return hashlib.sha256(body).hexdigest()
