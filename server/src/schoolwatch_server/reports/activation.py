"""On how many computers of each school Windows and Office are activated; nothing of licences, nor of one."""

from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_server.database import activation
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.indicators.current import limits
from schoolwatch_server.reports.pen import Cell, Pen, instant
from schoolwatch_server.reports.table import Asked, Row, Table
from schoolwatch_server.scope import Scope


def _rows(conn: Connection, school: SchoolRow, asked: Asked, _: Pen) -> Iterator[Row]:
    after = limits(asked.packs, asked.now).working_after
    row: dict[str, Cell] = {"counts_since": instant(after), "at": instant(asked.now)}
    for counted in activation.counts(conn, Scope("school", school.id), after):
        row[f"{counted.product}_activated"] = counted.yes
        row[f"{counted.product}_not_activated"] = counted.no
        row[f"{counted.product}_untold"] = counted.untold
    yield row


TABLE = Table(
    "activation",
    (
        "windows_activated",
        "windows_not_activated",
        "windows_untold",
        "office_activated",
        "office_not_activated",
        "office_untold",
        "counts_since",
        "at",
    ),
    _rows,
)
