"""What a panel says of now: nothing of a place that is gone or of which nothing is known, on every engine."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

import influxdb
import victoriametrics
from asking_panels import Asking
from conftest import Peer
from influxql_queries import same
from panels_world import expanded
from schoolwatch_server import rules
from schoolwatch_server.database import erasure, judged, reorganised
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.grafana import influxql, lan, promql
from schoolwatch_server.grafana.places import IN_SCHOOL, OF_ALL_SCHOOLS, map_of_chosen, now, worst
from schoolwatch_server.grafana.spec import Panel, Query
from schoolwatch_server.indicators import series
from schoolwatch_server.indicators.series import series_of
from schoolwatch_server.indicators.stored import MEASUREMENT
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.standings import lan as lans
from schoolwatch_server.standings.keeping import Standings
from schoolwatch_server.standings.lan import Lan
from schoolwatch_server.store.influx import naming
from schoolwatch_server.store.influx.open import open_engine
from schoolwatch_server.store.influx.writer import Writer
from schoolwatch_server.store.lines import tag
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store.series import Judged
from schoolwatch_server.store_section import SeriesStore
from tree import School, Tree

INDICATOR = "antivirus_coverage"
EVERY = 300.0
RULES = rules.load()

WORST = worst(INDICATOR, OF_ALL_SCHOOLS, "commune_name", "school_name")
PLACED = map_of_chosen(OF_ALL_SCHOOLS)
OF_ONE = now(INDICATOR, IN_SCHOOL)
STRANGE = next(panel for panel in lan.OF_SCHOOL.panels if panel.query.where.get("what") == "strange")


def place(school: School, commune: int | None = None) -> dict[str, str]:
    above = {"province": str(school.province), "commune": str(commune or school.commune)}
    return {"level": "school", "school": str(school.id), **above}


def told(school: School, at: float, value: float | None, commune: int | None = None) -> Judged:
    tags = place(school, commune) | {"indicator": INDICATOR}
    return Judged(MEASUREMENT, tags, at, value, 1.0, 2.0, 0.1 if value is None else 0.9)


class World:
    """A province of four schools, of which one is deleted, one merged into the next, one moved; and another
    of which nothing is known any more."""

    def __init__(self, folder: Path) -> None:
        self.tree = Tree(folder)
        self.slot = time.time() // EVERY * EVERY
        self.later = 0.0
        self.deleted, self.merged, self.moved, self.stays, self.unknown, *_ = self.tree.schools
        self.chosen = {
            "province": str(self.stays.province),
            "school": str(self.unknown.id),
            "indicator": INDICATOR,
        }
        with begin_write(self.tree.engine) as conn:
            at = self.slot - 7200
            judged.write(conn, [told(one, at, n / 10) for n, one in enumerate(self.tree.schools)])
            written: series.Written = {}
            for strange, when in ((3, at), (0, at + 60)):  # then nobody listens there any more
                its = {("school", self.unknown.id): place(self.unknown)}
                rows = list(lans.rows({self.unknown.id: Lan(strange=strange)}, its, when))  # type: ignore[dict-item]
                new = series.news(rows, written)
                judged.write(conn, new)
                written |= {series_of(row): row for row in new}

    def change(self, standings: Standings | None = None) -> None:
        """What people do, and what is judged afterwards."""
        tree, there = self.tree, self.deleted.commune
        with begin_write(tree.engine) as conn:
            erasure.school(conn, self.deleted.id, tree.now)
            reorganised.merge_schools(conn, self.merged.id, self.stays.id, tree.now, "so")
            its = t.school.c.id == self.moved.id
            conn.execute(update(t.school).where(its).values(commune_id=there))
            judged.write(conn, [told(self.moved, self.slot, 0.5, there), told(self.unknown, self.slot, None)])
        (standings or Standings(tree.engine)).note_open(RULES, self.slot + 1, EVERY)

    def asking(self) -> Asking:
        return Asking(round((self.slot - 86_400) * 1000), round((self.slot + 60) * 1000), "1h", self.chosen)

    def rows(self, panel: Panel) -> dict[tuple[str, ...], float]:
        """What our own program says."""
        with begin_read(self.tree.engine) as conn:
            source = Queried(conn, JudgedIndex(), EVERYTHING, self.slot + 60)
            found = self.asking().influxql(panel.queries[0], source)
        return {tags: number for tags, its in found.items() for number in its.values()}

    def rename(self, name: str = "Tên mới", position: str = "20.25, 105.97") -> None:
        """A school, its commune and the province; another one stands elsewhere on the map."""
        with begin_write(self.tree.engine) as conn:
            for table, id_ in (
                (t.school, self.stays.id),
                (t.commune, self.stays.commune),
                (t.province, self.stays.province),
            ):
                conn.execute(update(table).where(table.c.id == id_).values(name=name))
            its = t.school.c.id == self.moved.id
            conn.execute(update(t.school).where(its).values(position=position))

    @contextmanager
    def writer(self, store: SeriesStore) -> Iterator[Writer]:
        """One that was started a minute after the one before."""
        self.later += 60
        at, listed = self.later, self.tree.folder / "deletions"
        with closing(open_engine(store)) as engine:
            yield Writer(self.tree.engine, engine, store.place, listed, clock=lambda: time.time() + at)


@pytest.fixture(autouse=True)
def names_are_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_NAMES_EVERY", -1.0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "tree")
    yield made
    made.tree.engine.dispose()


def expected(world: World) -> dict[str, float]:
    """By school, where it stands now."""
    return {str(world.moved.id): 0.5, str(world.stays.id): 0.3}


def test_a_place_that_went_or_moved_is_not_told_of(world: World) -> None:
    before = world.rows(WORST)
    assert len(before) == 4
    world.change()
    rows = world.rows(WORST)
    assert {school: number for _, _, school, _, number in ((*of, n) for of, n in rows.items())} == expected(
        world
    )
    assert {of[0] for of in rows if of[2] == str(world.moved.id)} == {str(world.deleted.commune)}
    assert all(all(of) for of in rows), "none without a name"


def test_unknown_is_not_what_was_known_last(world: World) -> None:
    assert world.rows(OF_ONE) == {(): 0.4}
    world.change()
    assert world.rows(OF_ONE) == {}
    assert world.rows(STRANGE) == {}, "nobody listens, so nothing is known of machines that are strange"


def test_nothing_falls_where_a_school_was(world: World) -> None:
    """Nor does what it was there keep an incident open, or is shown to Prometheus."""
    world.change()
    tags = {"indicator": INDICATOR, "level": "school", "province": str(world.stays.province)}
    with begin_read(world.tree.engine) as conn:
        for target in (0.15, 0.9):
            found = judged.fallen(conn, MEASUREMENT, tags, target, higher=True, after=0)
            there = {(one.tags["school"], one.tags["commune"]): one.value for one in found}
            of_moved = (str(world.moved.id), str(world.deleted.commune))
            of_staying = (str(world.stays.id), str(world.stays.commune))
            assert there == ({of_moved: 0.5, of_staying: 0.3} if target == 0.9 else {})


def test_who_comes_back_is_told_of_at_once(world: World) -> None:
    """What was written there before is not taken for what stands there; an end is written once."""
    row = told(world.moved, world.slot - 7200, 0.2)
    written = {series_of(row): row}
    standings = Standings(world.tree.engine, (written,))
    world.change(standings)
    assert written == {}
    assert series.news([row], written) == [row]
    with begin_read(world.tree.engine) as conn:
        ends = [one for one in judged.latest(conn, MEASUREMENT, row.tags) if one.denominator == 0]
    assert [(one.at, one.value) for one in ends] == [(world.slot - 1, None)]
    Standings(world.tree.engine).note_open(RULES, world.slot + EVERY, EVERY)  # of another process
    with begin_read(world.tree.engine) as conn:
        assert list(judged.latest(conn, MEASUREMENT, row.tags)) == ends


def test_influxdb_says_the_same(
    peer: Peer, free_port: Callable[[], int], world: World, tmp_path: Path
) -> None:
    with influxdb.holding(peer("influxd"), tmp_path / "influxdb", free_port) as running:
        store = SeriesStore("influxdb", running.url, database=influxdb.DATABASE)

        def theirs(query: Query) -> dict[tuple[str, ...], float]:
            asking = world.asking()
            text = expanded(influxql.query(query), world.chosen, asking.start, asking.end, "1h")
            (result,) = running.ask(text)["results"]
            return {
                tuple(one.get("tags", {}).get(tag, "") for tag in query.apart): one["values"][0][1]
                for one in result.get("series", ())
                if one["values"][0][1] is not None
            }

        compared(world, store, theirs)


def test_victoriametrics_says_the_same(
    peer: Peer, free_port: Callable[[], int], world: World, tmp_path: Path
) -> None:
    program = peer("victoria-metrics")
    with victoriametrics.holding(program, tmp_path / "victoriametrics", free_port, ()) as running:
        store = SeriesStore("victoriametrics", running.url)

        def theirs(query: Query) -> dict[tuple[str, ...], float]:
            running.flush()
            found = world.asking().promql(query, running)
            assert promql.query(query)
            return {tags: number for tags, its in found.items() for number in its.values()}

        compared(world, store, theirs)


def compared(
    world: World, store: SeriesStore, theirs: Callable[[Query], dict[tuple[str, ...], float]]
) -> None:
    for do in ([], [world.change], [world.rename]):
        with world.writer(store) as writer:
            writer.catch_up()  # what it knows of names before
            for each in do:
                each()
            writer.catch_up()
        all_the_same(world, theirs)
    world.rename("Tên `mới` hơn", "20.26, 105.98")  # nobody runs
    for _ in range(2):  # and once more, when all of it is written
        with world.writer(store) as writer:
            writer.catch_up()
        all_the_same(world, theirs)


def all_the_same(world: World, theirs: Callable[[Query], dict[tuple[str, ...], float]]) -> None:
    for panel in (WORST, OF_ONE, STRANGE, PLACED):
        ours, others = world.rows(panel), theirs(panel.queries[0])
        told = {tuple(map(tag, tags)): number for tags, number in ours.items()}
        assert same({str(k): v for k, v in told.items()}, {str(k): v for k, v in others.items()}), panel
