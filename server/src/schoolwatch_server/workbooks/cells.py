"""What a cell means: a text, a code, a count, a day, a level; or why it means nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from schoolwatch_server import levels
from schoolwatch_server.workbooks.grid import Value

NAME_MAX = 200

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
_GROUPED = re.compile(r"\d{1,3}(?:[., ]\d{3})+", re.ASCII)
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_ERROR = re.compile(r"#[A-Z/0]+[!?A]?")
_NOTHING = frozenset({"-", "–", "—", "...", "…"})

EXCEL_EPOCH = date(1899, 12, 30)
"""Day 0 of Excel's day numbers, from 1 March 1900 on (ECMA-376 part 1, 18.17.4.1)."""

_DAYS = range(30_000, 60_000)
"""Day numbers that a person means today: 1982 to 2064."""


class CellError(ValueError):
    """A cell that can't be taken; `reason` names its words in texts/workbook.toml, filled with `values`."""

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.reason, self.values = reason, values


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it is written; `was_number`: the spreadsheet held a number, which has no leading zeros."""

    text: str
    was_number: bool = False


def is_empty(value: Value) -> bool:
    """Whether nothing stands there, or a dash for nothing."""
    return value is None or value in _NOTHING


def text(value: Value) -> str:
    """A name on one line."""
    if isinstance(value, date):
        raise CellError("day_for_text", value=f"{value:%d/%m/%Y}")
    told = _written(value)
    if len(told) > NAME_MAX or not told.isprintable():
        raise CellError("too_long", most=NAME_MAX)
    return told


def code(value: Value) -> Code:
    """A code of letters without accents, digits, `.`, `_`, `-`, at most 20."""
    if isinstance(value, date):
        raise CellError("day_for_text", value=f"{value:%d/%m/%Y}")
    told = _written(value)
    if not _CODE.fullmatch(told):
        raise CellError("not_a_code", value=told[:40])
    return Code(told, isinstance(value, float))


def count(value: Value) -> int:
    """A whole number of things; `1.234` and `1,234` as text are one thousand and so many."""
    told = _written(value) if not isinstance(value, date) else ""
    if _GROUPED.fullmatch(told) and isinstance(value, str):
        told = re.sub(r"[., ]", "", told)
    if not _DIGITS.fullmatch(told):
        shown = told or (f"{value:%d/%m/%Y}" if isinstance(value, date) else "")
        raise CellError("not_a_count", value=shown[:40])
    return int(told)


def day(value: Value) -> date:
    """A day, as a date of the spreadsheet or written 01/07/2025."""
    if isinstance(value, date):
        return value
    if isinstance(value, float):
        if value.is_integer() and int(value) in _DAYS:
            raise CellError(
                "day_number", value=int(value), day=f"{EXCEL_EPOCH + timedelta(int(value)):%d/%m/%Y}"
            )
        raise CellError("not_a_day", value=_written(value)[:40])
    told = _written(value)
    found, iso = _DAY.fullmatch(told), _ISO_DAY.fullmatch(told)
    parts = found.groups()[::-1] if found else iso.groups() if iso else ()
    try:
        year, month, day_ = map(int, parts)
        return date(year, month, day_)
    except ValueError as error:  # no day at all, or the 31st of February
        raise CellError("not_a_day", value=told[:40]) from error


def level(value: Value) -> str:
    """One of `levels.LEVELS`, however it is written."""
    told = _written(value) if not isinstance(value, date) else ""
    found = levels.parse(told)
    if found is None:
        raise CellError("not_a_level", value=told[:40], levels="; ".join(levels.LEVELS))
    return found


Parse = Callable[[Value], object]


def _written(value: Value) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    told = str(value or "")
    if _ERROR.fullmatch(told):
        raise CellError("formula_error", value=told)
    return told
