"""A rule with its text and where it is from."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.saved import Saved

Origin = Literal["shipped", "file", "console"]


@dataclass(frozen=True, slots=True)
class Held:
    """`since` is when it came into force, UTC seconds (None: since it was installed)."""

    rule: Rule
    text: bytes
    origin: Origin
    since: float | None = None
    path: Path | None = None

    @property
    def sha256(self) -> str:
        """Of the text, in hexadecimal."""
        return hashlib.sha256(self.text).hexdigest()


@dataclass(frozen=True, slots=True)
class Stored(Saved[float]):
    """A version typed into the console: why, and which shipped version (0: none) there was then.

    One that `is_back` was taken back before it acted.
    """

    reason: str = ""
    shipped: int = 0
    is_back: bool = False

    @property
    def path(self) -> Path:
        """What errors call it."""
        return Path(f"{self.name}@{self.version}")
