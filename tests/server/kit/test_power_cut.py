"""The power fails at each step of an update: what is on the disk then is a whole program, or can be made one.

The killed process is the stick's own installer; the program that it installs is a stand-in of three files.
"""

import importlib
import json
import shutil
import subprocess
import sys
import sysconfig
import threading
import zipfile
from pathlib import Path

import pytest

from schoolwatch_server.kit import build

CUT = """
import os, sys
from pathlib import Path

action, computer, here, last = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
sys.path.insert(0, here)
import placed, putting

CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "subprocess.Popen")
steps = 0

def watch(event, arguments):
    global steps
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if event in CHANGES or (writes and str(arguments[0]).startswith(str(computer))):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), 9)

class Silent:
    language = "vi"
    def __call__(self, key, **values): print(key)
    def stop(self, key, **values):
        print(key)
        sys.exit(2)

os.sync = lambda: None  # only this process is killed: what it has written stays
placed.program_folder = lambda: computer / "program"
placed.settings_folder = lambda: computer / "settings"
placed.data_folders = lambda: (computer / "data",)
sys.addaudithook(watch)
if action == "uninstall":
    code = putting.uninstall(Silent(), with_data=False)
else:
    import json
    kit = json.loads(Path(here, "kit.json").read_text())
    code = putting.replace(kit, kit["wheels"][putting.target()], Silent())
print(steps)
sys.exit(code)
"""

ENTRY = """
import sys
from pathlib import Path
from schoolwatch_agent import version

def run():
    place = Path(__file__).resolve().parents[3]
    record = place / "settings/installed.json"
    if "install" in sys.argv:
        if (place / "refuses").exists():
            sys.exit(1)
        record.write_text("{}")
    if "uninstall" in sys.argv:
        record.unlink()
    print(version.VERSION)
"""


def stick(folder: Path, version: str) -> Path:
    """A stick with a program that says its version."""
    inside = folder / build.INSIDE
    (inside / "wheels").mkdir(parents=True)
    for path in build.STICK.glob("*.py"):
        shutil.copyfile(path, inside / path.name)
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    target = f"{sysconfig.get_platform()}-{python}"
    with zipfile.ZipFile(inside / "wheels" / "agent.whl", "w") as wheel:
        wheel.writestr("schoolwatch_agent/__init__.py", "")
        wheel.writestr("schoolwatch_agent/entry.py", ENTRY)
        wheel.writestr("schoolwatch_agent/version.py", f'VERSION = "{version}"\n')
    kit = {
        "version": version, "made": "now", "url": "", "ca": "", "token_file": "none", "insecure_http": False,
        "wheels": {target: ["agent.whl"]},
    }  # fmt: skip
    (inside / "kit.json").write_text(json.dumps(kit))
    return inside


class Computer:
    """A folder that is a computer; `install` is killed before its step `last`, or not at all for 0."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, here: Path, last: int = 0) -> subprocess.CompletedProcess[str]:
        return self._run("install", here, last)

    def uninstall(self, here: Path, last: int = 0) -> subprocess.CompletedProcess[str]:
        return self._run("uninstall", here, last)

    def _run(self, action: str, here: Path, last: int) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-I", "-B", "-c", CUT, action, str(self.folder), str(here), str(last)]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    def refuse(self, *, refuses: bool) -> None:
        """Whether the program's own `install` fails."""
        (self.folder / "refuses").touch() if refuses else (self.folder / "refuses").unlink(missing_ok=True)

    def version(self) -> str:
        """What the program in its place says; empty when there is none."""
        program = self.folder / "program"
        if not program.exists():
            return ""
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(program)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr  # half a program
        assert {"program.json", "__main__.py", "lib"} <= {path.name for path in program.iterdir()}
        return done.stdout.strip()

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    def copy(self, folder: Path) -> "Computer":
        shutil.copytree(self.folder, folder)
        return Computer(folder)


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    (tmp_path / "computer/settings").mkdir(parents=True)
    return Computer(tmp_path / "computer")


