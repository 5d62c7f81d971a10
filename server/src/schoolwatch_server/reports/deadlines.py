"""The deadlines that hold in a province: its own, else the shipped ones."""

from functools import cache
from types import MappingProxyType

from sqlalchemy import Connection

from schoolwatch_server.database import report_deadlines
from schoolwatch_server.reports.calendar import Deadline, Deadlines, shipped


@cache
def proposed() -> Deadlines:
    """The shipped ones; they are part of the program, so they are read once."""
    return MappingProxyType(shipped())


def in_force(conn: Connection, province_id: int) -> Deadlines:
    """By kind and level."""
    own = {(row.kind, row.level): row for row in report_deadlines.deadlines(conn, province_id)}
    found: dict[tuple[str, str], Deadline] = {}
    for key, known in proposed().items():
        row = own.get(key)
        found[key] = (
            known
            if row is None
            else Deadline(
                kind=known.kind,
                level=known.level,
                before=row.before,
                document=row.document,
                clause=row.clause,
                confidence="",
                others=known.others,
                own=True,
            )
        )
    return MappingProxyType(found)  # type: ignore[arg-type]  # the keys are those of the shipped ones
