"""Statements that go past SQLAlchemy give the same rows, and the same errors."""

import pytest
from sqlalchemy import bindparam, exc, select

from reports import World
from schoolwatch_server.database import registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.asked import _FEW, Asked
from schoolwatch_server.database.engine import begin_read, begin_write

_c = t.commune.c
QUERY = (
    select(_c.id, _c.code, _c.id * 2 + 1)
    .where(_c.id.in_(bindparam("ids", expanding=True)), _c.code >= bindparam("least"))
    .order_by(_c.id)
    .limit(1000)
)


def test_rows_are_those_of_sqlalchemy(world: World) -> None:
    with begin_write(world.engine) as conn:
        province = registry.create_province(conn, "PX", "Tỉnh")
        ids = [registry.create_commune(conn, province, f"X{n:03}", f"Xã {n}") for n in range(_FEW + 5)]
    asked = Asked(QUERY)
    with begin_read(world.engine) as conn:
        for some in ([], ids[:1], ids[2:4], ids[4:6], ids[:_FEW], ids, [-1, ids[3]]):
            for least in ("X003", "X000"):
                given = {"ids": some, "least": least}
                found = [tuple(row) for row in asked.all(conn, given)]
                assert found == [tuple(row) for row in conn.execute(QUERY, given)]
        assert len(found) == 1


def test_errors_are_those_of_sqlalchemy(world: World) -> None:
    asked = Asked(select(t.commune.c.id))
    with begin_write(world.engine) as conn:
        asked.all(conn, {})
        conn.exec_driver_sql("ALTER TABLE commune RENAME TO elsewhere")
        with pytest.raises(exc.DBAPIError):
            asked.all(conn, {})
        conn.rollback()
