"""What can be wrong with somebody's form, with the place where it is."""

from dataclasses import dataclass
from typing import Literal

Trouble = Literal[
    "too_large",
    "not_a_form",
    "old_format",
    "encrypted",
    "macros",
    "broken",
    "unknown",
    "unclosed",
    "table_heading",
    "no_sheet",
    "bad_column",
    "bad_row",
    "too_many",
    "no_placeholder",
    "no_file",
    "gone",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One trouble (words: `form.trouble.<trouble>`): at which cell or paragraph, and with what."""

    trouble: Trouble
    where: str = ""
    what: str = ""


class FormError(ValueError):
    """The form can't be filled; nothing was."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{one.trouble} {one.where} {one.what}".strip() for one in problems))
        self.problems = problems
