"""Versions of rules that were typed into the console: kept for ever, none is ever changed."""

from sqlalchemy import Connection, case, func, insert, select, update

from schoolwatch_server.database.tables_rules import rule_version
from schoolwatch_server.rules.held import Stored

_v = rule_version.c


def stamp(conn: Connection) -> int:
    """Another number whenever a version was added or taken back."""
    count = func.count() + func.coalesce(func.sum(case((_v.is_back, 1), else_=0)), 0)
    return int(conn.scalar(select(count)) or 0)


def stored(conn: Connection) -> tuple[Stored, ...]:
    """Every version of every rule, the oldest first."""
    rows = conn.execute(select(rule_version).order_by(_v.id)).all()
    return tuple(
        Stored(
            row.rule,
            row.version,
            row.valid_from,
            row.text,
            row.saved_at,
            row.saved_by,
            row.is_end,
            row.reason,
            row.shipped,
            row.is_back,
        )
        for row in rows
    )


def add(conn: Connection, one: Stored) -> None:
    """Adds a version. Raises `IntegrityError` when somebody has saved that version meanwhile."""
    conn.execute(
        insert(rule_version).values(
            rule=one.name,
            version=one.version,
            valid_from=one.valid_from,
            text=one.text,
            is_end=one.is_end,
            saved_at=one.saved_at,
            saved_by=one.saved_by,
            reason=one.reason,
            shipped=one.shipped,
        )
    )


def take_back(conn: Connection, name: str, version: int) -> None:
    """That version never acts."""
    conn.execute(update(rule_version).where(_v.rule == name, _v.version == version).values(is_back=True))
