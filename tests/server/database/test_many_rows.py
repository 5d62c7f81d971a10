"""Many rows in one statement do what a statement for each would, on both kinds of database."""

from typing import Any

import pytest
from sqlalchemy import Column, ColumnElement, Connection, event, select

from reports import NOW, RULES, World
from schoolwatch_server.database import journal
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.arrays import among, among_rows
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.upsert import change, insert_new, upsert
from schoolwatch_server.intake.batch import take


def by_first(conn: Connection, key: Column[Any], value: Column[Any]) -> dict[Any, Any]:
    return {row[0]: row[1] for row in conn.execute(select(key, value))}


def counted(conn: Connection) -> dict[str, int]:
    return by_first(conn, t.counter.c.name, t.counter.c.value)


def counters(**values: int) -> list[dict[str, object]]:
    return [{"name": name, "label": "", "value": value} for name, value in values.items()]


@pytest.mark.parametrize("others", [{}, {"c": 7, "d": 8}])
def test_an_upsert_replaces_or_adds(world: World, others: dict[str, int]) -> None:
    with begin_write(world.engine) as conn:
        upsert(conn, t.counter, counters(a=1, b=2))
        upsert(conn, t.counter, counters(a=5, **others))
        assert counted(conn) == {"a": 5, "b": 2, **others}
        upsert(conn, t.counter, counters(a=10, **others), add=("value",))
        assert counted(conn) == {"a": 15, "b": 2, **{name: 2 * n for name, n in others.items()}}


def test_a_row_that_comes_twice_in_one_upsert_is_written_twice(world: World) -> None:
    twice = counters(a=1, b=1) + counters(a=2)
    with begin_write(world.engine) as conn:
        upsert(conn, t.counter, twice)
        assert counted(conn) == {"a": 2, "b": 1}
        upsert(conn, t.counter, twice, add=("value",))
        assert counted(conn) == {"a": 5, "b": 2}


def test_what_is_there_stays_where_only_the_new_is_written(world: World) -> None:
    with begin_write(world.engine) as conn:
        insert_new(conn, t.counter, counters(a=1), ("name", "label"))
        insert_new(conn, t.counter, counters(a=5, b=6), ("name", "label"))
        insert_new(conn, t.counter, [], ("name", "label"))
        assert counted(conn) == {"a": 1, "b": 6}


def test_unknown_empty_and_odd_values_come_through_arrays(world: World) -> None:
    """Whole numbers among others, NULL, quotes, braces and bytes; also a column in which nothing is known."""
    devices = world.enrol(4)
    texts = ['{"a", \\b}', "NULL", None, "Trường 'Nguyễn'"]
    speeds = [1000, 0.5, None, 100.0]
    rows = [
        {
            "device_id": device.id,
            "taken_at": NOW,
            "seq": 2**40 + n,
            "heard_at": int(NOW) + n,
            "agent": "" if n else "0.1.0",
            "protected": [True, False, None, True][n],
            "link_speed": speeds[n],
            "antivirus": texts[n],
            "os": None,
            "line_tests": [b"\x00\xff", b"", None, b"'"][n],
        }
        for n, device in enumerate(devices)
    ]
    wanted = select(*(t.state.c[name] for name in rows[0])).order_by(t.state.c.device_id)
    with begin_write(world.engine) as conn:
        for _ in range(2):
            upsert(conn, t.state, rows)
            assert [dict(row) for row in conn.execute(wanted).mappings()] == rows


@pytest.mark.parametrize("count", [1, 3])
def test_rows_are_changed_and_no_others(world: World, count: int) -> None:
    devices = world.enrol(4)
    take(world.engine, [device.message(1) for device in devices], RULES)
    with begin_write(world.engine) as conn:
        change(conn, t.state, [{"device_id": d.id, "heard_at": 5.0 + d.id} for d in devices[:count]])
        change(conn, t.state, [])
        found = by_first(conn, t.state.c.device_id, t.state.c.heard_at)
    assert found == {d.id: 5.0 + d.id for d in devices[:count]} | {d.id: NOW for d in devices[count:]}


def test_reports_get_their_ids_in_their_order(world: World) -> None:
    devices = world.enrol(60)
    take(world.engine, [device.message(1) for device in reversed(devices)], RULES)
    with begin_write(world.engine) as conn:
        generation = by_first(conn, t.generation.c.device_id, t.generation.c.id)
        rows = [
            {
                "device_id": device.id,
                "generation_id": generation[device.id],
                "seq": seq,
                "digest": bytes([seq]) * 16,
                "taken_at": NOW,
                "received_at": NOW,
                "late": False,
                "carried": False,
                "uncertain": False,
                "body": bytes([seq]),
            }
            for seq in (9, 2, 5)
            for device in devices[::-7]
        ]
        ids = journal.append(conn, rows)
        kept = by_first(conn, t.journal.c.id, t.journal.c.body)
        of = by_first(conn, t.journal.c.id, t.journal.c.device_id)
    assert ids == sorted(ids)
    assert [(of[id_], kept[id_]) for id_ in ids] == [(row["device_id"], row["body"]) for row in rows]


def test_one_of_these_and_rows_of_these(world: World) -> None:
    devices = world.enrol(3)
    take(world.engine, [device.message(1) for device in devices], RULES)
    g = t.generation.c
    ids = [device.id for device in devices]
    with begin_write(world.engine) as conn:

        def found(where: ColumnElement[bool]) -> list[int]:
            return list(conn.scalars(select(g.device_id).where(where).order_by(g.device_id)))

        assert found(among(conn, g.device_id, {ids[0], ids[2], 999})) == [ids[0], ids[2]]
        assert found(among(conn, g.spool, ["no"])) == found(among(conn, g.spool, ())) == []
        pairs = {(ids[0], "a" * 16), (ids[1], "b" * 16), (ids[2], "a" * 16)}
        assert found(among_rows(conn, (g.device_id, g.spool), pairs)) == [ids[0], ids[2]]
        assert found(among_rows(conn, (g.device_id, g.spool), ())) == []


def statements(world: World, count: int) -> list[str]:
    """What the database is told while reports of so many devices are committed."""
    told: list[str] = []

    def tell(conn, cursor, statement, parameters, context, many):
        told.append(f"{statement} x{len(parameters)}" if many else statement)

    devices = world.enrol(count)
    take(world.engine, [device.message(1) for device in devices], RULES)
    event.listen(world.engine, "before_cursor_execute", tell)
    take(world.engine, [device.message(2) for device in devices], RULES)
    event.remove(world.engine, "before_cursor_execute", tell)
    return told


@pytest.mark.database("postgresql")
def test_how_many_reports_there_are_changes_nothing_of_what_postgresql_is_told(world: World) -> None:
    """Else each batch would be read and planned anew, and a large one be a statement for each report."""
    assert statements(world, 7) == statements(world, 30)
