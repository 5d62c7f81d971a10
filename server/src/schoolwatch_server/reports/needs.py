"""What each school must buy or repair (I-29): a row a line, with the numbers that it comes from."""

from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_server import needs
from schoolwatch_server.database import pages
from schoolwatch_server.database.counts import count
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.indicators.limits import limits_here
from schoolwatch_server.reports.pen import Pen, instant
from schoolwatch_server.reports.table import Asked, Row, Table
from schoolwatch_server.scope import Scope


def _rows(conn: Connection, school: SchoolRow, asked: Asked, pen: Pen) -> Iterator[Row]:
    scope = Scope("school", school.id)
    by = needs.rules(asked.packs, asked.now)
    rooms = {room.id: room.name for room in pages.rooms(conn, school.id)}
    for held in count(conn, scope, limits_here(conn, scope, asked.packs, asked.now)):
        for line in needs.of_school(held.counts, by):
            yield {
                "need": pen.text(f"needs.item.{line.item}"),
                "stage": line.stage,
                "room": rooms.get(line.room_id or 0, ""),
                "least": line.least,
                "most": line.most,
                "unit": pen.text(f"needs.unit.{line.unit}"),
                "reason": pen.text(f"reason.{line.reason}") if line.reason else "",
                "formula": "; ".join(
                    f"{pen.text(f'needs.term.{name}')}: {pen.number(n)}" for name, n in line.terms
                ),
                "indicator": line.indicator,
                "document": line.source.document,
                "clause": line.source.clause,
                "confidence": line.source.confidence,
                "at": instant(asked.now),
            }


TABLE = Table(
    "needs",
    (
        "need",
        "stage",
        "room",
        "least",
        "most",
        "unit",
        "reason",
        "formula",
        "indicator",
        "document",
        "clause",
        "confidence",
        "at",
    ),
    _rows,
)
