"""Where the agent lies on a computer, and how one version takes the place of another.

Whatever moment the power fails at, the folders say what was whole: a program is whole when its mark is in it,
and the earlier version keeps its mark until the next one was installed.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

IS_WINDOWS = sys.platform == "win32"
TASK = "SchoolWatch Agent"
MARK = "program.json"
"""In the program's folder: the whole folder is ours, and nothing of it is missing."""
RECORD = "installed.json"
"""In the settings' folder: what the program's own `install` made."""
CREDENTIAL, INSTALL_ID = "credential.json", "install_id"
"""In the data: what the server gave, and what tells this installation from others."""
LOCK = "lock"
"""In the data from the first cycle on, also when prepare-image has stripped all the rest."""
BUSY = (0.2, 1.0, 3.0, 6.0)
"""Seconds to wait for Windows to let go of a folder: a cycle that ends, an antivirus that looks at it."""

PATIENCE = 60.0
"""Seconds to wait for the disks: one that hangs, such as a dead network drive, must not keep a teacher."""


def program_folder() -> Path:
    """Where the program goes: only administrators may write there."""
    if IS_WINDOWS:
        return Path(os.environ.get("ProgramFiles", r"C:\Program Files")) / "SchoolWatch"  # noqa: SIM112  its real spelling
    return Path("/opt/schoolwatch-agent")


def settings_folder() -> Path:
    """Where the program's `install` keeps settings and record."""
    if IS_WINDOWS:
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "SchoolWatch"
    return Path("/etc/schoolwatch")


def is_enrolled() -> bool:
    """Whether the agent of this computer has been let in by a server already."""
    try:
        data = json.loads((settings_folder() / RECORD).read_text("utf-8"))["data"]
    except (OSError, ValueError, KeyError):  # not installed; its data may be here still
        data = ""
    return (Path(data or data_folders()[0]) / CREDENTIAL).exists()


def data_folders() -> tuple[Path, ...]:
    """Where the agent keeps its data when its settings name no other place.

    On Linux the first is a link to the second once the service has run (DynamicUser of systemd.exec(5)).
    """
    if IS_WINDOWS:
        return (settings_folder() / "agent",)
    return (Path("/var/lib/schoolwatch-agent"), Path("/var/lib/private/schoolwatch-agent"))


def left_data() -> tuple[Path, ...]:
    """What an earlier uninstallation has kept, in its usual place."""
    ours = any((folder / name).exists() for folder in data_folders() for name in (INSTALL_ID, LOCK))
    return tuple(folder for folder in data_folders() if ours and (folder.exists() or folder.is_symlink()))


def delete_data(folder: Path) -> None:
    """Deletes a folder of data, or the link to it. Raises OSError."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def version(program: Path) -> str:
    """The installed program's version; "" where none is, or none that says it."""
    try:
        return str(json.loads((program / MARK).read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return ""


def is_newer(version: str, other: str) -> bool:
    """Whether 0.10.0 is newer than 0.9.1: number by number; what is no such version is never newer."""
    numbers = [tuple(int(part) for part in text.split(".") if part.isdecimal()) for text in (version, other)]
    return numbers[0] > numbers[1]


def beside(program: Path) -> tuple[Path, Path]:
    """Where the next version is made, and where the earlier one waits until the next has been installed."""
    return program.with_name(f"{program.name}.new"), program.with_name(f"{program.name}.old")


def swap(program: Path) -> None:
    """The next version becomes the program: only the names of whole folders are changed. Raises OSError."""
    fresh, older = beside(program)
    if program.exists():
        if IS_WINDOWS:  # which can't move a program that runs
            subprocess.run(["schtasks.exe", "/End", "/TN", TASK], check=False, capture_output=True)  # nosec B607 # Windows' own, found by Windows
        _move(program, older)
    _move(fresh, program)


def recover(program: Path) -> bool:
    """Ends what was broken off; whether the earlier version came back. Raises OSError."""
    fresh, older = beside(program)
    drop(fresh)  # never whole, or never installed, or half deleted
    if not (older / MARK).exists():  # the next version was installed
        drop(older)
        return False
    if program.exists():
        take_away(program)
    _move(older, program)
    return True


def take_away(program: Path) -> None:
    """Deletes the program in its place: it is there whole, or not at all. Raises OSError."""
    fresh, _ = beside(program)
    _move(program, fresh)
    drop(fresh)


def drop(folder: Path) -> None:
    """Deletes a program, which is none any more from the first moment on. Raises OSError."""
    (folder / MARK).unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)


def finish(folder: Path, about: str) -> None:
    """Marks a program as whole when all its files are on the disk, and not before. Raises OSError."""
    _flush(folder)
    (folder / MARK).write_text(about)
    _flush(folder)


def _flush(folder: Path) -> None:
    if not IS_WINDOWS:
        aside = threading.Thread(target=os.sync, daemon=True)
        aside.start()
        aside.join(PATIENCE)
        return
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def _move(folder: Path, to: Path) -> None:
    for seconds in BUSY if IS_WINDOWS else ():
        try:
            folder.rename(to)
        except PermissionError:
            time.sleep(seconds)
        else:
            return
    folder.rename(to)
