"""What can't be written for a while is told once, and nothing ends because of it."""

import errno
import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, exc, text

from schoolwatch_server import cli
from schoolwatch_server.supervise.hurdle import Hurdle


class Disk:
    """A database that takes no more pages, until it is given room."""

    def __init__(self, path: Path) -> None:
        self._conn = create_engine(f"sqlite:///{path}").connect()
        self._conn.execute(text("CREATE TABLE t (x)"))
        self._conn.execute(text("PRAGMA max_page_count = 3"))

    def write(self) -> None:
        self._conn.execute(text("INSERT INTO t VALUES (zeroblob(20000))"))

    def give_room(self) -> None:
        self._conn.execute(text("PRAGMA max_page_count = 1000"))


def no_room() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_once_and_once_that_it_is_over(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    hurdle, disk = Hurdle(lambda key, why="": told.append((key, why))), Disk(tmp_path / "d.db")
    assert [hurdle.attempt(no_room), hurdle.attempt(disk.write), hurdle.attempt(disk.write)] == [False] * 3
    disk.give_room()
    assert [hurdle.attempt(disk.write), hurdle.attempt(disk.write)] == [True, True]
    assert told == [("up.cannot_write", "[Errno 28] No space left on device"), ("up.can_write", "")]


def test_what_is_wrong_otherwise_is_raised() -> None:
    def wrong() -> None:
        raise ValueError("not ours")

    with pytest.raises(ValueError, match="not ours"):
        Hurdle(lambda *_, **__: None).attempt(wrong)


@pytest.mark.parametrize("how", ["system", "database"])
def test_a_command_says_in_one_line_that_the_disk_is_full(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = no_room if how == "system" else Disk(tmp_path / "d.db").write
    monkeypatch.setattr(cli, "_run", lambda _: write())
    assert cli.main(["version"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "the disk is full: make room" in said[0]


def test_another_error_of_a_command_is_still_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    conn = create_engine(f"sqlite:///{tmp_path / 'd.db'}").connect()
    monkeypatch.setattr(cli, "_run", lambda _: conn.execute(text("SELECT * FROM nowhere")))
    with pytest.raises(exc.OperationalError, match="no such table"):
        cli.main(["version"])
