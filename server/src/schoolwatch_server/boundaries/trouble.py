"""What is wrong with a file of boundaries, so that a page can say it in words."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "no_file", "gone", "too_large", "too_many", "not_json", "not_collection", "no_features", "crs", "feature",
    "geometry", "ring", "open_ring", "not_degrees", "swapped", "outside", "none_matched", "no_source",
]  # fmt: skip
"""Texts are `boundaries.trouble.<kind>`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`where` is a feature by its number and name, `what` is what stands there."""

    kind: Kind
    where: str = ""
    what: str = ""


class BoundariesError(Exception):
    """A file that can't be used; every problem is named."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(", ".join(problem.kind for problem in problems))
        self.problems = problems
