"""The files of the stick: what Windows' own shell would stumble over, and what people read."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from conftest import Peer
from schoolwatch_server.kit import build

CMDS = sorted(build.STICK.glob("*.cmd"))
REASONS = {path.stem: path.read_text("utf-8") for path in (build.STICK / "loi").glob("*.txt")}


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


@pytest.mark.parametrize("path", CMDS, ids=lambda path: path.name)
def test_a_cmd_file_is_ascii_and_short(path: Path) -> None:
    """cmd.exe reads its lines in the console's code page, and none longer than 8191 characters."""
    text = path.read_text("ascii")
    assert max(map(len, text.splitlines())) < 200
    assert text.splitlines()[0] == "@echo off"


@pytest.mark.parametrize("path", CMDS, ids=lambda path: path.name)
def test_every_jump_has_its_label(path: Path) -> None:
    text = path.read_text("ascii")
    labels = re.findall(r"^:(\w+)$", text, re.MULTILINE)
    assert len(labels) == len(set(labels))
    assert set(re.findall(r"goto (\w+)", text)) - set(labels) == set()
    assert text.rstrip().splitlines()[-1].startswith(("exit /b %", '"%~dp0cai-dat.cmd" '))


@pytest.mark.parametrize("path", CMDS, ids=lambda path: path.name)
def test_paths_are_quoted_and_nothing_expands_late(path: Path) -> None:
    """A stick may be called `Bộ cài & USB (1)! 100% ^`: such names must go through.

    `call` expands its line a second time and doubles each ^; a backslash before a closing quote takes it into
    the word. Tried with such folders under Wine's cmd.exe, never on Windows.
    """
    for line in lines(path):
        if line.startswith("rem"):
            assert "%" not in line
            continue
        assert not re.match(r"@?call\b", line, re.IGNORECASE)
        assert '%~dp0"' not in line.replace('set "HERE=%~dp0"', "")
        assert line.count('"') % 2 == 0, line
        outside = re.sub(r'"[^"]*"', "", line)
        assert "%HERE%" not in outside, line
        assert "%~dp0" not in outside, line
        assert "!" not in line
    assert "EnableDelayedExpansion" not in path.read_text()


def test_the_page_says_which_names_of_folders_windows_itself_can_not_start() -> None:
    """`Run as administrator` hands the name to cmd.exe /C, which drops the quotes around & < > ( ) @ ^ |."""
    page = (build.STICK / "huong-dan.html").read_text("utf-8")
    assert "cửa sổ đen hiện ra rồi tắt ngay" in page
    assert "&amp; ( ) ^ @" in page


def test_each_refusal_has_its_words() -> None:
    named = set(re.findall(r'WHY=([\w-]+)"', (build.STICK / "cai-dat.cmd").read_text()))
    named |= set(re.findall(r"stop ([\w-]+)$", (build.STICK / "cai-dat.sh").read_text(), re.MULTILINE))
    assert named == set(REASONS)
    for name in ("windows-cu", "may-32-bit", "may-arm"):
        assert "kiểm đếm bằng tay" in REASONS[name]
        assert "gateway" in REASONS[name]
        assert "Không có gì bị thay đổi" in REASONS[name]


def test_the_shell_script_is_clean(peer: Peer) -> None:
    scripts = [str(path) for path in build.STICK.glob("*.sh")]
    done = subprocess.run(
        [peer("shellcheck"), "-s", "sh", *scripts], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("machine", "says"), [("i686", "32-bit"), ("armv7l", "32-bit")], ids=["old PC", "old Raspberry Pi"]
)
def test_a_32_bit_linux_is_refused_in_words(tmp_path: Path, machine: str, says: str) -> None:
    done = refused(tmp_path, uname=machine)
    assert says in done.stderr
    assert "kiểm đếm bằng tay" in done.stderr


def test_who_is_not_root_is_told_so(tmp_path: Path) -> None:
    assert "sudo sh cai-dat.sh" in refused(tmp_path, uname="x86_64", user="1000").stderr


def refused(folder: Path, *, uname: str, user: str = "0") -> subprocess.CompletedProcess[str]:
    """The script among stand-ins that say another machine or user; it must do nothing but speak."""
    (folder / "schoolwatch").mkdir()
    (folder / "schoolwatch" / "loi").symlink_to(build.STICK / "loi")
    (folder / "cai-dat.sh").write_text((build.STICK / "cai-dat.sh").read_text())
    for name, says in (("uname", f'[ "$1" = -m ] && echo {uname} || echo Linux'), ("id", f"echo {user}")):
        (folder / name).write_text(f"#!/bin/sh\n{says}\n")
        (folder / name).chmod(0o755)
    done = subprocess.run(
        ["sh", str(folder / "cai-dat.sh")], capture_output=True, text=True, timeout=20,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 2
    return done


def test_words_are_in_both_languages_and_used() -> None:
    texts = tomllib.loads((build.STICK / "words.toml").read_text("utf-8"))
    code = "".join(path.read_text("utf-8") for path in build.STICK.glob("*.py"))
    for key, text in texts.items():
        assert set(text) == {"vi", "en"}
        assert set(re.findall(r"{(\w+)}", text["vi"])) == set(re.findall(r"{(\w+)}", text["en"]))
        assert f'"{key}"' in code, key


def test_the_installer_and_the_agent_agree() -> None:
    """The stick's installer stands alone; what it shares with the agent is written in both."""
    from schoolwatch_agent import config, identity, lock, program
    from schoolwatch_agent.install import placing, service, task

    code = (build.STICK / "placed.py").read_text("utf-8")
    assert f'MARK = "{program.MARK}"' in code
    assert f'TASK = "{task.TASK}"' in code
    assert f'RECORD = "{placing.RECORD}"' in code
    assert f'"{identity.CREDENTIAL}", "{identity.INSTALL_ID}"' in code
    assert f'LOCK = "{lock.CYCLE}"' in code
    assert f'"{config.DATA}"' in code
    assert f'"{service._LINUX}"' in code
    folder, name = service._WINDOWS.rsplit("\\", 1)
    assert f'r"{folder}")) / "{name}"' in code
