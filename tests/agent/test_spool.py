"""The agent's outbox on disk: what is put, sent, acknowledged and dropped, also by a clock that jumps."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from schoolwatch_agent import spool_file
from schoolwatch_agent.spool import ROW_BYTES, STEP_MAX, Spool
from schoolwatch_agent.spool_file import SpoolError
from schoolwatch_contract.ack import Ack
from spools import NOW, due, opened, publish, put

HOUR, DAY = 3600.0, 86_400.0
E1, E2 = "1" * 16, "2" * 16


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "spool.db"


def test_what_was_put_is_there_after_a_restart_with_its_number(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        put(spool, b"b", b"c")
        generation = spool.generation
    with opened(path) as spool:
        assert spool.generation == generation
        assert [(h.spool, h.seq, h.floor, h.body) for h in spool.due(NOW, 0, 9)] == [
            (generation, 1, 1, b"a"),
            (generation, 2, 1, b"b"),
            (generation, 3, 1, b"c"),
        ]


def test_files_are_for_the_agent_alone(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_each_boot_and_each_file_is_a_generation_and_old_ones_only_drain(path: Path, tmp_path: Path) -> None:
    with opened(path) as spool:
        first = spool.generation
        put(spool, b"a")
    with opened(path, "boot 2") as spool:
        assert spool.generation != first
        put(spool, b"b")
        assert [(h.spool == first, h.seq) for h in spool.due(NOW, 0, 9)] == [(True, 1), (False, 1)]
    with opened(tmp_path / "other.db", "boot 2") as other, opened(path, "boot 2") as spool:
        assert other.generation != spool.generation


def test_without_a_name_of_the_boot_no_number_is_used_twice(path: Path) -> None:
    seen = set()
    for _ in range(3):
        with opened(path, "") as spool:
            put(spool, b"a")
            seen |= {(h.spool, h.seq) for h in spool.due(NOW, 0, 9)}
    assert len(seen) == 3


def test_a_puback_defers_and_only_the_servers_ack_removes(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        publish(spool)
        assert due(spool, NOW + HOUR - 1) == []
        assert due(spool, NOW + HOUR) == [b"a"]
        assert spool.summary(NOW).waiting == 1
        spool.acknowledge(Ack(E1, {spool.generation: 1}), NOW)
        assert spool.summary(NOW).waiting == 0
        assert due(spool, NOW + DAY) == []


def test_retries_double_up_to_a_day(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        now, waits = NOW, []
        for _ in range(8):
            publish(spool, now)
            step = next(s for s in (2**n * HOUR for n in range(6)) if due(spool, now + min(s, DAY)))
            waits.append(min(step, DAY) / HOUR)
            now += min(step, DAY)
    assert waits == [1, 2, 4, 8, 16, 24, 24, 24]


def test_what_has_no_puback_is_due_again_at_once(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        assert due(spool) == due(spool) == [b"a"]


def test_acknowledged_ones_stay_marked_for_seven_days_and_hold_the_floor(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a", b"b")
        publish(spool)
        spool.acknowledge(Ack(E1, {spool.generation: 1}), NOW)
        spool.acknowledge(Ack(E2, {spool.generation: 1}), NOW)  # makes the other one due at once
        assert [h.floor for h in spool.due(NOW, 0, 9)] == [1]
        for day in range(1, 7):
            put(spool, now=NOW + day * DAY)
        assert spool.summary(NOW).bytes == 2 * (1 + ROW_BYTES)
        put(spool, now=NOW + 7 * DAY)
        assert [(h.floor, h.body) for h in spool.due(NOW + 7 * DAY, 0, 9)] == [(2, b"b")]


def test_a_new_epoch_sends_again_at_once_what_lies_above_its_marks(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a", b"b", b"c")
        publish(spool)
        assert spool.acknowledge(Ack(E1, {spool.generation: 3}), NOW) == "marked"
        assert spool.acknowledge(Ack(E1, {spool.generation: 3}), NOW) == "nothing"
        assert due(spool, NOW + 1) == []
        assert spool.acknowledge(Ack(E2, {spool.generation: 1}), NOW) == "restored"
        assert due(spool, NOW + 1) == [b"b", b"c"]
        assert spool.acknowledge(Ack(E2, {spool.generation: 3}), NOW) == "marked"
        assert due(spool, NOW + DAY) == []


def test_a_new_epoch_that_does_not_know_the_generation_gets_all_of_it(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a", b"b")
        publish(spool)
        spool.acknowledge(Ack(E1, {spool.generation: 2}), NOW)
        spool.acknowledge(Ack(E2, {}), NOW)
        assert due(spool) == [b"a", b"b"]


def test_a_new_epoch_makes_due_what_waits_for_its_retry(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        spool.acknowledge(Ack(E1, {}), NOW)
        publish(spool)
        spool.acknowledge(Ack(E2, {}), NOW)
        assert due(spool, NOW + 1) == [b"a"]


def test_an_older_mark_of_the_same_epoch_changes_nothing(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a", b"b")
        publish(spool)
        spool.acknowledge(Ack(E1, {spool.generation: 2}), NOW)
        assert spool.acknowledge(Ack(E1, {spool.generation: 1}), NOW) == "nothing"
        assert due(spool) == []


def test_an_ack_of_unknown_spools_is_harmless(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        spool.acknowledge(Ack(E1, {"f" * 16: 2**62}), NOW)
        assert due(spool) == [b"a"]


def test_an_older_copy_put_back_in_the_same_boot_takes_no_number_twice(path: Path, tmp_path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        publish(spool)
    shutil.copy(path, tmp_path / "yesterday")
    with opened(path) as spool:
        generation = spool.generation
        put(spool, b"b")
        publish(spool)
    shutil.copy(tmp_path / "yesterday", path)
    with opened(path) as spool:
        put(spool, b"c")  # takes number 2, which the server has for b
        spool.acknowledge(Ack(E1, {generation: 2}), NOW)
        put(spool, b"d")
        held = spool.due(NOW, 0, 9)
        assert [(h.seq, h.body) for h in held] == [(1, b"c"), (2, b"d")]
        assert all(h.spool == spool.generation != generation for h in held)


def test_when_full_marked_ones_leave_first_then_the_oldest_and_are_counted(path: Path) -> None:
    size = 100 + ROW_BYTES
    with opened(path, max_bytes=3 * size) as spool:
        put(spool, b"a" * 100)
        publish(spool)
        put(spool, b"b" * 100)
        spool.acknowledge(Ack(E1, {spool.generation: 1}), NOW)
        put(spool, b"c" * 100, b"d" * 100)
        assert (spool.summary(NOW).dropped, spool.summary(NOW).bytes) == (0, 3 * size)
        assert [body[:1] for body in due(spool)] == [b"b", b"c", b"d"]
        put(spool, b"e" * 100)
        assert spool.summary(NOW).dropped == 1
        assert [(h.seq, h.floor) for h in spool.due(NOW, 0, 9)] == [(3, 3), (4, 3), (5, 3)]


def test_too_old_ones_leave_and_are_counted(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        for day in range(1, 30):
            put(spool, now=NOW + day * DAY)
        assert due(spool, NOW + 29 * DAY) == [b"a"]
        put(spool, now=NOW + 30 * DAY)
        assert spool.summary(NOW + 30 * DAY).dropped == 1


def test_a_clock_that_jumps_decades_drops_nothing_and_stops_no_retry(path: Path) -> None:
    with opened(path, now=400_000_000.0) as spool:  # 1982: a flat battery
        put(spool, b"a", now=400_000_000.0)
        publish(spool, 400_000_100.0)
        put(spool, b"b", now=NOW)
        assert spool.summary(NOW).dropped == 0
        assert spool.summary(NOW).oldest_age == pytest.approx(STEP_MAX + 100)
        put(spool, b"c", now=500_000_000.0)  # and back
        assert set(due(spool, 500_000_000.0 + HOUR)) == {b"a", b"b", b"c"}


def test_a_flat_battery_every_morning_ages_nothing_but_by_the_days_that_pass(path: Path) -> None:
    """Each start shows 2015 and jumps to the right time a minute later."""
    with opened(path) as spool:
        put(spool, b"a")
    for day in range(1, 30):
        now = NOW + day * DAY
        with opened(path, f"boot {day}", now=1_420_000_000.0) as spool:
            put(spool, b"wrong", now=1_420_000_060.0)
            put(spool, b"right", now=now)
            summary = spool.summary(now)
    assert summary.dropped == 0
    assert summary.oldest_age == pytest.approx(29 * DAY, abs=HOUR)
    with opened(path, "boot 30", now=NOW + 30 * DAY + HOUR) as spool:
        put(spool, b"last", now=NOW + 30 * DAY + HOUR)
        assert spool.summary(NOW + 30 * DAY + HOUR).dropped == 2  # what was put on the first day


def test_a_clock_a_year_ahead_for_an_hour_drops_nothing_and_delays_no_retry(path: Path) -> None:
    year = 365 * DAY
    with opened(path) as spool:
        put(spool, b"a")
        publish(spool)
        for n in range(13):
            put(spool, now=NOW + year + 300 * n)
        put(spool, b"b", now=NOW + 2 * HOUR)
        assert spool.summary(NOW + 2 * HOUR).dropped == 0
        assert b"a" in due(spool, NOW + 3 * HOUR)
        for again in range(1, 40):  # and again, every day: no more than the first time
            put(spool, now=NOW + again * DAY / 4)
            put(spool, now=NOW + year + 4000)
        assert spool.summary(NOW + year + 4000).dropped == 0


def test_off_for_the_summer_holiday_is_no_jump_that_drops_anything(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
    with opened(path, "boot 2", now=NOW + 80 * DAY) as spool:
        put(spool, b"b", now=NOW + 80 * DAY)
        assert due(spool, NOW + 80 * DAY) == [b"a", b"b"]


def test_memory_is_kept_with_the_envelope(path: Path) -> None:
    with opened(path) as spool:
        assert spool.memory(NOW) is None
        spool.put([b"a"], b"first", NOW)
        spool.remember(b"second", NOW)
    with opened(path, "boot 2") as spool:
        assert spool.memory(NOW) == b"second"


def test_a_newer_spool_is_left_alone(path: Path) -> None:
    opened(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(SpoolError, match="version 9 > 2") as caught:
        opened(path)
    assert caught.value.kind == "newer"
    assert path.exists()


def test_a_full_disk_is_an_error_that_says_so_and_keeps_what_is_there(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
        spool._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(SpoolError) as caught:
            put(spool, os.urandom(50_000))
        assert caught.value.kind == "full"
        assert due(spool) == [b"a"]
        spool._db.execute("PRAGMA max_page_count = 1000000")
        put(spool, b"b")
        assert [(h.seq, h.body) for h in spool.due(NOW, 0, 9)] == [(1, b"a"), (2, b"b")]


def test_a_folder_that_is_a_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(SpoolError) as caught:
        opened(tmp_path / "data" / "spool.db")
    assert caught.value.kind == "unusable"


def test_it_can_be_read_while_it_is_written(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a")
        reader = spool_file.read(path)
        assert reader.execute("SELECT count(*) FROM envelope").fetchone() == (1,)
        put(spool, b"b")
        assert reader.execute("SELECT count(*) FROM envelope").fetchone() == (2,)
        with pytest.raises(sqlite3.OperationalError):
            reader.execute("DELETE FROM envelope")
        reader.close()


_PUTTER = """
import sys
from contextlib import closing
from pathlib import Path
from schoolwatch_agent.spool import Spool
with Spool(Path(sys.argv[1]), "boot", 1.8e9) as spool:
    n = int(sys.argv[2])
    while True:
        n += 1
        spool.put([b"%d" % n], b"%d" % n, 1.8e9)
        print(n, flush=True)
