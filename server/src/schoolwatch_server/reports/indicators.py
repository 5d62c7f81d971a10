"""The indicators of all schools, each with its coverage and its sources."""

from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.indicators.current import current
from schoolwatch_server.reports import csv
from schoolwatch_server.reports.pen import Pen
from schoolwatch_server.reports.report import Report
from schoolwatch_server.reports.table import PLACE, Asked, Row, Table


def _rows(conn: Connection, school: SchoolRow, asked: Asked, pen: Pen) -> Iterator[Row]:
    values = current(conn, "school", school.id, asked.packs, asked.now)
    return csv.rows(Report(school.province, school.commune, school.code, school.name, asked.now, values), pen)


TABLE = Table("indicators", tuple(name for name in csv.COLUMNS if name not in PLACE), _rows)
