"""What every graph asks goes to the driver itself: the same rows, and errors as SQLAlchemy tells them."""

import pytest
from sqlalchemy import bindparam, column, exc, select, table

from reports import World
from schoolwatch_server.database import asked
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.asked import Asked, listed
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.registry import create_province

CODE = Asked(select(t.province.c.code).where(t.province.c.name == bindparam("name")))
GONE = Asked(select(column("x")).select_from(table("gone")).where(column("x") == bindparam("x")))
AMONG = Asked(
    lambda dialect: select(t.province.c.id).where(asked.among(dialect, t.province.c.id)).order_by("id")
)
EACH = Asked(lambda dialect: select(asked.each(dialect).c.value))


def test_it_reads_what_its_transaction_sees(world: World) -> None:
    with begin_write(world.engine) as conn:
        create_province(conn, "P77", "Tỉnh '77' %s ?")
        assert CODE.all(conn, {"name": "Tỉnh '77' %s ?"}) == [("P77",)]
        with begin_read(world.engine) as other:
            assert CODE.all(other, {"name": "Tỉnh '77' %s ?"}) == []


def test_ids_are_one_parameter_however_many(world: World) -> None:
    many = [*range(1, 70_000), 2**40]
    with begin_write(world.engine) as conn:
        made = create_province(conn, "P78", "Tỉnh 78")
        given = {"ids": listed(conn.dialect.name, many)}
        assert (made,) in AMONG.all(conn, given)
        assert sorted(EACH.all(conn, given)) == [(id_,) for id_ in many]
        assert AMONG.all(conn, {"ids": listed(conn.dialect.name, [])}) == []


def test_what_is_wrong_is_told_as_everywhere(world: World) -> None:
    with begin_read(world.engine) as conn, pytest.raises(exc.DBAPIError):
        GONE.all(conn, {"x": 1})
    with begin_read(world.engine) as conn:
        assert CODE.all(conn, {"name": "none"}) == []


def test_what_is_wrong_within_a_change_is_told_too(world: World) -> None:
    communes = Asked(select(t.commune.c.id))
    with begin_write(world.engine) as conn:
        communes.all(conn, {})
        conn.exec_driver_sql("ALTER TABLE commune RENAME TO elsewhere")
        with pytest.raises(exc.DBAPIError):
            communes.all(conn, {})
        conn.rollback()
