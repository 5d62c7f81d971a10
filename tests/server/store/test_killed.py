"""A real VictoriaMetrics that is killed under load has every point in the end; so has one that was long away.

The long run is benchmarks/store_kills.py.
"""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from conftest import Peer
from parts.killed_store import POINTS, Kill, Load, counted, in_background, kill
from reports import World
from schoolwatch_server.database import store_writer
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.store.influx.engine import StoreDownError
from schoolwatch_server.store.influx.open import open_engine
from schoolwatch_server.store.influx.writer import Writer
from schoolwatch_server.store_section import SeriesStore
from victoriametrics import RunningVictoriaMetrics

SECONDS, LINES = 6.0, 2000
KILLS = (Kill(2.0, 0.5), Kill(4.5, 0.3))
HOUR = 3600.0


@pytest.fixture
def metrics(
    peer: Peer, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[RunningVictoriaMetrics]:
    folder = tmp_path_factory.mktemp("metrics")
    running = RunningVictoriaMetrics(peer("victoria-metrics"), folder, free_port())
    running.start()
    yield running
    running.stop()


@pytest.fixture
def load(world: World) -> Load:
    load = Load(world.engine)
    load.enrol(30)
    return load


@pytest.fixture
def writing(world: World, metrics: RunningVictoriaMetrics) -> Iterator[Writer]:
    """A writer that goes on, whatever happens to its store."""
    section = SeriesStore("victoriametrics", metrics.url)
    engine = open_engine(section)
    # 15 s are three times what VictoriaMetrics keeps from its disk
    writer = Writer(world.engine, engine, section.place, world.folder / "none", margin=15.0, look_every=0.2)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            try:
                if not writer.step():
                    stop.wait(0.05)
            except StoreDownError as error:
                writer.fail(str(error))
                stop.wait(0.2)

    thread = in_background(write)
    yield writer
    stop.set()
    thread.join()
    engine.close()


def settled(world: World, writer: Writer, load: Load) -> None:
    """All was told, to the store that runs now."""
    deadline = time.monotonic() + 60
    looked = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        with begin_read(world.engine) as conn:
            found = store_writer.standing(conn, time.time())
        reached = writer.progress.reached.journal
        if time.monotonic() > looked and found is not None and not found.reports and reached >= load.reports:
            return
        time.sleep(0.1)
    raise AssertionError(f"told {reached} of {load.reports} reports: {writer.progress}")


def test_killed_twice_under_load_it_has_every_point(
    world: World, metrics: RunningVictoriaMetrics, writing: Writer, load: Load
) -> None:
    begun = time.time()
    loading = in_background(lambda: load.run(SECONDS, LINES))
    assert len(list(kill(metrics, KILLS))) == len(KILLS)
    loading.join()
    settled(world, writing, load)
    assert load.points >= SECONDS * LINES * 0.8
    assert counted(metrics.url, time.time() - begun + 60) == (load.points, load.total)


def test_away_for_an_hour_it_gets_all_of_it_afterwards(
    world: World, metrics: RunningVictoriaMetrics, writing: Writer, load: Load
) -> None:
    """The hour passes in what computers say, a report a minute each; intake never waits."""
    begun = time.time()
    metrics.stop()
    for minute in range(60):
        load.report(30, begun - HOUR + minute * 60)
    with begin_read(world.engine) as conn:
        away = store_writer.standing(conn, time.time())
    assert away is not None
    assert away.reports == 1800
    assert writing.progress.reached.journal == 0
    metrics.start()
    settled(world, writing, load)
    assert counted(metrics.url, HOUR + 600) == (1800 * POINTS, load.total)
