"""A table over all schools that somebody sees: written school by school, so that it needs no memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.packs import Packs
from schoolwatch_server.reports.pen import Cell, Pen
from schoolwatch_server.scope import Scope

PLACE = ("province", "commune", "school_code", "school")
"""Columns that every table begins with."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, when (UTC seconds), and what the settings say."""

    scope: Scope
    now: float
    packs: Packs
    room_devices: int
    issued: tuple[str, ...]


Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` gives those of one school, without the columns of `PLACE`."""

    id: str
    columns: tuple[str, ...]
    rows: Callable[[Connection, SchoolRow, Asked, Pen], Iterable[Row]]


def stream(
    table: Table, engine: Engine, schools: Iterable[SchoolRow], asked: Asked, pen: Pen
) -> Iterator[bytes]:
    """The file, part by part; a transaction lasts for one school, however slowly somebody reads."""
    columns = (*PLACE, *table.columns)
    yield pen.head(columns)
    for school in schools:
        with begin_read(engine) as conn:
            rows = list(table.rows(conn, school, asked, pen))
        place: Row = {
            "province": school.province,
            "commune": school.commune,
            "school_code": school.code,
            "school": school.name,
        }
        if rows:
            yield b"".join(pen.row(columns, {**place, **row}) for row in rows)
