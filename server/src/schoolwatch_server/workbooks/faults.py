"""What is wrong with the records of a list, by row and column; one thing at a time of each cell."""

from collections import Counter
from collections.abc import Container, Iterable

from schoolwatch_server.workbooks.cells import Code
from schoolwatch_server.workbooks.grid import column
from schoolwatch_server.workbooks.table import Heading, Problem, Read, Record


class Faults:
    """Begins with what is wrong with single cells."""

    def __init__(self, read: Read, heading: Heading) -> None:
        self._heading = heading
        self._found = list(read.problems)
        self._told = {(one.row, one.column) for one in read.problems}

    def __len__(self) -> int:
        """How many there are so far."""
        return len(self._found)

    def add(self, row: int, field: str, reason: str, **values: object) -> None:
        """Something is wrong with a field of a row, at the column where it stands."""
        place = self._heading.places.get(field)
        if place is None:  # the file has no such column
            where = ("", self._heading.titles.get(field, ""))
        else:
            where = (column(place), self._heading.texts[field])
        if (row, where[0] or field) not in self._told:
            self._told.add((row, where[0] or field))
            self._found.append(Problem(row, *where, reason, values))

    def code(self, record: Record, field: str, known: Container[str], width: int) -> str:
        """A code as text; a number that is too short for one has lost the noughts before it."""
        code = record.cells.get(field)
        if not isinstance(code, Code):
            return ""
        if code.was_number and code.text not in known and len(code.text) < width:
            self.add(record.row, field, "noughts_lost", value=code.text, likely=code.text.zfill(width))
        return code.text

    def all(self) -> tuple[Problem, ...]:
        """In the order of the list."""
        return tuple(sorted(self._found, key=lambda one: (one.row, len(one.column), one.column)))


def usual_width(records: Iterable[Record], fields: tuple[str, ...], known: Iterable[str]) -> int:
    """How long codes are here: the most frequent length of those that are known, or were written as text."""
    lengths = Counter(map(len, known))
    for record in records:
        for field in fields:
            code = record.cells.get(field)
            if isinstance(code, Code) and not code.was_number:
                lengths[len(code.text)] += 1
    return lengths.most_common(1)[0][0] if lengths else 0
