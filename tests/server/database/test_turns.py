"""Whoever wants to write to an SQLite file comes in its turn."""

import errno
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, exc, func, insert, select

from schoolwatch_server.database import engine as engines
from schoolwatch_server.database import turns
from schoolwatch_server.database.engine import begin_read, begin_write, migrate, open_database
from schoolwatch_server.database.tables import meta

GREEDY = """
import sys, time
from sqlalchemy import insert
from schoolwatch_server.database.engine import begin_write, open_database
from schoolwatch_server.database.tables import meta

engine = open_database(sys.argv[1])
for n in range(10**9):
    with begin_write(engine) as conn:
        conn.execute(insert(meta).values(key=f"greedy {n}", value=""))
        time.sleep(0.005)
    if n == 3:
        print("writing", flush=True)
"""

HOLDING = """
import fcntl, os, sys, time
fcntl.flock(os.open(sys.argv[1], os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX)
print("mine", flush=True)
time.sleep(600)
"""


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path}/schoolwatch.db"
    migrate(url)
    engine = open_database(url)
    yield engine
    engine.dispose()


@contextmanager
def running(script: str, argument: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has begun with what it does, killed at the end."""
    command = [sys.executable, "-c", script, argument]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_who_writes_all_the_time_lets_others_in(sqlite: Engine) -> None:
    """Of its transactions of 5 ms each, at most one or two pass between asking and being let in.

    Without turns it was up to 800 of them.
    """

    def written(conn: Connection) -> int:
        query = select(func.count()).select_from(meta).where(meta.c.key.startswith("greedy"))
        return int(conn.scalar(query) or 0)

    passed = []
    with running(GREEDY, str(sqlite.url)):
        for _ in range(25):
            with begin_read(sqlite) as conn:
                before = written(conn)
            with begin_write(sqlite) as conn:
                passed.append(written(conn) - before)
    assert 0 < sum(passed) <= 2 * len(passed), passed


def test_waiting_ends_with_an_error_and_the_next_may_try(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(str(sqlite.url.database), isolation_level=None)) as locker:
        locker.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            with pytest.raises(exc.OperationalError, match="locked"), begin_write(sqlite):
                pass
        locker.execute("ROLLBACK")
    with begin_write(sqlite) as conn:
        conn.execute(insert(meta).values(key="a", value="b"))


def test_other_questions_wait_as_long_as_ever(sqlite: Engine) -> None:
    with begin_write(sqlite) as conn:
        assert conn.exec_driver_sql("PRAGMA busy_timeout").scalar() == 20_000


def test_a_turn_ends_with_its_process(sqlite: Engine) -> None:
    with running(HOLDING, f"{sqlite.url.database}.lock") as process:
        process.kill()
        process.wait()
        with begin_write(sqlite) as conn:
            conn.execute(insert(meta).values(key="a", value="b"))


def write(engine: Engine, key: str) -> float:
    """Writes a row; the seconds until it might."""
    asked = time.monotonic()
    with begin_write(engine) as conn:
        let_in = time.monotonic()
        conn.execute(insert(meta).values(key=key, value=""))
    return let_in - asked


def held_by_nobody(turn: str) -> bool:
    with Path(turn).open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_who_is_stopped_in_its_turn_holds_up_nobody_for_long(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first who waits finds out, the others go on at once; when the turn is free again all take turns.

    Ten who each found out by themselves would take 15 seconds.
    """
    monkeypatch.setattr(turns, "PATIENCE", 1.5)
    turn = f"{sqlite.url.database}.lock"
    with running(HOLDING, turn) as process:
        process.send_signal(signal.SIGSTOP)
        assert 1.4 < write(sqlite, "first") < 15
        assert sum(write(sqlite, f"next {n}") for n in range(10)) < 10
        process.kill()
        process.wait()
    until = time.monotonic() + 15
    while not held_by_nobody(turn) and time.monotonic() < until:
        time.sleep(0.01)
    assert held_by_nobody(turn), "who gave its place up does not keep the turn that comes to it later"
    with running(HOLDING, turn):
        assert write(sqlite, "again") > 1.4, "turns are waited for as before"


def test_where_files_know_no_turns_all_goes_on(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(fcntl, "flock", unknown)
    write(sqlite, "a")


def test_a_file_that_root_left_behind_is_replaced(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = Path(f"{sqlite.url.database}.lock")
    theirs, opened = turn.stat().st_ino, os.open
    keeps_its_number = turn.open()

    def refused(path: Any, *how: Any, **more: Any) -> int:
        if str(path) == str(turn) and turn.exists() and turn.stat().st_ino == theirs:
            raise PermissionError(errno.EACCES, "not yours")
        return opened(path, *how, **more)

    monkeypatch.setattr(os, "open", refused)
    with keeps_its_number:
        write(sqlite, "a")
        assert turn.stat().st_ino != theirs
        with running(HOLDING, str(turn)):
            monkeypatch.setattr(turns, "PATIENCE", 0.2)
            assert write(sqlite, "b") > 0.15, "turns are taken by the new one"


def test_without_a_file_for_turns_all_goes_on(sqlite: Engine) -> None:
    turn = Path(f"{sqlite.url.database}.lock")
    turn.unlink()
    turn.mkdir()
    with begin_write(sqlite) as conn:
        conn.execute(insert(meta).values(key="a", value="b"))
    with begin_read(sqlite) as conn:
        assert conn.scalar(select(meta.c.value).where(meta.c.key == "a")) == "b"
