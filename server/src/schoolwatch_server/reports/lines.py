"""The last speed tests of each school's line; a school without one is told with the reason."""

from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_server.database import states, told
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.line_tests import LineTest, line_tests
from schoolwatch_server.reports.pen import Cell, Pen, instant
from schoolwatch_server.reports.table import Asked, Row, Table
from schoolwatch_server.state import State

COLUMNS = (
    "line_declared",
    "line_state",
    "family",
    "download",
    "upload",
    "limited_download",
    "limited_upload",
    "limited_by",
    "rtt_min",
    "rtt_loaded",
    "taken_at",
)


def _rows(conn: Connection, school: SchoolRow, _: Asked, pen: Pen) -> Iterator[Row]:
    declared: dict[str, Cell] = {"line_declared": school.declared.get("line_mbps")}
    device_id = told.line_tester(conn, school.id)
    tests = () if device_id is None else line_tests(states.load(conn, device_id) or State())
    for test in tests:
        yield {**declared, "line_state": pen.text("line.tested"), **_test(test, pen)}
    if not tests:
        state = pen.text("line.untested" if device_id is None else "line.nothing")
        yield {**dict.fromkeys(COLUMNS), **declared, "line_state": state, "limited_by": ""}


def _test(test: LineTest, pen: Pen) -> dict[str, Cell]:
    return {
        "family": f"IPv{test.family}",
        "download": _times(test.download, 1e-6),
        "upload": _times(test.upload, 1e-6),
        "limited_download": "" if not test.limited_by else _times(test.limited_download, 1e-6),
        "limited_upload": "" if not test.limited_by else _times(test.limited_upload, 1e-6),
        "limited_by": "; ".join(pen.known(f"limited_by.{by}", by) for by in test.limited_by.split()),
        "rtt_min": _times(test.rtt_min, 1e3),
        "rtt_loaded": _times(test.rtt_loaded, 1e3),
        "taken_at": instant(test.taken_at),
    }


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


TABLE = Table("lines", COLUMNS, _rows)
