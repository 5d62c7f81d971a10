"""A pack's text of whatever kind: what it says, since when it holds and where it is from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeAlias

from schoolwatch_server import strict_yaml
from schoolwatch_server.packs.criteria import Criteria
from schoolwatch_server.packs.pack import Pack
from schoolwatch_server.packs.plan import Plan
from schoolwatch_server.packs.reference import Reference
from schoolwatch_server.strict_yaml import SheetError

Sheet: TypeAlias = Pack | Plan | Criteria | Reference
Kind = Literal["indicators", "plan", "criteria", "reference"]
Origin = Literal["shipped", "file", "console"]

KINDS: dict[Kind, type[Sheet]] = {
    "indicators": Pack,
    "plan": Plan,
    "criteria": Criteria,
    "reference": Reference,
}
"""What the key `kind` of a file may say; without it, it defines indicators."""


@dataclass(frozen=True, slots=True)
class Held:
    """A pack with its text and its origin; `since` is its effective day (None: since it was installed)."""

    sheet: Sheet
    kind: Kind
    text: bytes
    origin: Origin
    since: date | None = None
    path: Path | None = None

    @property
    def sha256(self) -> str:
        """Of the text, in hexadecimal: what a report names beside the pack's version."""
        return hashlib.sha256(self.text).hexdigest()


@dataclass(frozen=True, slots=True)
class Stored:
    """A version typed into the console; it holds from `valid_from` on. An `is_end` takes the pack out."""

    pack: str
    version: int
    valid_from: date
    text: str
    saved_at: float
    saved_by: str
    is_end: bool = False


def read(raw: bytes, path: Path, origin: Origin, since: date | None = None) -> Held:
    """The pack of a text; `path` is what errors call it. Raises `SheetError`."""
    data = strict_yaml.load(raw, path)
    said = data.get("kind", "indicators") if isinstance(data, dict) else "indicators"
    kind = next((kind for kind in KINDS if kind == said), None)
    if kind is None:
        what = f"there is no such kind of pack; there are {', '.join(KINDS)}"
        raise SheetError(f"{path}: kind: {what}: correct it", where="$.kind", what=what)
    sheet: Sheet = strict_yaml.convert(data, path, KINDS[kind])
    return Held(sheet, kind, raw, origin, since, path)


def files(folder: Path, origin: Origin) -> tuple[Held, ...]:
    """The packs of a folder in order of file name. Raises `SheetError`."""
    return tuple(read(strict_yaml.content(path), path, origin) for path in strict_yaml.files(folder))


def in_force(stored: Sequence[Stored], day: date) -> dict[str, Stored]:
    """By pack, the version that holds on a day: the newest effective day, then the version saved last.

    A pack whose newest entry is an end is not in it.
    """
    newest: dict[str, Stored] = {}
    for one in stored:
        if one.valid_from > day:
            continue
        known = newest.get(one.pack)
        if known is None or (one.valid_from, one.version) > (known.valid_from, known.version):
            newest[one.pack] = one
    return {pack: one for pack, one in newest.items() if not one.is_end}
