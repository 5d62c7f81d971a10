"""The writer of a store of series: all comes in once, whatever dies, refuses or hangs meanwhile."""

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from databases import settings_of
from influxdb import DATABASE, RunningInfluxDB
from reports import NOW, RULES, World
from schoolwatch_contract.records import Reading
from schoolwatch_server import deletions, evaluate, store_writer
from schoolwatch_server.database import journal, judged, judged_log, retention, tables
from schoolwatch_server.database import store_writer as kept
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.deletions import Deletion
from schoolwatch_server.indicators.stored import MEASUREMENT
from schoolwatch_server.intake.batch import take
from schoolwatch_server.store.influx import naming, sending, writer
from schoolwatch_server.store.influx import open as opening
from schoolwatch_server.store.influx.engine import (
    About,
    Found,
    StoreDownError,
    StoreRefusesError,
    StoreSlowError,
)
from schoolwatch_server.store.influx.writer import Writer
from schoolwatch_server.store.names import GO_WITH_SCHOOL
from schoolwatch_server.store.series import Judged
from schoolwatch_server.store_section import SeriesStore

PLACE = "victoriametrics http://127.0.0.1:8428"


@dataclass
class Memory:
    """A store in memory that keeps only what it has synced when it is killed."""

    synced: set[str] = field(default_factory=set)
    fresh: list[str] = field(default_factory=list)
    starts: int = 1
    requests: int = 0
    away: bool = False
    refuses: Callable[[str], bool] = lambda _: False
    can_delete: bool = True
    deleted: list[tuple[str, str, str]] = field(default_factory=list)
    closed: int = 0

    @property
    def lines(self) -> set[str]:
        return self.synced | set(self.fresh)

    def of(self, measurement: str) -> list[str]:
        return sorted(line for line in self.lines if line.partition(",")[0] == measurement)

    def sync(self) -> None:
        self.synced |= set(self.fresh)
        self.fresh.clear()

    def kill(self) -> None:
        self.fresh.clear()
        self.starts += 1

    def write(self, lines: bytes) -> int:
        self._reach()
        told = lines.decode().split("\n")
        if any(map(self.refuses, told)):
            raise StoreRefusesError("400 unable to parse")
        self.fresh += told
        return 0

    def about(self) -> About:
        self._reach()
        return About(str(self.starts))

    def read(
        self, measurement: str, fields: Sequence[str], tags: Mapping[str, str], start: int, end: int
    ) -> Iterator[Found]:
        for line in self.of(measurement):
            series, _, at = line.split()
            told = dict(part.split("=") for part in series.split(",")[1:])
            if start <= int(at) < end and tags.items() <= told.items():
                yield Found(told, [(int(at), {})])

    def newest(self, measurement: str, start: int, end: int) -> Iterator[tuple[Mapping[str, str], int]]:
        newest: dict[str, int] = {}
        for line in self.of(measurement):
            series, _, at = re.split(r"(?<!\\) ", line)
            if start <= int(at) < end:
                newest[series] = max(newest.get(series, 0), int(at))
        for series, when in newest.items():
            parts = (part.split("=", 1) for part in re.split(r"(?<!\\),", series)[1:])
            yield {key: re.sub(r"\\(.)", r"\1", text) for key, text in parts}, when

    def close(self) -> None:
        self.closed += 1

    def delete(self, tag: str, text: str, measurement: str = "") -> bool:
        self._reach()
        self.deleted.append((tag, text, measurement))
        return self.can_delete

    def _reach(self) -> None:
        self.requests += 1
        if self.away:
            raise StoreDownError("connection refused")


