"""The index of judged series says of each what the database does, whatever was deleted meanwhile."""

import pytest
from sqlalchemy import delete, select

from reports import NOW, World
from schoolwatch_server.database import erasure, judged, judged_index
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.judged_index import RECOUNTED, JudgedIndex
from schoolwatch_server.influxql.condition import ANY, Condition, Match
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.store.series import Judged


def put(world: World, *schools: int) -> None:
    rows = [
        Judged("line", {"level": "school", "school": str(one), "way": way}, NOW, 1.0)
        for one in schools
        for way in ("download", "upload")
    ]
    with begin_write(world.engine) as conn:
        judged.write(conn, rows)


def gone(world: World, school: int) -> None:
    with begin_write(world.engine) as conn:
        erasure._series_of_lists(conn, erasure.Counter(), school)


def held(world: World, index: JudgedIndex, scope: Scope = EVERYTHING) -> dict[object, str]:
    """Series by its id, by its school."""
    with begin_read(world.engine) as conn:
        return {one.id: one.tags["school"] for one in index.now(conn).series("line", ANY, scope)}


def kept(world: World) -> dict[object, str]:
    s = t.judged_series.c
    with begin_read(world.engine) as conn:
        return {id_: judged.tags_of(text)["school"] for id_, text in conn.execute(select(s.id, s.tags))}


@pytest.mark.parametrize("others", [(8,), (8, 9), (8, 9, 10)])
def test_a_series_that_got_the_number_of_a_deleted_one_is_no_longer_the_other_schools(
    world: World, others: tuple[int, ...]
) -> None:
    """SQLite gives the highest numbers away again; and as many came as went, so that no count tells."""
    index = JudgedIndex(clock=lambda: 0.0)
    put(world, 1, 6, 7)
    assert held(world, index) == kept(world)
    gone(world, 6)
    gone(world, 7)
    put(world, *others)
    there = kept(world)
    assert {id_: school for id_, school in held(world, index).items() if id_ in there} == there
    assert there.keys().isdisjoint(held(world, index, Scope("school", 7)))
    assert set(held(world, index, Scope("school", 8)).values()) == {"8"}


def test_series_that_went_are_held_until_it_is_counted(world: World) -> None:
    now = [0.0]
    index = JudgedIndex(clock=lambda: now[0])
    put(world, 1, 2)
    held(world, index)
    gone(world, 2)
    assert len(held(world, index)) == 4
    now[0] += RECOUNTED
    assert held(world, index) == kept(world)


def test_what_was_chosen_once_is_chosen_among_all_that_came_and_for_each_scope_by_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judged_index, "_CHOICES", 2)
    index, wanted = JudgedIndex(clock=lambda: 0.0), Match("way", "=", "upload")
    put(world, 1, 2)

    def schools(scope: Scope = EVERYTHING, where: Condition = wanted) -> list[str]:
        with begin_read(world.engine) as conn:
            return [one.tags["school"] for one in index.now(conn).series("line", where, scope)]

    for _ in range(2):
        assert schools() == ["1", "2"]
        assert schools(Scope("school", 2)) == ["2"]
        assert schools(where=ANY) == ["1", "1", "2", "2"]
    put(world, 3)
    assert schools() == ["1", "2", "3"]
    assert schools(Scope("school", 3)) == ["3"]


def test_one_who_began_to_look_before_others_came_breaks_nothing(world: World) -> None:
    index = JudgedIndex(clock=lambda: 0.0)
    put(world, 1)
    with begin_read(world.engine) as early:
        early.execute(select(t.judged_series.c.id)).all()
        put(world, 2)
        assert held(world, index) == kept(world)
        index.now(early)
    assert held(world, index) == kept(world)
    with begin_write(world.engine) as conn:
        conn.execute(delete(t.judged))
        conn.execute(delete(t.judged_series))
    put(world, 3)
    assert held(world, index) == kept(world)
