"""What the texts of the ladder are made of."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["vi", "en"]


@dataclass(frozen=True, slots=True)
class Words:
    """The same in Vietnamese and English."""

    vi: str
    en: str

    def told(self, language: Language) -> str:
        """In one of them."""
        return self.vi if language == "vi" else self.en


@dataclass(frozen=True, slots=True)
class Reason:
    """What a reason's code means, and the remedy where a technician can do something."""

    means: Words
    remedy: Words | None = None
