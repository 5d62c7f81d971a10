"""What the server judged is written as series, once however often, and read by tags and range."""

from sqlalchemy import select

from reports import NOW, World
from schoolwatch_server.database import judged, judged_queries
from schoolwatch_server.database import judged_statements as statements
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.influxql.instant import SECOND
from schoolwatch_server.influxql.patience import Patience
from schoolwatch_server.influxql.query import Buckets, Span
from schoolwatch_server.store import Judged, Store
from schoolwatch_server.store.sqlite import SqliteStore

TAGS = {"indicator": "ipv6", "level": "school", "school": "1", "province": "1"}


def test_written_twice_is_there_once_and_the_newest_counts(world: World) -> None:
    store: Store = SqliteStore(world.engine)
    row = Judged("indicator", TAGS, NOW, 0.5, 5, 10, 0.9, "network-1")
    store.write_judged([row])
    store.write_judged([row])
    assert store.judged("indicator", TAGS, NOW, NOW + 1) == (row,)
    corrected = Judged("indicator", dict(reversed(TAGS.items())), NOW, None, None, 10, 0.1, "network-2")
    store.write_judged([corrected])
    assert store.judged("indicator", {}, NOW, NOW + 1) == (corrected,)


def test_read_by_part_of_the_tags_and_by_range(world: World) -> None:
    store = SqliteStore(world.engine)
    rows = [
        Judged("indicator", {**TAGS, "school": str(school)}, NOW + at, school + at)
        for at in range(3)
        for school in (1, 2)
    ]
    store.write_judged(rows)
    store.write_judged([Judged("posture", TAGS, NOW, 1.0)])
    assert store.judged("indicator", {"province": "1"}, NOW, NOW + 2) == tuple(rows[:4])
    assert store.judged("indicator", {"school": "2"}, NOW + 2, NOW + 9) == (rows[5],)
    assert store.judged("indicator", {"school": "3"}, NOW, NOW + 9) == ()
    with begin_read(world.engine) as conn:
        assert judged.latest(conn, "indicator", {"level": "school"}) == tuple(rows[4:])


def test_writing_nothing_is_nothing(world: World) -> None:
    store = SqliteStore(world.engine)
    store.write_judged([])
    assert store.judged("indicator", {}, 0, NOW) == ()


def test_the_last_of_each_interval_comes_in_one_question_on_postgresql(world: World) -> None:
    store = SqliteStore(world.engine)
    start = int(NOW) // 3600 * 3600
    rows = [
        Judged("indicator", {**TAGS, "school": str(school)}, start + 600 * step, None if step == 5 else step)
        for school in range(120)
        for step in range(9)
    ]
    store.write_judged(rows)
    span, hours = Span(start * SECOND, (start + 86_400) * SECOND), Buckets(3600 * SECOND)
    with begin_read(world.engine) as conn:
        ids = conn.scalars(select(t.judged_series.c.id).order_by(t.judged_series.c.id.desc())).all()
        found = judged_queries.lasts(conn, ids, "value", span, hours, Patience())
        folded = judged_queries.folds(conn, ids, "value", span, hours, frozenset({"last"}), Patience())
        text = statements.lasts("value").query(conn.dialect.name)
    assert {*found} == {*folded} == {*ids}
    hour = 3600 * SECOND
    assert {*found.values()} == {((span.start, 4.0), (span.start + hour, 8.0))}
    for its in folded.values():
        assert {at: (one.last, one.last_at) for at, one in its.items()} == {
            span.start: (4.0, span.start + 2400 * SECOND),
            span.start + hour: (8.0, span.start + 4800 * SECOND),
        }
    assert ("ids" in text.compile(dialect=world.engine.dialect).params) is (
        world.engine.dialect.name == "postgresql"
    ), "SQLite reads one series after the other, in its own process"
