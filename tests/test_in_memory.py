"""Where the tests' own files lie."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

import in_memory

MAKE = """
import sys, time
from pathlib import Path
import in_memory
print(in_memory.folder(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def making(memory: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another run, until its standard input ends; and its folder."""
    run = subprocess.Popen(
        [sys.executable, "-c", MAKE, memory],
        env={**os.environ, "PYTHONPATH": str(Path(in_memory.__file__).parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout
    return run, Path(run.stdout.readline().strip())


def test_a_run_takes_away_its_folder_and_those_of_runs_that_were_killed(tmp_path: Path) -> None:
    killed, left = making(tmp_path)
    (left / "file").write_text("of a test")
    killed.kill()
    killed.communicate()
    first, its = making(tmp_path)
    assert not left.exists()
    second, other = making(tmp_path)
    assert its.exists(), "that one is in use"
    first.communicate()
    second.communicate()
    assert not its.exists()
    assert not other.exists()
    assert list(tmp_path.iterdir()) == []


def small(**more: int) -> SimpleNamespace:
    """A file system of 64 MiB, as containers have it unless they are told otherwise."""
    return SimpleNamespace(**{"f_flag": 0, "f_bavail": 16384, "f_frsize": 4096, **more})


def test_there_is_room_where_files_memory_and_programs_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def told(system: SimpleNamespace, available: int) -> bool:
        monkeypatch.setattr(in_memory.os, "statvfs", lambda _: system)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=available))
        monkeypatch.setattr(in_memory, "LIMIT", tmp_path / "limit")
        return in_memory.has_room(tmp_path)

    large, much = small(f_bavail=1 << 20), 1 << 34
    assert told(large, much)
    assert not told(small(), much)
    assert not told(large, in_memory.ROOM)
    assert not told(small(f_bavail=1 << 20, f_flag=os.ST_NOEXEC), much)
    (tmp_path / "limit").write_text("max\n")
    assert told(large, much)
    (tmp_path / "limit").write_text(f"{in_memory.ROOM}\n")
    assert not told(large, much)


def test_a_system_without_such_a_place_has_no_room(tmp_path: Path) -> None:
    assert not in_memory.has_room(tmp_path / "none")
