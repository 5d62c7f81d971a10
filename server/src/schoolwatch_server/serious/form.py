"""The report form of a serious incident: what is known of it, and what only people can fill in. Pure.

The bytes of `encode` are what is kept and what its digest is of; `docs/schema/incident-form.json` describes
them. Nothing is invented: what nobody knows is null, and stands as dots in the letter.
"""

import hashlib
from datetime import datetime

import msgspec

from schoolwatch_server.serious.timers import Step

FORMAT = 1
"""Raised when a field changes its meaning; fields are only ever added, with a default."""

MOST = 100
"""Devices, and lines of what was done, in a form; `left_out` says how many more there are."""


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Where the form goes, as the department typed it in."""

    level: str
    name: str
    address: str
    email: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What the incident is about, from the school up; what does not apply is null."""

    kind: str
    school: str | None = None
    school_code: str | None = None
    commune: str | None = None
    province: str | None = None


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A computer by the first 8 characters of its identity; its name may be a person's, so it is not here."""

    device: str
    room: str | None = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A reading or fact that was kept as evidence; a late one arrived long after it was measured."""

    name: str
    title: str
    labels: dict[str, str]
    value: float | str | None
    unit: str
    measured_at: datetime | None
    received_at: datetime | None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A sighting that was kept as evidence."""

    kind: str
    title: str
    subject: str
    detail: dict[str, str]
    seen_at: datetime | None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, by whose account, in the words of the page and of those who wrote notes."""

    at: datetime
    kind: str
    by: str
    text: str


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One form. Instants are RFC 3339 in UTC; texts are Vietnamese, redacted as `serious.redact` does.

    `step`: `notice` within 24 hours, `report` within 72. `started_at` is when it began, `detected_at` when
    the server found it. `sender` is the level of who writes (`province`, `commune`, `school`), `office` its
    name, `town` the place beside the day. `to_fill` names what only people can say: dots in the letter.
    """

    format: int = FORMAT
    step: Step
    revision: int
    made_at: datetime
    made_by: str
    is_exercise: bool
    is_simulated: bool
    sender: str
    office: str
    town: str
    recipient: Recipient | None
    incident: int
    rule: str
    rule_version: int
    title: str
    why: str
    severity: str
    serious_because: str
    document: str
    clause: str
    confidence: str
    due_at: datetime
    notice_reference: str | None
    started_at: datetime
    detected_at: datetime
    ended_at: datetime | None
    is_late: bool
    state: str
    verdict: str | None
    responsible: str | None
    place: Place
    devices: tuple[Device, ...]
    measured: tuple[Measured, ...]
    seen: tuple[Seen, ...]
    done: tuple[Done, ...]
    left_out: int
    to_fill: tuple[str, ...]


TO_FILL: dict[Step, tuple[str, ...]] = {
    "notice": ("scope", "measures", "contact"),
    "report": ("cause", "scope", "damage", "remedy", "prevention", "contact"),
}
"""What the page of a step leaves open."""


def encode(form: Form) -> bytes:
    """The kept bytes: indented, as people open them too."""
    return msgspec.json.format(msgspec.json.encode(form), indent=2)


def decode(body: bytes) -> Form:
    """The form of kept bytes. Raises `msgspec.ValidationError`."""
    return msgspec.json.decode(body, type=Form)


def digest(body: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def file_name(form: Form, ending: str) -> str:
    """`su-co-12-bao-cao-nhanh-r1.docx`, and `dien-tap-…` of an exercise."""
    what = {"notice": "bao-cao-nhanh", "report": "bao-cao-day-du"}[form.step]
    begin = "dien-tap-" if form.is_exercise else ""
    return f"{begin}su-co-{form.incident}-{what}-r{form.revision}.{ending}"