def test_an_update_that_the_power_ends_leaves_a_whole_program_and_can_be_done_again(
    computer: Computer, tmp_path: Path
) -> None:
    first, second = stick(tmp_path / "first", "1"), stick(tmp_path / "second", "2")
    assert computer.install(first).returncode == 0
    whole = computer.copy(tmp_path / "whole")
    steps = int(whole.install(second).stdout.split()[-1])
    assert whole.version() == "2"
    assert steps > 15
    seen: dict[str, int] = {"": 0, "1": 0, "2": 0}
    for last in range(1, steps + 1):
        cut = computer.copy(tmp_path / f"cut{last}")
        assert cut.install(second, last).returncode == -9
        found = cut.version()
        seen[found] += 1

        refused = cut.copy(tmp_path / f"refused{last}")
        refused.refuse(refuses=True)
        assert refused.install(second).returncode == 1
        assert refused.version() in ("1", found or "1")
        assert refused.names() == {"program", "settings", "refuses"}

        again = cut.install(second)
        assert again.returncode == 0, again.stderr
        assert (cut.version(), cut.names()) == ("2", {"program", "settings"})
    assert seen["1"] > 10  # it is the earlier one until the next is whole
    assert seen["2"] > 3
    assert seen[""] == 1  # between two changes of a name


def test_a_first_installation_that_the_power_ends_can_be_done_again_or_taken_away(
    computer: Computer, tmp_path: Path
) -> None:
    here = stick(tmp_path / "stick", "1")
    steps = int(computer.copy(tmp_path / "whole").install(here).stdout.split()[-1])
    for last in range(1, steps + 1):
        cut = computer.copy(tmp_path / f"cut{last}")
        assert cut.install(here, last).returncode == -9
        taken = cut.copy(tmp_path / f"taken{last}")
        gone = taken.uninstall(here)
        assert gone.returncode in (0, 2), gone.stderr  # 2: there was nothing
        assert taken.names() <= {"settings"}  # an empty folder of settings goes too
        assert cut.install(here).returncode == 0
        assert (cut.version(), cut.names()) == ("1", {"program", "settings"})


def test_taking_it_away_can_be_broken_off_too(computer: Computer, tmp_path: Path) -> None:
    here = stick(tmp_path / "stick", "1")
    assert computer.install(here).returncode == 0
    steps = int(computer.copy(tmp_path / "whole").uninstall(here).stdout.split()[-1])
    for last in range(1, steps + 1):
        cut = computer.copy(tmp_path / f"cut{last}")
        assert cut.uninstall(here, last).returncode == -9
        again = cut.uninstall(here)
        assert again.returncode in (0, 2), again.stderr  # 2: only what was half deleted was left
        assert cut.names() <= {"settings"}


def test_what_the_program_itself_refuses_leaves_nothing(computer: Computer, tmp_path: Path) -> None:
    computer.refuse(refuses=True)
    assert computer.install(stick(tmp_path / "stick", "1")).returncode == 1
    assert computer.names() == {"settings", "refuses"}


def test_a_program_that_was_deleted_by_hand_is_put_back_and_then_taken_away(
    computer: Computer, tmp_path: Path
) -> None:
    here = stick(tmp_path / "stick", "1")
    assert computer.install(here).returncode == 0
    shutil.rmtree(computer.folder / "program")
    refused = computer.uninstall(here)
    assert (refused.returncode, refused.stdout.split()) == (2, ["program_missing"])
    assert computer.install(here).returncode == 0
    assert computer.uninstall(here).returncode == 0
    assert computer.names() == {"settings"}


def test_a_disk_that_hangs_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(build.STICK)
    placed = importlib.import_module("placed")
    released = threading.Event()
    monkeypatch.setattr(placed.os, "sync", lambda: released.wait(30))
    monkeypatch.setattr(placed, "PATIENCE", 0.05)
    placed.finish(tmp_path, "whole")
    assert (tmp_path / placed.MARK).read_text() == "whole"
    released.set()
