"""Which part of the tree somebody may see: everything, a province, a commune or one school."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["all", "province", "commune", "school"]


@dataclass(frozen=True, slots=True)
class Scope:
    """A node of the registry's tree; `id` is its internal id, and None only at level "all"."""

    level: Level
    id: int | None = None


EVERYTHING = Scope("all")
