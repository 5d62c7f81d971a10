"""What a cell means: a text, a code, a count, a day, a speed, one of several words; or why nothing."""

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from schoolwatch_server import levels
from schoolwatch_server.alphabet import plain
from schoolwatch_server.position import PositionError
from schoolwatch_server.position import parse as parse_position
from schoolwatch_server.sites.address import AddressError, typed
from schoolwatch_server.workbooks.grid import Value
from schoolwatch_server.workbooks.slim import UNCOMPUTED

NAME_MAX = 200

MBPS_MAX = 100_000.0
"""A line that is faster is a slip of the finger."""

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
_GROUPED = re.compile(r"\d{1,3}(?:[., ]\d{3})+", re.ASCII)
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_SHORT_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2})", re.ASCII)
_DAY_IN_WORDS = re.compile(r"(?:ngày )?(\d{1,2}) tháng (\d{1,2}) năm (\d{4})", re.ASCII | re.IGNORECASE)
_MONTH = re.compile(r"(?:tháng |T)?(0?[1-9]|1[0-2])(?:[/.-]| năm )((?:19|20)\d\d)", re.ASCII | re.IGNORECASE)
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_ERROR = re.compile(r"#[A-Z/0]+[!?A]?")
_SPEED = re.compile(r"(\d{1,6}(?:[.,]\d{1,3})?) ?(?:(g)|m)?(?:b(?:it)?(?:ps|/s))?", re.ASCII | re.IGNORECASE)
_YEARS = re.compile(r"(?:năm học|NH)?:? ?(20\d\d) ?[-–—/] ?(20\d\d)", re.IGNORECASE)
_PHONE = re.compile(
    r"\+?[0-9(][0-9 ().-]{1,30}(?:(?:,? ?(?:máy lẻ|máy nhánh|ext\.?|x) ?:? ?)[0-9]{1,6})?",
    re.ASCII | re.IGNORECASE,
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_WITHOUT_NOUGHT, _PHONE_DIGITS = range(9, 11), 3
"""Digits of a mobile and of a fixed line's number without the nought before it; digits of any number."""

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


def short(most: int) -> "Parse":
    """A text on one line of at most so many characters."""

    def parse(value: Value) -> str:
        if isinstance(value, date):
            raise CellError("day_for_text", value=f"{value:%d/%m/%Y}")
        told = _written(value)
        if len(told) > most or not told.isprintable():
            raise CellError("too_long", most=most)
        return told

    return parse


def text(value: Value) -> str:
    """A name on one line."""
    return str(short(NAME_MAX)(value))


def position(value: Value) -> str:
    """Degrees as a map gives them, latitude first: `20.25430, 105.97500`."""
    told = str(short(NAME_MAX)(value))
    try:
        return parse_position(told).text
    except PositionError as error:
        raise CellError(error.fault, value=told[:40]) from error


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
    short, iso = _SHORT_DAY.fullmatch(told), _ISO_DAY.fullmatch(told)
    found = short or _DAY.fullmatch(told) or _DAY_IN_WORDS.fullmatch(told)
    parts = found.groups()[::-1] if found else iso.groups() if iso else ()
    try:
        year, month, day_ = map(int, parts)
        year += 2000 if short else 0
        return date(year, month, day_)
    except ValueError as error:  # no day at all, or the 31st of February
        raise CellError("not_a_day", value=told[:40]) from error


def since(value: Value) -> date:
    """A day; of a month alone (`9/2026`, `tháng 9 năm 2026`) its first one."""
    return _month(value) or day(value)


def until(value: Value) -> date:
    """A day; of a month alone its last one: what is paid to September is there on the 30th."""
    first = _month(value)
    if first is None:
        return day(value)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _month(value: Value) -> date | None:
    found = _MONTH.fullmatch(value) if isinstance(value, str) else None
    return date(int(found[2]), int(found[1]), 1) if found else None


def level(value: Value) -> str:
    """One of `levels.LEVELS`, however it is written."""
    told = _written(value) if not isinstance(value, date) else ""
    found = levels.parse(told)
    if found is None:
        raise CellError("not_a_level", value=told[:40], levels="; ".join(levels.LEVELS))
    return found


def up_to(most: int) -> "Parse":
    """A count of at most so many: more is a slip of the finger."""

    def parse(value: Value) -> int:
        found = count(value)
        if found > most:
            raise CellError("too_many", value=found, most=most)
        return found

    return parse


def _bare(text: str) -> str:
    return " ".join(plain(text).split())


def one_of(words: Mapping[str, Sequence[str]]) -> "Parse":
    """Reads one of these names, by any of its words; the first word of each is what the template offers."""
    named = {_bare(word): name for name, each in words.items() for word in (name, *each)}

    def parse(value: Value) -> str:
        told = _written(value) if not isinstance(value, date) else ""
        found = named.get(_bare(told))
        if found is None:
            raise CellError(
                "not_one_of", value=told[:40], choices="; ".join(each[0] for each in words.values())
            )
        return found

    return parse


YES_NO: Mapping[str, tuple[str, ...]] = {
    "yes": ("Có", "x", "✓", "TRUE", "1", "Đúng", "Yes"),
    "no": ("Không", "FALSE", "0", "Sai", "No"),
}

_yes_no = one_of(YES_NO)


def yes_no(value: Value) -> bool:
    """Có or Không."""
    return bool(_yes_no(value) == "yes")


def mbps(value: Value) -> float:
    """A speed in Mbit/s; `1 Gbps` is 1000. A decimal comma is understood."""
    told = _written(value) if not isinstance(value, date) else ""
    found = _SPEED.fullmatch(told)
    speed = float(found[1].replace(",", ".")) * (1000 if found[2] else 1) if found else 0.0
    if not 0 < speed <= MBPS_MAX:
        raise CellError("not_a_speed", value=told[:40])
    return speed


def school_year(value: Value) -> str:
    """`2026-2027`."""
    told = _written(value) if not isinstance(value, date) else ""
    found = _YEARS.fullmatch(told)
    if found is None or int(found[2]) != int(found[1]) + 1:
        raise CellError("not_a_school_year", value=told[:40])
    return f"{found[1]}-{found[2]}"


def phone(value: Value) -> str:
    """A number to call, as it is written; a spreadsheet's number of 9 or 10 digits has lost its nought."""
    told = _written(value) if not isinstance(value, date) else ""
    if isinstance(value, float) and len(told) in _WITHOUT_NOUGHT:
        raise CellError("noughts_lost", value=told, likely=f"0{told}")
    if not _PHONE.fullmatch(told) or len(re.sub(r"\D", "", told)) < _PHONE_DIGITS:
        raise CellError("not_a_phone", value=told[:40])
    return told


def email(value: Value) -> str:
    """An address of electronic mail."""
    told = _written(value) if not isinstance(value, date) else ""
    if not _EMAIL.fullmatch(told):
        raise CellError("not_an_email", value=told[:40])
    return told


def website(value: Value) -> str:
    """The address of a site, as it is kept."""
    told = _written(value) if not isinstance(value, date) else ""
    try:
        return str(typed(told))
    except AddressError as error:
        raise CellError(f"website_{error.fault}", value=told[:60]) from error


Parse = Callable[[Value], Any]


def _written(value: Value) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    told = str(value or "")
    if told == UNCOMPUTED:
        raise CellError("formula_unknown")
    if _ERROR.fullmatch(told):
        raise CellError("formula_error", value=told)
    return told
