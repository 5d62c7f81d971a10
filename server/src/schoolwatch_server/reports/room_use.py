"""The use of rooms, week by week, as the one place that sums it gives it."""

from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_server.database import room_use
from schoolwatch_server.database.room_use import Mean
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.reports.pen import Cell, Pen, day
from schoolwatch_server.reports.table import Asked, Row, Table
from schoolwatch_server.use import QUANTITIES, WEEK

_HOUR = 3600.0


def _rows(conn: Connection, school: SchoolRow, asked: Asked, pen: Pen) -> Iterator[Row]:
    for use in room_use.after(conn, asked.scope, least=asked.room_devices, school_id=school.id):
        row: dict[str, Cell] = {
            "room": use.room,
            "role": pen.known(f"role.{use.role}", use.role),
            "week_from": day(use.week),
            "week_to": day(use.week + WEEK - 1),
            "days": use.days,
        }
        for quantity, mean in ((name, use.mean(name)) for name in QUANTITIES):
            row |= _mean(quantity, mean, 1.0 if quantity == "boots" else _HOUR, asked.room_devices, pen)
        yield row


def _mean(quantity: str, mean: Mean, unit: float, least: int, pen: Pen) -> dict[str, Cell]:
    hidden = "" if mean.hidden is None else pen.text(f"use.hidden.{mean.hidden}").format(least=least)
    return {
        f"use_{quantity}": None if mean.value is None else mean.value / unit,
        f"use_{quantity}_devices": mean.devices,
        f"use_{quantity}_device_days": mean.device_days,
        f"use_{quantity}_hidden": hidden,
    }


_PARTS = ("", "_devices", "_device_days", "_hidden")
TABLE = Table(
    "room-use",
    (
        *("room", "role", "week_from", "week_to", "days"),
        *(f"use_{quantity}{part}" for quantity in QUANTITIES for part in _PARTS),
    ),
    _rows,
)
