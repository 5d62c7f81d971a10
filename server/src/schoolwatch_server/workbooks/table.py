"""Rows under a heading become records; what is wrong with a cell is told by its row and column. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from datetime import date

from schoolwatch_server.alphabet import plain
from schoolwatch_server.workbooks.cells import CellError, is_empty
from schoolwatch_server.workbooks.grid import Grid, Row, Value, column, is_ordinal

HEADING_WITHIN = 40
"""Rows in which the heading is looked for: titles, letterheads and signatures stand above it."""

_FEW = 3
"""Texts of a row that may be a place and day, or who signs."""

_SHORT = {"hs": "hoc sinh", "gv": "giao vien", "sl": "so luong"}
"""What people shorten in a heading."""

_TOTAL = re.compile(r"(?:tong(?: cong| so)?|cong|total)\b")
_GROUP = re.compile(
    r"(?:[ivx]+|[a-z]|[0-9]+)[.)/] ?\S|(?:xa|phuong|thi tran|dac khu|huyen|thanh pho|khoi|cap)\b"
)
"""How a row of totals begins, and one that names a part of the list; as `plain` writes it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name here, how people head it, what its cells mean.

    The first heading is our template's, the last is English. `choices`, the first of each of `words` and
    `format` (ECMA-376 part 1, 18.8.30; `@` is text) are for the template; the last of `words` is English too.
    """

    name: str
    headings: tuple[str, ...]
    parse: Callable[[Value], object]
    is_required: bool = False
    choices: tuple[str, ...] = ()
    format: str = "@"
    words: Mapping[str, Sequence[str]] = default(default_factory=dict)

    @property
    def offered(self) -> tuple[str, ...]:
        """What the template offers to choose from."""
        return self.choices or tuple(each[0] for each in self.words.values())

    def title(self, *, is_english: bool = False) -> str:
        """What the column is called."""
        return self.headings[-1 if is_english else 0]

    def said(self, value: object, *, is_english: bool = False) -> str:
        """A value of it as a form writes it; empty where there is none."""
        if isinstance(value, bool):
            value = "yes" if value else "no"
        if isinstance(value, str) and value in self.words:
            return self.words[value][-1 if is_english else 0]
        if isinstance(value, date):
            return f"{value:%d/%m/%Y}"
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong where; `column` is empty when it is the whole row. `reason` names its words."""

    row: int
    column: str
    heading: str
    reason: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Record:
    """The good cells of a row by the names of their fields; an empty cell is left out.

    `is_whole` is False where another cell of the row can't be taken.
    """

    row: int
    cells: Mapping[str, object]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Heading:
    """Where the heading ends, which column each field is in, and the headings nobody asked for.

    `titles` are what all fields are called, also those without a column.
    """

    last_row: int
    places: Mapping[str, int]
    texts: Mapping[str, str]
    ignored: tuple[str, ...]
    titles: Mapping[str, str] = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """A list as far as it can be read: its records, and what is wrong with cells of them.

    `asides` are rows that are none of the list, by number and text: totals, names of parts, who signs.
    """

    heading: Heading | None
    records: tuple[Record, ...]
    problems: tuple[Problem, ...]
    asides: tuple[tuple[int, str], ...] = ()


def read(grid: Grid, fields: Sequence[Field]) -> Read:
    """The records of a grid, and what is wrong; without a heading there is nothing but the problem."""
    heading, problems = find_heading(grid, fields)
    if heading is None or problems:
        return Read(heading, (), tuple(problems))
    below = [row for row in grid.rows if row.number > heading.last_row and not _is_numbering(row, heading)]
    key = _key_of(below, heading, fields)
    last = max((row.number for row in below if _names(row, heading, key)), default=heading.last_row)
    records, asides, is_over, before = [], [], False, last
    for row in below:
        # Below the last row that names a thing: after a gap, or after a total, nothing is of the list.
        is_over = row.number > last and (is_over or row.number > before + 1)
        before = row.number
        if row.is_heading or _is_aside(row, heading, key, is_over=is_over):
            is_over = row.number > last
            asides.append((row.number, _first_text(row)))
            continue
        record, wrong = _record(row, heading, fields)
        if record is None:
            asides.append((row.number, _first_text(row)))
            continue
        problems += wrong
        records.append(record)
    return Read(heading, tuple(records), tuple(problems), tuple(asides))


def fits(grid: Grid, fields: Sequence[Field]) -> int:
    """How many of the fields a sheet has columns for."""
    heading, _ = find_heading(grid, fields)
    return len(heading.places) if heading else 0


