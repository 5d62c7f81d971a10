"""What every store of series does alike: the embedded one, InfluxDB and VictoriaMetrics.

A further InfluxDB from 1.8 on is tested where INFLUX_URL names one, with INFLUX_BUCKET (or INFLUX_DATABASE),
INFLUX_ORG and INFLUX_TOKEN_FILE.
"""

import itertools
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import Peer
from influxdb import DATABASE
from influxdb import holding as holding_influxdb
from reports import NOW, RULES, Device, World
from schoolwatch_contract.catalogue import METRICS, shown_alone
from schoolwatch_contract.records import Reading
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.intake.batch import take
from schoolwatch_server.store import Judged, Point, Resolution, Store
from schoolwatch_server.store.influx.open import open_engine
from schoolwatch_server.store.influx.stored import InfluxStore
from schoolwatch_server.store.influx.writer import Writer
from schoolwatch_server.store.rollup import DAY, HOUR, bucket
from schoolwatch_server.store.sqlite import SqliteStore
from schoolwatch_server.store_section import SeriesStore
from victoriametrics import holding as holding_victoriametrics

NUMBERS = itertools.count()
ENGINES = (
    "embedded",
    "influxdb",
    "victoriametrics",
    *(("influx_url",) if "INFLUX_URL" in os.environ else ()),
)
OF_ROOMS = next(name for name in METRICS if not shown_alone(name))


@pytest.fixture(scope="module", params=ENGINES)
def section(
    request: pytest.FixtureRequest,
    peer: Peer,
    tmp_path_factory: pytest.TempPathFactory,
    free_port: Callable[[], int],
) -> Iterator[tuple[SeriesStore, Callable[[], None]]]:
    """The settings of a running store, and what makes that all that was written is found."""
    folder = tmp_path_factory.mktemp("engine")
    if request.param == "embedded":
        yield SeriesStore(), lambda: None
    elif request.param == "influx_url":
        told = {
            key: os.environ.get(f"INFLUX_{key.upper()}", "") for key in ("url", "bucket", "database", "org")
        }
        yield (
            SeriesStore("influxdb", token_file=os.environ.get("INFLUX_TOKEN_FILE", ""), **told),
            lambda: None,
        )
    elif request.param == "influxdb":
        with holding_influxdb(peer("influxd"), folder, free_port, ["x value=1"]) as influxdb:
            yield SeriesStore("influxdb", influxdb.url, database=DATABASE), lambda: None
    else:
        with holding_victoriametrics(peer("victoria-metrics"), folder, free_port, ["x value=1"]) as metrics:
            yield SeriesStore("victoriametrics", metrics.url), metrics.flush


@dataclass
class Kept:
    """A store, with the server that takes reports in for it."""

    world: World
    store: Store
    settle: Callable[[], None]

    def take(self, *messages) -> None:
        """What is taken in is then in the store."""
        take(self.world.engine, list(messages), RULES)
        self.settle()

    def points(
        self, device: Device, metric: str, start: float, end: float, resolution: Resolution | None = None
    ) -> dict[tuple[tuple[str, str], ...], list[Point]]:
        """Its points by labels."""
        found = self.store.series(device.id, metric, start, end, resolution)
        assert all(one.metric == metric for one in found)
        return {tuple(sorted(one.labels.items())): list(one.points) for one in found}


@pytest.fixture
def kept(world: World, section: tuple[SeriesStore, Callable[[], None]], tmp_path: Path) -> Iterator[Kept]:
    settings, flush = section
    if settings.kind == "embedded":
        yield Kept(world, SqliteStore(world.engine), flush)
        return
    engine = open_engine(settings)
    listed = tmp_path / "deletions"
    writer = Writer(world.engine, engine, settings.place, listed, clock=lambda: NOW + DAY)

    def settle() -> None:
        writer.catch_up()
        flush()

    yield Kept(world, InfluxStore(world.engine, engine), settle)
    engine.close()


def raw(at: float, value: float) -> Point:
    return Point(at, value, value, value, 1, value, at)


def test_a_metric_of_a_device_is_one_series_a_label_set(kept: Kept) -> None:
    device, other = kept.world.enrol(2)
    kept.take(
        device.message(
            1,
            at=NOW + 0.125,
            readings=(
                Reading("link.speed", 1e9, {"nic": "eth0"}),
                Reading("link.speed", 1e8, {"nic": "Wi-Fi 2, số"}),
                Reading("processor.load", 1.5),
            ),
        ),
        device.message(2, at=NOW + 10, readings=(Reading("link.speed", 1e7, {"nic": "eth0"}),)),
        other.message(1, at=NOW + 1, readings=(Reading("link.speed", 5.0, {"nic": "eth0"}),)),
    )
    assert kept.points(device, "link.speed", NOW, NOW + 100) == {
        (("nic", "Wi-Fi 2, số"),): [raw(NOW + 0.125, 1e8)],
        (("nic", "eth0"),): [raw(NOW + 0.125, 1e9), raw(NOW + 10, 1e7)],
    }
    assert kept.points(device, "processor.load", NOW, NOW + 100) == {(): [raw(NOW + 0.125, 1.5)]}


def test_a_range_has_its_beginning_and_not_its_end(kept: Kept) -> None:
    (device,) = kept.world.enrol()
    kept.take(*(device.message(n, at=NOW + n, readings=(Reading("processor.load", n),)) for n in range(1, 5)))
    assert kept.points(device, "processor.load", NOW + 2, NOW + 4) == {(): [raw(NOW + 2, 2), raw(NOW + 3, 3)]}