@pytest.fixture
def store() -> Memory:
    return Memory()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that every part of the writer reckons with; a test moves them."""
    now = [1000.0]
    for module in (writer, naming):
        monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def writer_of(world: World, store: Memory, clock: list[float], **more) -> Writer:
    def now() -> float:
        return NOW + clock[0] - 1000.0

    return Writer(world.engine, store, PLACE, world.folder / "deletions", clock=now, **more)


def send(world: World, count: int = 1, *, first: int = 1, at: float = NOW) -> None:
    """Reports of one more device, a second apart."""
    (device,) = world.enrol()
    messages = [
        device.message(n, at=at + n, readings=(Reading("processor.load", float(n)),))
        for n in range(first, first + count)
    ]
    take(world.engine, messages, RULES)


def standing(world: World, now: float = NOW) -> kept.Standing:
    with begin_read(world.engine) as conn:
        found = kept.standing(conn, now)
    assert found is not None
    return found


def test_all_that_was_measured_and_judged_is_written_under_its_names(world, store, clock) -> None:
    send(world, 3)
    tags = {"indicator": "x", "level": "school", "school": str(world.school)}
    with begin_write(world.engine) as conn:
        judged.write(conn, [Judged(MEASUREMENT, tags, NOW - 400 * 86400.0, 0.5, 1.0, 2.0)])
    writer_of(world, store, clock).catch_up()
    assert len(store.of("processor_load")) == 3
    (line,) = store.of("indicator")
    assert f"school={world.school},school_name=Trường value=0.5," in line
    (school,) = store.of("school_info")
    assert "school_name=Trường" in school
    assert "code=S" in school
    (device,) = store.of("device_info")
    assert "school_name=Trường" in device
    assert standing(world).reports == 0


def test_what_comes_later_is_written_later(world, store, clock) -> None:
    one = writer_of(world, store, clock)
    one.catch_up()
    send(world)
    with begin_write(world.engine) as conn:
        judged.write(conn, [Judged(MEASUREMENT, {"indicator": "x"}, NOW, 0.5)])
    assert standing(world, NOW + 90).reports == 1
    assert standing(world, NOW + 91).seconds == 90.0
    one.catch_up()
    assert len(store.of("processor_load")) == 1
    assert len(store.of("indicator")) == 1
    assert standing(world).seconds == 0.0


def test_a_judged_value_that_is_written_again_is_written_again(world, store, clock) -> None:
    one = writer_of(world, store, clock)
    for value in (0.5, 0.75):
        with begin_write(world.engine) as conn:
            judged.write(conn, [Judged(MEASUREMENT, {"indicator": "x"}, NOW, value)])
        one.catch_up()
    assert [line.split()[1] for line in store.of("indicator")] == ["value=0.5", "value=0.75"]


def test_a_killed_store_gets_again_what_it_lost(world, store, clock) -> None:
    one = writer_of(world, store, clock)
    send(world, 5)
    one.catch_up()
    store.sync()
    clock[0] += 30
    send(world, 5)
    one.catch_up()
    store.kill()
    assert len(store.of("processor_load")) == 5
    clock[0] += 5
    one.catch_up()
    assert len(store.of("processor_load")) == 10
    assert len(store.of("school_info")) > 1


def test_what_was_told_long_before_is_not_told_again(world, store, clock) -> None:
    one = writer_of(world, store, clock)
    send(world, 5)
    one.catch_up()
    clock[0] += 61
    send(world, 5)
    one.catch_up()
    store.sync()
    store.synced.clear()
    store.kill()
    clock[0] += 5
    one.catch_up()
    assert len(store.of("processor_load")) == 5


@pytest.mark.parametrize("is_copy", [True, False])
def test_a_store_without_what_it_had_is_filled_anew(world, store, clock, caplog, is_copy) -> None:
    """Its folder was emptied, or it came back from an old copy; it says nothing of that itself."""

    def judge(value: float) -> None:
        with begin_write(world.engine) as conn:
            judged.write(conn, [Judged(MEASUREMENT, {"indicator": "x"}, NOW + value, value)])

    one = writer_of(world, store, clock)
    judge(1.0)
    one.catch_up()
    copy = set(store.fresh)
    for value in (2.0, 3.0):
        send(world, 5)
        judge(value)
        one.catch_up()
        clock[0] += 61
        one.catch_up()
    held = {line for line in store.lines if not line.startswith(("school_info", "device_info"))}
    assert standing(world).progress.whole_from == 0
    with begin_write(world.engine) as conn:
        journal.set_pruned_before(conn, NOW - 14 * 86400)  # nothing of it is left that came before
    store.synced, store.fresh = (copy if is_copy else set()), []
    store.kill()
    clock[0] += 5
    writer_of(world, store, clock).catch_up()
    assert held <= store.lines
    assert "without what it had" in caplog.text
    assert standing(world).progress.whole_from == NOW - 14 * 86400

    for _ in range(2):  # it has all, also while it is being filled
        caplog.clear()
        store.sync()
        store.kill()
        clock[0] += 61
        writer_of(world, store, clock).catch_up()
        assert "without what it had" not in caplog.text
        assert "written again from report" in caplog.text


def test_a_store_that_may_only_be_written_to_is(world, store, clock, monkeypatch, caplog) -> None:
    def newest(*_: object) -> Iterator[tuple[Mapping[str, str], int]]:
        raise StoreDownError("/api/v1/query: 400 unsupported path")

    monkeypatch.setattr(store, "newest", newest)
    send(world, 3)
    writer_of(world, store, clock).catch_up()
    assert len(store.of("processor_load")) == 3
    assert store.of("school_info")
    assert "does not say what it was told last" in caplog.text


def test_it_is_said_from_when_on_readings_are_whole_until_the_store_would_forget_them(
    world, store, clock
) -> None:
    with begin_write(world.engine) as conn:
        journal.set_pruned_before(conn, NOW - 14 * 86400)
    writer_of(world, store, clock, retention_days=30).catch_up()
    assert standing(world).progress.whole_from == NOW - 14 * 86400
    with begin_write(world.engine) as conn:
        kept.rewind(conn, PLACE, NOW - 3600)  # what it had before that it still has
        journal.set_pruned_before(conn, NOW)
    assert standing(world).progress.whole_from == NOW - 14 * 86400
    clock[0] += 17 * 86400
    writer_of(world, store, clock, retention_days=30).catch_up()
    assert standing(world).progress.whole_from == 0


def test_a_writer_that_died_with_the_store_goes_back_too(world, store, clock) -> None:
    send(world, 5)
    writer_of(world, store, clock).catch_up()
    store.kill()
    writer_of(world, store, clock).catch_up()
    assert len(store.of("processor_load")) == 5


def test_a_store_that_is_away_loses_nothing_and_catches_up(world, store, clock) -> None:
    one = writer_of(world, store, clock)
    one.catch_up()
    store.away = True
    for _ in range(4):
        send(world, 5)
        clock[0] += 900
        with pytest.raises(StoreDownError):
            one.step()
        one.fail("connection refused")
    behind = standing(world, NOW + 3600)
    assert (behind.reports, behind.progress.error) == (20, "connection refused")
    assert behind.seconds > 3500
    store.away = False
    one.catch_up()
    assert len(store.of("processor_load")) == 20
    assert standing(world).progress.error == ""


def test_what_the_store_never_takes_holds_up_nothing(world, store, clock, caplog) -> None:
    store.refuses = lambda line: "value=7.0" in line
    send(world, 20)
    writer_of(world, store, clock).catch_up()
    assert len(store.of("processor_load")) == 19
    assert standing(world).progress.refused == 1
    assert "value=7.0" in caplog.text
    assert "400 unable to parse" in caplog.text


def test_a_store_that_refuses_everything_is_waited_for(world, store, clock, monkeypatch) -> None:
    monkeypatch.setattr(sending, "_MOST", 5)
    store.refuses = lambda line: line.startswith("processor_load")
    send(world, 20)
    one = writer_of(world, store, clock)
    with pytest.raises(StoreDownError, match="refuses everything"):
        one.catch_up()
    store.refuses = lambda _: False
    one.catch_up()
    assert len(store.of("processor_load")) == 20
    assert standing(world).progress.refused == 0


def test_points_too_far_ahead_or_older_than_it_keeps_are_counted_and_not_sent(world, store, clock) -> None:
    send(world, 2)
    with begin_write(world.engine) as conn:
        judged.write(
            conn,
            [
                Judged(MEASUREMENT, {"indicator": "x"}, NOW + days * 86400.0, 1.0)
                for days in (-31, -29, 0.9, 1.1)
            ],
        )
    writer_of(world, store, clock, retention_days=30).catch_up()
    assert len(store.of("indicator")) == 2
    progress = standing(world).progress
    assert (progress.future, progress.old) == (1, 1)


def test_what_was_deleted_is_deleted_there_a_minute_later(world, store, clock) -> None:
    listed = world.folder / "deletions"
    one = writer_of(world, store, clock)
    one.catch_up()
    deletions.add(listed, Deletion(NOW, device="ab" * 16))
    deletions.add(listed, Deletion(NOW + 0.5, school=3, made=NOW - 9))
    one.catch_up()
    assert store.deleted == []
    clock[0] += 61
    one.catch_up()
    of_school = [("school", "3", name) for name in ("school_info", *GO_WITH_SCHOOL)]
    assert store.deleted == [("device", "ab" * 16, ""), *of_school]
    one.catch_up()
    assert len(store.deleted) == 1 + len(of_school)


def test_a_deletion_that_was_noted_while_the_clock_was_ahead_does_not_wait_until_then(
    world, store, clock
) -> None:
    listed = world.folder / "deletions"
    deletions.add(listed, Deletion(NOW + 200 * 86400.0, device="ab" * 16))
    one = writer_of(world, store, clock)
    one.catch_up()
    assert store.deleted == [], "its last points may be written just now"
    clock[0] += 61
    one.catch_up()
    deletions.add(listed, Deletion(NOW + 200 * 86400.0 + 0.001, device="cd" * 16))
    one.catch_up()
    clock[0] += 61
    one.catch_up()
    assert store.deleted == [("device", "ab" * 16, ""), ("device", "cd" * 16, "")]


def test_a_store_that_cannot_delete_says_so(world, store, clock, caplog) -> None:
    store.can_delete = False
    deletions.add(world.folder / "deletions", Deletion(NOW - 90, device="ab" * 16))
    writer_of(world, store, clock).catch_up()
    assert standing(world).progress.undeleted == 1
    assert "no way to delete" in caplog.text


def test_set_back_by_hand_all_since_then_is_written_again(world, store, clock) -> None:
    deletions.add(world.folder / "deletions", Deletion(NOW - 90, device="ab" * 16))
    send(world, 3)
    with begin_write(world.engine) as conn:
        judged.write(conn, [Judged(MEASUREMENT, {"indicator": "x"}, NOW + at, 1.0) for at in (-90.0, 10.0)])
    one = writer_of(world, store, clock)
    one.catch_up()
    send(world, 2, at=NOW + 50)
    one.catch_up()
    store.fresh.clear()
    with begin_write(world.engine) as conn:
        assert kept.rewind(conn, PLACE, NOW + 20) == 2
        assert kept.rewind(conn, PLACE, NOW) == 5
    assert standing(world).reports == 5
    one.catch_up()
    one.catch_up()
    assert len(store.of("processor_load")) == 5
    assert len(store.of("indicator")) == 1
    assert len(store.deleted) == 2


def test_another_store_is_filled_from_the_beginning(world, store, clock) -> None:
    send(world, 3)
    with begin_write(world.engine) as conn:
        judged.write(conn, [Judged(MEASUREMENT, {"indicator": "x"}, NOW, 1.0)])
    writer_of(world, store, clock).catch_up()
    other = Memory()
    Writer(world.engine, other, "elsewhere", world.folder / "deletions", clock=lambda: NOW).catch_up()
    assert len(other.of("processor_load")) == 3
    assert len(other.of("indicator")) == 1


def test_a_report_that_nobody_knows_the_time_of_is_no_point(world, store, clock) -> None:
    send(world, 2)
    with begin_write(world.engine) as conn:
        conn.execute(update(tables.journal).values(uncertain=True))
    writer_of(world, store, clock).catch_up()
    assert store.of("processor_load") == []
    assert standing(world).reports == 0


def test_a_store_that_is_away_does_not_keep_the_journal_from_being_pruned(world, store, clock) -> None:
    one = writer_of(world, store, clock)
    send(world, 3)
    one.catch_up()
    store.away = True
    send(world, 4)
    with begin_write(world.engine) as conn:
        conn.execute(tables.dirty.delete())
    retention.prune(world.engine, NOW + 15 * 86400.0)
    assert standing(world).lost == 4
    assert standing(world).reports == 0
    store.away = False
    send(world, 1, at=NOW + 15 * 86400.0)
    clock[0] += 15 * 86400.0
    one.catch_up()
    assert len(store.of("processor_load")) == 4


@pytest.mark.database("sqlite")  # PostgreSQL gives no number twice
def test_a_log_that_retention_emptied_is_followed_from_its_new_beginning(world, store, clock) -> None:
    """As after a summer in which the server was switched off."""
    tags = {"indicator": "ipv6", "level": "province", "province": "1"}
    for number in range(3):
        with begin_write(world.engine) as conn:
            judged.write(conn, [Judged(MEASUREMENT, tags, NOW + number, float(number))])
    one = writer_of(world, store, clock)
    one.catch_up()
    with begin_write(world.engine) as conn:
        conn.execute(tables.judged_log.delete())
    one.catch_up()
    with begin_write(world.engine) as conn:
        judged.write(conn, [Judged(MEASUREMENT, tags, NOW + 10, 10.0)])
        assert conn.scalar(tables.judged_log.select()) == 1
    one.catch_up()
    assert [line for line in store.of(MEASUREMENT) if "value=10.0" in line]


def test_many_judged_values_of_a_series_come_page_by_page(world, store, clock, monkeypatch) -> None:
    monkeypatch.setattr(judged_log, "_AT_ONCE", 2)
    rows = [
        Judged(MEASUREMENT, {"indicator": str(number)}, NOW - hour * 3600.0, 1.0)
        for number in range(3)
        for hour in range(14)
    ]
    with begin_write(world.engine) as conn:
        judged.write(conn, rows)
    writer_of(world, store, clock, batches=of_lines(7)).catch_up()
    assert len(store.of("indicator")) == len(rows)


def of_lines(lines: int) -> sending.Batches:
    batches = sending.Batches()
    batches.lines = lines
    return batches


def province(world: World, series: int) -> int:
    """One judgement of so many series: one row of the log, of a store that was filled before; how many."""
    rows = [Judged(MEASUREMENT, {"indicator": f"x{n}"}, NOW, 1.0, 1.0, 1.0) for n in range(series)]
    with begin_write(world.engine) as conn:
        kept.begin(conn, PLACE)
        judged.write(conn, rows)
        assert len(judged_log.after(conn, judged_log.newest(conn) - 1).series) == series
    return series


def test_a_row_goes_on_where_a_store_broke_off_whoever_writes_then(world, store, clock) -> None:
    """One that fails with each third request never has a whole row of a province, and gets all the same."""
    count = province(world, 100)
    told, is_done = [], False
    write = store.write

    def now_and_then(lines: bytes) -> int:
        told.append(lines)
        if len(told) % 3 == 0:
            raise StoreDownError("connection reset")
        return write(lines)

    store.write = now_and_then
    while not is_done:
        one = writer_of(world, store, clock, batches=of_lines(9))
        try:
            one.catch_up()
            is_done = True
        except StoreDownError as error:
            one.fail(str(error))
        assert len(told) < 40
    written = [line for lines in told for line in lines.decode().split("\n") if line.startswith("indicator,")]
    assert len(store.of("indicator")) == count
    assert len(written) <= count + 9 * (len(told) // 3), "only what broke off is told again"
    assert standing(world).progress.reached.within is None


def test_a_store_that_takes_little_at_once_is_told_little_at_once(world, store, clock) -> None:
    count, batches, sizes = province(world, 1000), sending.Batches(), []
    write = store.write

    def little(lines: bytes) -> int:
        sizes.append(lines.count(b"\n") + 1)
        if sizes[-1] > 40:
            raise StoreRefusesError("413", is_large=True)
        return write(lines)

    store.write = little
    writer_of(world, store, clock, batches=batches).catch_up()
    assert len(store.of("indicator")) == count
    assert sum(size > 40 for size in sizes) < 8, "it is not asked anew with each batch"


def test_a_store_that_is_slow_is_told_less_and_later_more_again(world, store, clock) -> None:
    count, batches = province(world, 400), of_lines(400)
    write = store.write

    def slow(lines: bytes) -> int:
        if lines.count(b"\n") >= 150:
            raise StoreSlowError("no answer in time")
        return write(lines)

    store.write = slow
    for _ in range(2):
        with pytest.raises(StoreSlowError):
            writer_of(world, store, clock, batches=batches).catch_up()
    assert batches.lines == 100
    writer_of(world, store, clock, batches=batches).catch_up()
    assert len(store.of("indicator")) == count
    for _ in range(50):
        batches.went()
    assert batches.lines == 200


def test_a_real_influxdb_with_a_small_limit_gets_a_provinces_judgement(
    world, clock, peer, tmp_path, free_port
) -> None:
    with contextlib.ExitStack() as ended:
        running = RunningInfluxDB(peer("influxd"), tmp_path / "influx", free_port(), free_port(), body=30_000)
        ended.callback(running.stop)
        running.start()
        count = province(world, 3000)
        store = opening.open_engine(SeriesStore("influxdb", running.url, database=DATABASE))
        ended.callback(store.close)
        with pytest.raises(StoreRefusesError, match="413"):
            store.write(b"\n".join(b"x value=1.0 %d" % n for n in range(3000)))
        writer_of(world, store, clock).catch_up()
        (found,) = running.ask("SELECT count(value) FROM indicator")["results"]
        assert found["series"][0]["values"] == [[0, count]]
    assert standing(world).progress.refused == 0


def test_pauses_grow_to_a_bound_and_are_the_same_for_the_same_server() -> None:
    first, second, other = (store_writer.Pauses(seed) for seed in ("a", "a", "b"))
    pauses = [first.next() for _ in range(12)]
    assert pauses == [second.next() for _ in range(12)]
    assert pauses != [other.next() for _ in range(12)]
    assert all(
        base <= pause <= base * 1.25
        for base, pause in zip((1, 2, 4, 8, 16, 32, 60, 60), pauses, strict=False)
    )
    first.over()
    assert first.next() < 1.3


def test_the_process_goes_on_while_the_store_is_away_and_ends_when_told(world, free_port, caplog) -> None:
    caplog.set_level(logging.INFO)
    section = SeriesStore("victoriametrics", f"http://127.0.0.1:{free_port()}")
    config = replace(settings_of(world.folder), store=section)
    stop = threading.Event()
    thread = threading.Thread(target=store_writer.run, args=(config, stop))
    thread.start()
    try:
        for _ in range(200):
            with begin_read(world.engine) as conn:
                held = kept.load(conn)
            if held is not None and held.progress.error:
                break
            stop.wait(0.05)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert held is not None
    assert "ConnectError" in held.progress.error
    assert "nothing is lost meanwhile" in caplog.text


def test_a_token_that_was_put_right_counts_without_a_restart(world, tmp_path, monkeypatch) -> None:
    """What is wrong with its file stands where one looks, and the file is read again at each try."""
    file, store = tmp_path / "token", Memory()
    section = SeriesStore("influxdb", "http://127.0.0.1:1", database="d", token_file=str(file))
    config = replace(settings_of(world.folder), store=section)
    read: list[str] = []

    def opened(told: SeriesStore) -> Memory:
        read.append(opening.token(told.token_file))
        if read[-1] == "wrong":
            raise StoreDownError("401 authorization failed")
        return store

    monkeypatch.setattr(store_writer, "open_engine", opened)
    monkeypatch.setattr(store_writer, "WAIT_MOST", 0.05)
    send(world, 3)
    stop = threading.Event()
    thread = threading.Thread(target=store_writer.run, args=(config, stop))
    thread.start()
    try:
        for says, text in (("can't be read", "wrong"), ("401", "mật"), ("beyond ASCII", "right")):
            assert says in error_of(world, stop, says)
            file.write_text(text, encoding="utf-8")
        assert error_of(world, stop, "") == ""
    finally:
        stop.set()
        thread.join(20)
    assert len(store.of("processor_load")) == 3


def test_a_store_that_fails_again_and_again_leaves_no_connection_behind(world, monkeypatch) -> None:
    send(world, 3)
    stores: list[Memory] = []
    stop = threading.Event()

    def opened(_: SeriesStore) -> Memory:
        stores.append(Memory(away=len(stores) < 5))
        return stores[-1]

    monkeypatch.setattr(store_writer, "open_engine", opened)
    monkeypatch.setattr(store_writer, "WAIT_MOST", 0.01)
    section = SeriesStore("victoriametrics", "http://127.0.0.1:1")
    config = replace(settings_of(world.folder), store=section)
    thread = threading.Thread(target=store_writer.run, args=(config, stop))
    thread.start()
    try:
        assert error_of(world, stop, "") == ""
    finally:
        stop.set()
        thread.join(20)
    assert [one.closed for one in stores] == [1] * 6


def error_of(world: World, stop: threading.Event, says: str) -> str:
    """What hinders the writer, once it says that; for nothing, once it has written."""
    error = "nothing"
    for _ in range(200):
        with begin_read(world.engine) as conn:
            held = kept.load(conn)
        if held is not None:
            error = held.progress.error
            if says in error and (says or (held.progress.written and not error)):
                break
        stop.wait(0.05)
    return error


def test_a_store_that_left_the_settings_is_forgotten_and_filled_anew_when_it_is_back(
    world, store, clock
) -> None:
    send(world, 3)
    writer_of(world, store, clock).catch_up()
    config = settings_of(world.folder)
    stop = threading.Event()
    thread = threading.Thread(target=evaluate.run, args=(config, stop))
    thread.start()
    for _ in range(400):
        with begin_read(world.engine) as conn:
            gone = kept.standing(conn, NOW) is None
        if gone:
            break
        stop.wait(0.05)
    stop.set()
    thread.join(30)
    assert gone
    other = Memory()
    writer_of(world, other, clock).catch_up()
    assert len(other.of("processor_load")) == 3