"""


def test_killed_in_the_middle_of_puts_nothing_said_is_lost_and_memory_agrees(path: Path) -> None:
    chance = random.Random(7)
    told = 0
    for _ in range(15):
        child = subprocess.Popen(
            [sys.executable, "-c", _PUTTER, str(path), str(told)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.random() * 0.05)
        child.send_signal(signal.SIGKILL)
        said = int((child.stdout.read().split() or [told + 1])[-1])
        child.stdout.close()
        child.wait()
        with Spool(path, "boot", NOW) as spool:
            held = spool.due(NOW, 0, 100_000)
            assert [h.seq for h in held] == list(range(1, len(held) + 1))
            assert [h.body for h in held] == [b"%d" % n for n in range(1, len(held) + 1)]
            assert len(held) in (said, said + 1)
            assert spool.memory(NOW) == held[-1].body
            assert spool.summary(NOW).bytes == sum(len(h.body) + ROW_BYTES for h in held)
            told = len(held)
    assert told > 15


def test_a_big_backlog_drains_in_linear_time(path: Path) -> None:
    def seconds(work: Callable[[], object]) -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    with opened(path) as spool:
        put(spool, *(b"x" * 200 for _ in range(40_000)))

        def drain() -> None:
            after = 0
            while batch := spool.due(NOW, after, 2000):
                after = batch[-1].id
                spool.sending([h.id for h in batch], NOW)
                spool.published([h.id for h in batch], NOW)
                spool.acknowledge(Ack(E1, {spool.generation: batch[-1].seq}), NOW)

        assert seconds(drain) < 20
        assert spool.summary(NOW).waiting == 0