def find_heading(grid: Grid, fields: Sequence[Field]) -> tuple[Heading | None, list[Problem]]:
    """The heading of one or two rows that names most fields, and what is wrong with it."""
    wanted = {_key(text): field.name for field in fields for text in field.headings}
    rows = [row for row in grid.rows[:HEADING_WITHIN] if not row.is_heading]
    best: tuple[int, list[Row], dict[int, str]] = (0, [], {})
    for deep in (1, 2):  # two rows only where they name more: else the upper one is a title
        for index in range(len(rows)):
            part = rows[index : index + deep]
            if len(part) == deep:
                found = _named(part, wanted)
                if len(set(found.values())) > best[0]:
                    best = (len(set(found.values())), part, found)
    count, part, found = best
    required = [field for field in fields if field.is_required]
    if not count:
        values = {"headings": "; ".join(field.headings[0] for field in required)}
        return None, [Problem(grid.rows[0].number, "", "", "no_heading", values)]
    texts = {place: _text(part, place) for place in range(max(len(row.cells) for row in part))}
    last = part[-1].number
    problems = []
    places: dict[str, int] = {}
    for place, name in sorted(found.items()):
        if name in places:
            other = column(places[name])
            problems.append(Problem(last, column(place), texts[place], "heading_twice", {"other": other}))
        places.setdefault(name, place)
    for field in required:
        if field.name not in places:
            values = {"heading": field.headings[0], "headings": "; ".join(field.headings[1:])}
            problems.append(Problem(last, "", "", "no_column", values))
    ignored = tuple(text for place, text in texts.items() if text and place not in found)
    titles = {field.name: field.title() for field in fields}
    return Heading(last, places, {n: texts[p] for n, p in places.items()}, ignored, titles), problems


def _named(part: Sequence[Row], wanted: Mapping[str, str]) -> dict[int, str]:
    """Which fields the columns of these rows name: the lowest row that does, or all of them together."""
    found = {}
    for place in range(max(len(row.cells) for row in part)):
        texts = [_key(str(row.cells[place] or "")) for row in part if place < len(row.cells)]
        for candidate in (*reversed(texts), " ".join(texts)):
            if candidate in wanted:
                found[place] = wanted[candidate]
                break
    return found


def _text(part: Sequence[Row], place: int) -> str:
    texts = [str(row.cells[place]) for row in part if place < len(row.cells) and row.cells[place] is not None]
    return " / ".join(dict.fromkeys(texts))


def _key(text: str) -> str:
    """What a heading is compared by: small letters without diacritics, signs or what stands in brackets."""
    words = re.findall(r"[a-z0-9]+", plain(re.sub(r"\([^)]*\)|\*", " ", text)))
    return " ".join(_SHORT.get(word, word) for word in words)


def _key_of(rows: Sequence[Row], heading: Heading, fields: Sequence[Field]) -> Field:
    """What names the things of a list: the first column, or what else each must have where that is empty."""
    others = (field for field in fields[1:] if field.is_required)
    if fields[0].is_required or any(_names(row, heading, fields[0]) for row in rows):
        return fields[0]
    return next(others, fields[0])


def _names(row: Row, heading: Heading, key: Field) -> bool:
    """Whether the row has what names its thing: a code."""
    place = heading.places.get(key.name)
    cell = None if place is None else _at(row, place)
    try:
        return not is_empty(cell) and key.parse(cell) is not None
    except CellError:
        return False


def _is_aside(row: Row, heading: Heading, key: Field, *, is_over: bool) -> bool:
    """Whether a row without a code is none of the list."""
    if _names(row, heading, key):
        return False
    told = dict.fromkeys(str(cell) for cell in row.cells if isinstance(cell, str))
    words = [one for one in told if not is_ordinal(one)]
    if words and _TOTAL.match(plain(words[0])):
        return True
    if is_over:
        return len(told) <= _FEW
    is_alone = len(words) == 1 and all(isinstance(cell, str) for cell in row.cells if cell is not None)
    return is_alone and (len(told) > 1 or bool(_GROUP.match(plain(words[0]))))


def _first_text(row: Row) -> str:
    told = [str(cell) for cell in row.cells if isinstance(cell, str) and not is_ordinal(cell)]
    return told[0] if told else ""


def _is_numbering(row: Row, heading: Heading) -> bool:
    """The row below a heading in which forms number their columns: (1) (2) (3), A B 1 2."""
    if row.number > heading.last_row + 1:
        return False
    told = [str(cell).strip("() ").removesuffix(".0") for cell in row.cells if cell is not None]
    numbers = [int(one) for one in told if one.isdecimal()]
    short = all(len(one) <= 2 for one in told)
    return short and len(numbers) >= 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _record(row: Row, heading: Heading, fields: Sequence[Field]) -> tuple[Record | None, list[Problem]]:
    cells: dict[str, object] = {}
    problems = []
    for field in fields:
        place = heading.places.get(field.name)
        value = row.cells[place] if place is not None and place < len(row.cells) else None
        where = (row.number, "" if place is None else column(place), heading.texts.get(field.name, ""))
        if is_empty(value):
            if field.is_required:
                problems.append(Problem(*where, "missing", {}))
            continue
        try:
            cells[field.name] = field.parse(value)
        except CellError as error:
            problems.append(Problem(*where, error.reason, error.values))
    if all(is_empty(_at(row, place)) for place in heading.places.values()):
        return None, []  # remarks or signatures below the list
    return Record(row.number, cells, not problems), problems


def _at(row: Row, place: int) -> Value:
    return row.cells[place] if place < len(row.cells) else None
