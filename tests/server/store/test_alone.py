"""Two servers never write to one store: each has ids of its own for schools."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import Peer
from influxdb import DATABASE
from influxdb import holding as holding_influxdb
from schoolwatch_server.store.influx import alone
from schoolwatch_server.store.influx.alone import Alone, name
from schoolwatch_server.store.influx.engine import About, StoreDownError, StoreEngine
from schoolwatch_server.store.influx.open import open_engine
from schoolwatch_server.store_section import SeriesStore
from victoriametrics import holding as holding_victoriametrics

Shown = tuple[StoreEngine, Callable[[], None]]


@pytest.fixture(scope="module", params=["influxdb", "victoriametrics"])
def shown(
    request: pytest.FixtureRequest,
    peer: Peer,
    tmp_path_factory: pytest.TempPathFactory,
    free_port: Callable[[], int],
) -> Iterator[Shown]:
    """A real one, and what makes it show what it was told."""
    folder, kind = tmp_path_factory.mktemp("alone"), request.param
    if kind == "influxdb":
        with holding_influxdb(peer("influxd"), folder, free_port, ["x value=1"]) as influxdb:
            engine = open_engine(SeriesStore("influxdb", influxdb.url, database=DATABASE))
            yield engine, lambda: None
            engine.close()
    else:
        with holding_victoriametrics(peer("victoria-metrics"), folder, free_port, ["x value=1"]) as metrics:
            engine = open_engine(SeriesStore("victoriametrics", metrics.url))
            yield engine, metrics.flush
            engine.close()


def test_who_comes_second_writes_nothing_until_the_first_is_gone(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, flush = shown
    now = [time.time()]
    monkeypatch.setattr(alone, "EVERY", 0.0)
    first, second = (Alone(store, me, lambda: now[0]) for me in ("real", "trial"))
    for _ in range(2):
        first.look()
        flush()
        with pytest.raises(
            StoreDownError, match=r"another server writes .*\(real; this one is trial\)"
        ) as told:
            second.look()
        now[0] += 60
    assert "store.bucket" in str(told.value)
    assert "\n" not in str(told.value)
    now[0] += alone.STALE
    second.look()
    flush()
    with pytest.raises(StoreDownError, match=r"\(trial; this one is real\)"):
        first.look()


def test_a_store_that_cannot_be_read_is_written_to(caplog: pytest.LogCaptureFixture) -> None:
    """As an InfluxDB 2 whose token may only write: what was so before goes on."""
    written: list[bytes] = []

    class WrittenOnly:
        def read(self, *_: object) -> None:
            raise StoreDownError("403")

        def about(self) -> About:
            return About()

        def write(self, lines: bytes) -> int:
            written.append(lines)
            return 0

    one = Alone(WrittenOnly(), "real", lambda: 1.5)  # type: ignore[arg-type]
    one.look()
    one.look()
    assert written == [b"schoolwatch_writer,server=real value=1.0 1500000000"]
    assert "can't be seen: 403" in caplog.text


def test_a_copy_in_another_place_is_another_server(tmp_path: Path) -> None:
    here = name("a" * 16, tmp_path)
    assert here == name("a" * 16, tmp_path / "." / "")
    assert len({here, name("a" * 16, tmp_path / "copy"), name("b" * 16, tmp_path)}) == 3