def test_unknown_is_a_gap_and_never_0(kept: Kept) -> None:
    (device,) = kept.world.enrol()
    values = (0.0, None, -1.5e-7)
    kept.take(
        *(
            device.message(n, at=NOW + n, readings=(Reading("processor.load", value),))
            for n, value in enumerate(values, 1)
        )
    )
    assert kept.points(device, "processor.load", NOW, NOW + 9) == {
        (): [raw(NOW + 1, 0.0), raw(NOW + 3, -1.5e-7)]
    }


def test_what_is_shown_of_rooms_alone_has_no_series_of_a_device(kept: Kept) -> None:
    (device,) = kept.world.enrol()
    kept.take(device.message(1, readings=(Reading(OF_ROOMS, 1.0), Reading("processor.load", 1.0))))
    assert kept.points(device, OF_ROOMS, NOW - 9, NOW + 9) == {}


def test_points_lie_on_the_servers_clock_and_late_ones_on_their_instant(kept: Kept) -> None:
    (device,) = kept.world.enrol(clock=7200.0)
    load = Reading("processor.load", 1.0)
    kept.take(device.message(1, at=NOW, readings=(load,)))
    kept.take(device.message(2, at=NOW + 60, taken_at=NOW - 5 * HOUR, readings=(load,)))
    found = kept.points(device, "processor.load", NOW - DAY, NOW + DAY, "raw")
    assert found == {(): [raw(NOW - 5 * HOUR, 1.0), raw(NOW, 1.0)]}


def test_hours_and_days_are_made_of_all_their_points(kept: Kept) -> None:
    (device,) = kept.world.enrol()
    hour, day = bucket(NOW, HOUR), bucket(NOW, DAY)
    values = {hour + 1.5: 3.0, hour + 60: 0.1, hour + 3599.75: 0.2, hour + HOUR: 7.0}
    for number, (at, value) in enumerate(values.items(), 1):
        kept.take(device.message(number, at=at, readings=(Reading("processor.load", value),)))
    first = Point(float(hour), math.fsum((3.0, 0.1, 0.2)) / 3, 0.1, 3.0, 3, 0.2, hour + 3599.75)
    second = Point(float(hour + HOUR), 7.0, 7.0, 7.0, 1, 7.0, float(hour + HOUR))
    (hours,) = kept.points(device, "processor.load", hour + 30, hour + HOUR + 1, "1h").values()
    assert hours == [first, second]
    assert [hours[:1]] == list(kept.points(device, "processor.load", hour + 30, hour + HOUR, "1h").values())
    (days,) = kept.points(device, "processor.load", day + 5, day + DAY, "1d").values()
    assert sum(point.count for point in days) == sum(bucket(at, DAY) == day for at in values)
    assert days[0].at == day


def test_what_was_judged_comes_back_by_part_of_its_tags_and_by_range(kept: Kept) -> None:
    indicator = f"i{next(NUMBERS)}"
    rows = [
        Judged(
            "indicator",
            {"indicator": indicator, "level": "school", "school": str(school), "commune": "1"},
            NOW + at,
            (school + at) / 8,
            5.0,
            None if at else 10.0,
            1.0,
        )
        for at in range(3)
        for school in (1, 2)
    ]
    kept.store.write_judged(rows)
    kept.settle()
    assert kept.store.judged("indicator", {"indicator": indicator}, NOW, NOW + 2) == tuple(rows[:4])
    assert kept.store.judged("indicator", {"indicator": indicator, "school": "2"}, NOW + 2, NOW + 9) == (
        rows[5],
    )
    assert kept.store.judged("indicator", {"indicator": indicator, "school": "3"}, NOW, NOW + 9) == ()
    assert kept.store.judged("indicator_part", {"indicator": indicator}, NOW, NOW + 9) == ()


def test_not_enough_data_is_no_number(kept: Kept) -> None:
    row = Judged("indicator", {"indicator": f"i{next(NUMBERS)}"}, NOW, None, None, 12.0, 0.25)
    kept.store.write_judged([row])
    kept.settle()
    assert kept.store.judged("indicator", row.tags, NOW, NOW + 1) == (row,)


def test_written_twice_is_there_once(kept: Kept) -> None:
    row = Judged(
        "indicator", {"indicator": f"i{next(NUMBERS)}", "level": "province"}, NOW, 0.5, 5.0, 10.0, 0.9
    )
    kept.store.write_judged([row])
    kept.store.write_judged([row, row])
    kept.settle()
    assert kept.store.judged("indicator", row.tags, NOW, NOW + 1) == (row,)


def test_names_of_places_are_no_part_of_what_was_judged(kept: Kept) -> None:
    with begin_write(kept.world.engine) as conn:
        province = registry.create_province(conn, "P9", 'Tỉnh "Chín", = một')
    row = Judged("indicator", {"indicator": f"i{next(NUMBERS)}", "province": str(province)}, NOW, 1.0)
    kept.store.write_judged([row])
    kept.settle()
    assert kept.store.judged("indicator", row.tags, NOW, NOW + 1) == (row,)


def test_writing_nothing_is_nothing(kept: Kept) -> None:
    kept.store.write_judged([])
    assert kept.store.judged("indicator", {"indicator": "none"}, 0.0, NOW + DAY) == ()
