"""The power fails at each step of install and uninstall: the next run goes on from there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from schoolwatch_agent import cli

CUT = """
import os, sys
from schoolwatch_agent import cli

image, last = sys.argv[1], int(sys.argv[2])
steps = 0

def watch(event, arguments):
    global steps
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    changes = event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.chmod")
    if (writes or changes) and str(arguments[0 if event != "os.symlink" else 1]).startswith(image):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), 9)

os.fsync = lambda _: None  # only this process is killed: what it has written stays
sys.addaudithook(watch)
code = cli.main(sys.argv[3:])
print(steps)
sys.exit(code)
"""
INSTALL, UNINSTALL = ("install",), ("uninstall", "--delete-data")


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    (tmp_path / "image/etc/systemd/system").mkdir(parents=True)
    (tmp_path / "image/etc/hosts").write_text("127.0.0.1 localhost\n")
    return tmp_path / "image"


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def killed(image: Path, last: int, command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    words = (*command, "--root", str(image), "--lang", "en")
    return subprocess.run(
        [sys.executable, "-c", CUT, str(image), str(last), *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def done(image: Path, command: tuple[str, ...]) -> int:
    return cli.main([*command, "--root", str(image), "--lang", "en"])


def copy(image: Path, name: str) -> Path:
    return Path(shutil.copytree(image, image.with_name(name), symlinks=True))


def steps_of(image: Path, command: tuple[str, ...]) -> int:
    return int(killed(copy(image, f"whole-{command[0]}"), 0, command).stdout.split()[-1])


def test_an_installation_that_was_broken_off_is_taken_away_to_the_last_file(image: Path) -> None:
    before = names(image)
    steps = steps_of(image, INSTALL)
    assert steps > 20
    for last in range(1, steps + 1):
        cut = copy(image, f"cut{last}")
        assert killed(cut, last, INSTALL).returncode == -9
        taken = copy(cut, f"taken{last}")
        if done(taken, UNINSTALL) == 0:
            assert names(taken) == before, last
        else:  # before there was a record
            assert names(taken) - before <= {"etc/schoolwatch", "etc/schoolwatch/.installed.json.new"}, last
        assert done(cut, INSTALL) == 0
        assert done(cut, UNINSTALL) == 0
        assert names(cut) == before, last


def test_a_change_of_mode_that_was_broken_off_can_be_done_again(image: Path) -> None:
    before = names(image)
    assert done(image, INSTALL) == 0
    change = ("install", "--mode", "run")
    whole = copy(image, "whole")
    assert done(whole, change) == 0
    for last in range(1, steps_of(image, change) + 1):
        cut = copy(image, f"cut{last}")
        assert killed(cut, last, change).returncode == -9
        assert done(cut, change) == 0
        assert names(cut) == names(whole), last
        assert done(cut, UNINSTALL) == 0
        assert names(cut) == before, last


def test_taking_it_away_can_be_broken_off(image: Path) -> None:
    before = names(image)
    assert done(image, INSTALL) == 0
    for last in range(1, steps_of(image, UNINSTALL) + 1):
        cut = copy(image, f"cut{last}")
        assert killed(cut, last, UNINSTALL).returncode == -9
        left = done(cut, UNINSTALL)
        assert left == 0 or names(cut) - before <= {"etc/schoolwatch"}, last
        assert names(cut) - before <= {"etc/schoolwatch"}, last
