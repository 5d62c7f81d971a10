"""What schools declare: the newest number of each quantity holds, earlier ones stay as history."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.registry import RegistryError

QUANTITIES = ("students", "devices", "student_devices", "line_mbps")
"""What a school declares: counts, and its line's speed by contract in Mbit/s (the slower way)."""

COUNTS = ("students", "devices", "student_devices")
"""Those of them that add up when schools become one."""

UNSAID = -1.0
"""In place of a number that no longer holds: the school is asked anew, and until then nothing is declared."""


def unsay(conn: Connection, school_id: int, now: float, by: str) -> None:
    """No count that a school declared holds any more: what it was of is not what the school is now."""
    d = t.declaration.c
    held = conn.scalars(select(d.quantity).where(d.school_id == school_id, d.quantity.in_(COUNTS)).distinct())
    rows = [{"school_id": school_id, "quantity": quantity, "value": UNSAID} for quantity in held]
    if rows:
        conn.execute(insert(t.declaration).values(declared_at=now, declared_by=by), rows)


def declare(conn: Connection, school_id: int, quantity: str, value: float, now: float, by: str) -> None:
    """Adds a declared number, from `now` on; earlier ones stay as history. Raises `RegistryError`."""
    declare_all(conn, [(school_id, quantity, value)], now, by)


def declare_all(conn: Connection, numbers: Sequence[tuple[int, str, float]], now: float, by: str) -> None:
    """Adds numbers of schools, each with its quantity, as `declare` does. Raises `RegistryError`."""
    for _, quantity, value in numbers:
        if quantity not in QUANTITIES:
            raise RegistryError(f"{quantity!r} is none of {', '.join(QUANTITIES)}")
        if not 0 <= value < 1e9:
            raise RegistryError(f"{quantity} cannot be {value}")
    rows = [{"school_id": school, "quantity": what, "value": value} for school, what, value in numbers]
    if rows:
        conn.execute(insert(t.declaration).values(declared_at=now, declared_by=by), rows)
