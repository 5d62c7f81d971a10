"""What a change of the past writes into its copy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, or_, update

from schoolwatch_server.database import hearings, states
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.states import Told
from schoolwatch_server.database.upsert import insert_new, upsert

SPANS: Final = (t.school_code, t.membership, t.site)
"""Tables whose rows begin at `valid_from` and end at `valid_to`."""


def put(conn: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes new rows; none where there are none."""
    if rows:
        conn.execute(insert(table), rows)


def hear(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Devices were heard at an instant each; of several, the last one given."""
    newest = {row["device_id"]: row["at"] for row in rows}
    upsert(
        conn,
        t.state,
        [
            {"device_id": id_, "heard_at": at, "taken_at": at, "seq": 0, "agent": ""}
            for id_, at in newest.items()
        ],
    )


def _carry(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        hearings.note_carried(conn, row["device_id"], row["at"])


def _tell(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    states.advance(
        conn, [Told(row["device_id"], row["seq"], row["envelope"], row["taken"], row["at"]) for row in rows]
    )


def _test(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        its = {"device_id": row["device_id"], "line_tests": row["tests"]}
        upsert(conn, t.state, [{**its, "heard_at": row["at"], "taken_at": row["at"], "seq": 0, "agent": ""}])


def _look(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Of each site the newest look stays, and the newest that found IPv6."""
    lk = t.site_look.c
    for row in rows:
        older = delete(t.site_look).where(lk.site_id == row["site_id"], lk.at < row["at"])
        conn.execute(
            older if row["has_ipv6"] else older.where(or_(lk.has_ipv6.is_(None), lk.has_ipv6.is_(False)))
        )
        put(conn, t.site_look, [_own(t.site_look, row)])


def _judge(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    insert_new(
        conn,
        t.judged,
        [{name: row[name] for name in ("series_id", "at", "value")} for row in rows],
        ("series_id", "at"),
    )


def _begin(table: Any) -> "_Write":
    over = {
        "membership": "valid_to",
        "school_code": "valid_to",
        "site": "valid_to",
        "set_day": "ended_at",
    }.get(table.name)

    def write(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            own = _own(table, row)
            if over is not None and own[over] is not None and own[over] > row["now"]:
                own[over] = None
            put(conn, table, [own])

    return write


def _end(table: Any, column: str = "valid_to") -> "_Write":
    over = update(table).where(table.c.id == bindparam("id_")).values({column: bindparam("at_")})

    def write(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        conn.execute(over, [{"id_": row["id"], "at_": row["at"]} for row in rows])

    return write


def _own(table: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    return {column.name: row[column.name] for column in table.columns if column.name in row}


def _retire(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    gone = update(t.device).where(t.device.c.id == bindparam("id_")).values(retired_at=bindparam("at_"))
    conn.execute(gone, [{"id_": row["id_"], "at_": row["at"]} for row in rows])


_Write = Callable[[Connection, Sequence[Mapping[str, Any]]], None]

WRITERS: Final[Mapping[str, _Write]] = {
    **{f"-{table.name}": _end(table) for table in SPANS},
    "-set_day": _end(t.set_day, "ended_at"),
    **{f"+{table.name}": _begin(table) for table in (*SPANS, t.maintenance, t.set_day)},
    "retired": _retire,
    "heard": hear,
    "carried": _carry,
    "told": _tell,
    "test": _test,
    "looked": _look,
    "judged": _judge,
    "refused": lambda conn, rows: put(conn, t.quarantine, [_own(t.quarantine, row) for row in rows]),
}
"""What each change writes, in the order in which those of one step are written."""
