"""By what clock a report was taken: in one start exact, over two believed unless something contradicts."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_agent import clocks, spool_file
from schoolwatch_agent.clocks import SLACK, Moment, contradicted
from schoolwatch_agent.errors import NotUnderstood, TimedOut
from schoolwatch_agent.formats import boot
from schoolwatch_agent.host import Host
from schoolwatch_agent.spool import Spool
from schoolwatch_contract.records import EARLIEST, RELEASED

NOW = 1_800_000_000.0


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    db = spool_file.connect(tmp_path / "spool.db")
    yield db
    db.close()


def seen(db: sqlite3.Connection, boot: str, now: float, up: float) -> tuple[int | None, float | None]:
    return clocks.note(db, boot, now, up)


def told(db: sqlite3.Connection, of: tuple[int | None, float | None], moment: Moment) -> tuple[float, str]:
    return clocks.Clocks.read(db, moment.boot, moment.now, moment.up).of(*of)


def test_in_one_start_the_clock_of_a_report_runs_on_whatever_is_set(db: sqlite3.Connection) -> None:
    early = seen(db, "a", NOW - 9e8, 100.0)
    late = seen(db, "a", NOW, 400.0)
    assert told(db, early, Moment(NOW + 60, "a", 460.0)) == (NOW - 9e8 + 360, "own")
    assert told(db, late, Moment(NOW + 60, "a", 460.0)) == (NOW + 60, "own")
    assert told(db, late, Moment(NOW - DAY, "a", 500.0))[0] == NOW + 100, "seen by nobody yet"


def test_of_an_earlier_start_the_last_clock_is_believed(db: sqlite3.Connection) -> None:
    early = seen(db, "a", NOW - 9e8, 100.0)
    late = seen(db, "a", NOW, 400.0)
    seen(db, "b", NOW + 1000, 10.0)
    assert told(db, late, Moment(NOW + 1060, "b", 70.0)) == (NOW + 1060, "assumed")
    assert told(db, early, Moment(NOW + 1060, "b", 70.0)) == (NOW + 1060 - 9e8 + 300, "assumed")


def test_without_an_uptime_nothing_is_exact(db: sqlite3.Connection) -> None:
    assert clocks.note(db, "a", NOW, None) == (None, None)
    known = seen(db, "a", NOW, 10.0)
    assert told(db, (None, None), Moment(NOW + 5, "a", 15.0)) == (NOW + 5, "assumed")
    assert told(db, known, Moment(NOW + 5, "a")) == (NOW + 5, "assumed")


def test_a_name_of_a_start_that_comes_again_is_another_start(db: sqlite3.Connection) -> None:
    first = seen(db, "a", NOW, 5000.0)
    second = seen(db, "a", NOW + 900, 60.0)
    assert first[0] != second[0]
    assert told(db, first, Moment(NOW + 910, "a", 70.0))[1] == "assumed"
    assert told(db, second, Moment(NOW + 910, "a", 70.0))[1] == "own"


def test_a_clock_that_falls_back_to_before_there_was_an_agent_is_another_one(db: sqlite3.Connection) -> None:
    before = seen(db, "a", NOW, 5000.0)
    assert told(db, before, Moment(RELEASED - 9e7, "a", 5010.0))[1] == "assumed"
    after = seen(db, "a", RELEASED - 9e7, 5010.0)
    assert before[0] != after[0]
    assert seen(db, "a", NOW + 9000, 5310.0)[0] == after[0], "and put right it is the same again"


def test_a_clock_before_every_clock_still_counts_on(db: sqlite3.Connection) -> None:
    first = seen(db, "a", 0.0, 10.0)  # a board without battery and without a battery's date
    assert told(db, first, Moment(500.0, "a", 510.0)) == (EARLIEST + 500.0, "own")


HOUR, DAY = 3600.0, 86_400.0


@pytest.mark.parametrize(
    ("earlier", "began", "wrong"),
    [
        ([], NOW, set()),
        ([(1, NOW - 9 * HOUR, NOW - 8 * HOUR), (2, NOW - 7 * HOUR, NOW - HOUR)], NOW, set()),
        ([(1, NOW - HOUR, NOW + SLACK - 1)], NOW, set()),
        ([(1, NOW - HOUR, NOW + SLACK + 1)], NOW, {1}),
        ([(1, RELEASED - 9e7, RELEASED - 8e7)], NOW, {1}),
        ([(1, NOW - 9 * HOUR, NOW - 8 * HOUR), (2, RELEASED - 9e7, RELEASED - 8e7)], NOW, {2}),
        ([(1, NOW - HOUR, NOW)], RELEASED - 9e7, set()),
        ([(1, NOW, NOW + HOUR), (2, NOW - HOUR, NOW), (3, NOW + HOUR, NOW + 2 * HOUR)], NOW + DAY, {1, 2}),
    ],
)
def test_what_contradicts_the_order_of_the_starts_is_not_vouched_for(
    earlier: list[tuple[int, float, float]], began: float, wrong: set[int]
) -> None:
    assert contradicted(earlier, began) == wrong


@given(st.lists(st.tuples(st.floats(60.0, 1e6), st.floats(0.0, 1e6)), max_size=12), st.floats(0.0, 1e6))
def test_right_clocks_never_contradict_each_other(starts: list[tuple[float, float]], off: float) -> None:
    at, earlier = NOW, []
    for row, (runs, pause) in enumerate(starts):
        earlier.append((row, at, at + runs))
        at += runs + pause
    assert contradicted(earlier, at + off) == frozenset()


def test_clocks_of_reports_that_left_are_forgotten(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", "a", NOW) as spool:
        spool.put([b"1"], b"", NOW, 10.0)
    with Spool(tmp_path / "spool.db", "b", NOW + 100) as spool:
        spool.put([b"2"], b"", NOW + 100, 10.0)
    for day in range(1, 40):
        with Spool(tmp_path / "spool.db", f"day {day}", NOW + day * 86_400) as spool:
            spool.put([b"3"], b"", NOW + day * 86_400, 10.0)
    db = sqlite3.connect(tmp_path / "spool.db")
    held, known = (db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("envelope", "clock"))
    db.close()
    assert held == known < 40


# --- the machine --------------------------------------------------------------------------------------


def test_linux_tells_how_long_it_runs() -> None:
    host = Host()
    up = clocks.look(host).up
    assert up is not None
    assert up == pytest.approx(float(Path("/proc/uptime").read_text().split()[0]), abs=5.0)


def test_a_machine_that_tells_nothing_of_itself_is_no_failure() -> None:
    class Mute(Host):
        def uptime(self) -> float:
            raise TimedOut("psutil", 5.0)

        def boot_id(self) -> str:
            raise FileNotFoundError

        def now(self) -> float:
            return NOW

    assert clocks.look(Mute()) == Moment(NOW, "", None)


def answer(start: int, moved: int) -> bytes:
    """SYSTEM_TIMEOFDAY_INFORMATION of a machine in UTC+7, written from phnt's ntexapi.h."""
    fields = (start + moved, start + moved + 6 * 10**10, -7 * 3600 * 10**7)
    whole = b"".join(each.to_bytes(8, "little", signed=True) for each in fields)
    return whole + (0).to_bytes(8, "little") + moved.to_bytes(8, "little", signed=True) + bytes(8)


@given(st.integers(10**17, 2 * 10**17), st.integers(-(10**16), 10**16))
def test_the_start_of_windows_has_one_name_however_the_clock_is_set(start: int, moved: int) -> None:
    assert boot.began(answer(start, moved)) == str(start)


@pytest.mark.parametrize("short", [b"", bytes(47), bytes(48), bytes(49)])
def test_another_answer_of_windows_is_no_name(short: bytes) -> None:
    with pytest.raises(NotUnderstood):
        boot.began(short)
