"""The power fails at each step of install and uninstall: the next run goes on from there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from schoolwatch_agent import cli

CUT = """
import os, shutil, sys
from schoolwatch_agent import cli

image, cut, *command = sys.argv[1:]
steps = last = 0

def watch(event, arguments):
    global steps
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    changes = event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.chmod")
    if (writes or changes) and str(arguments[0 if event != "os.symlink" else 1]).startswith(f"{cut}{last}/"):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), 9)

def run(image):
    return cli.main([*command, "--root", image, "--lang", "en"])

os.fsync = lambda _: None  # only a process is killed: what it has written stays
shutil.copytree(image, f"{cut}{last}", symlinks=True)
assert run(f"{cut}{last}") == 0  # and has imported what all the others need
while True:
    last += 1
    shutil.copytree(image, f"{cut}{last}", symlinks=True)
    child = os.fork()  # each dies alone, and none has to start Python
    if child == 0:
        sys.addaudithook(watch)
        os._exit(run(f"{cut}{last}"))
    _, ended = os.waitpid(child, 0)
    if not os.WIFSIGNALED(ended):
        sys.exit(os.waitstatus_to_exitcode(ended))
    assert os.WTERMSIG(ended) == 9
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


def cuts(image: Path, command: tuple[str, ...]) -> dict[int, Path]:
    """What is left of the image where the power failed at its first change, at its second, up to the last."""
    cut = image.with_name("cut")
    done = subprocess.run(
        [sys.executable, "-c", CUT, str(image), str(cut), *command],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    left = {int(path.name.removeprefix("cut")): path for path in image.parent.glob("cut*")}
    assert sorted(left) == list(range(len(left)))
    for whole in (min(left), max(left)):
        shutil.rmtree(left.pop(whole))
    return left


def done(image: Path, command: tuple[str, ...]) -> int:
    return cli.main([*command, "--root", str(image), "--lang", "en"])


def copy(image: Path, name: str) -> Path:
    return Path(shutil.copytree(image, image.with_name(name), symlinks=True))


def test_an_installation_that_was_broken_off_is_taken_away_to_the_last_file(image: Path) -> None:
    before = names(image)
    left = cuts(image, INSTALL)
    assert len(left) > 20
    for last, cut in left.items():
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
    left = cuts(image, change)
    assert left
    for last, cut in left.items():
        assert done(cut, change) == 0
        assert names(cut) == names(whole), last
        assert done(cut, UNINSTALL) == 0
        assert names(cut) == before, last


def test_taking_it_away_can_be_broken_off(image: Path) -> None:
    before = names(image)
    assert done(image, INSTALL) == 0
    gone = cuts(image, UNINSTALL)
    assert gone
    for last, cut in gone.items():
        left = done(cut, UNINSTALL)
        assert left == 0 or names(cut) - before <= {"etc/schoolwatch"}, last
        assert names(cut) - before <= {"etc/schoolwatch"}, last
