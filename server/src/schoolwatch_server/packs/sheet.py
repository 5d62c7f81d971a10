"""A pack's text of whatever kind: what it says, since when it holds and where it is from."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeAlias

from schoolwatch_server import strict_yaml
from schoolwatch_server.packs.criteria import Criteria
from schoolwatch_server.packs.pack import Pack
from schoolwatch_server.packs.plan import Plan
from schoolwatch_server.packs.reference import Reference
from schoolwatch_server.saved import Saved
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
class Stored(Saved[date]):
    """A version typed into the console; it holds from the day `valid_from` on, in Vietnam."""


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
