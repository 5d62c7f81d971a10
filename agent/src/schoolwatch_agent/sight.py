"""What may be looked at: a path or a program that is not there is told apart from one that is closed to us.

systemd shows its service other folders in place of some (systemd.exec(5)): an empty /tmp of its own
(PrivateTmp), and a /home that nobody may enter (ProtectHome). What the service does not find there may well
be there.
"""

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from schoolwatch_agent.errors import CommandFailed, Hidden, Missing
from schoolwatch_agent.formats import mounts

_SCREENED: Final = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # nosec B108 # noqa: S108  named, not written to
"""Folders in whose place systemd may put another (ProtectHome, PrivateTmp)."""

_PUT_THERE: Final = ("/systemd-private-", "/systemd/inaccessible/")
"""Where what it puts there is from."""

_SYSTEM_FOLDERS: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin")

REFUSED: Final = 126
"""The shell's code for a program that is there and may not be started (POSIX, Shell Command Language)."""


@contextmanager
def of(path: Path) -> Iterator[None]:
    """Inside, a path that is not there and that the service may not see raises `Hidden` instead."""
    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        if _is_hidden(str(path)):
            raise Hidden(errno.EACCES, Hidden.WHY, str(path)) from error
        raise


def is_there(path: Path) -> bool:
    """Whether a path is there. Raises PermissionError where that may not be known, `Hidden`."""
    try:
        with of(path):
            os.stat(path)  # noqa: PTH116  half the price
    except PermissionError:
        raise
    except (OSError, ValueError):  # below a file, a loop of links, no name at all
        return False
    return True


def screened(mountinfo: str) -> tuple[str, ...]:
    """Folders that systemd put others in place of, from /proc/self/mountinfo (proc(5)).

    `57 45 0:23 /systemd/inaccessible/dir /home ro,nosuid - tmpfs tmpfs rw`.
    """
    return tuple(
        place
        for place, mount in mounts.parse(mountinfo).items()
        if any(sign in mount.part for sign in _PUT_THERE)
    )


def _is_hidden(path: str) -> bool:
    if not _is_below(path, _SCREENED):
        return False
    with suppress(OSError):
        return _is_below(path, screened(Path("/proc/self/mountinfo").read_text("utf-8", "replace")))
    return False


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(f"{path}/".startswith(f"{folder}/") for folder in folders)


def text(path: Path, most: int) -> str:
    """A file's text as UTF-8, at most some 64 KB more than `most` bytes."""
    # O_NONBLOCK: a named pipe in a file's place must not hold the agent
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    read = b""
    try:
        # in small parts: the kernel sets aside as much memory as is asked for (/proc/sys answers ENOMEM)
        while len(read) < most and (part := os.read(opened, 65536)):
            read += part
    finally:
        os.close(opened)
    return read.decode("utf-8", "replace")


def program(name: str, at: Callable[[str], Path], system: str) -> str:
    """A program's path, by its name in the folders of programs or by an absolute path.

    `at` puts a path below the machine's root.
    Raises `Missing`; `CommandFailed` with 126 for one that is there and may not be started; PermissionError
    where a folder of the system may not be looked into. A person's folder that is closed hides no program of
    the machine's.
    """
    path = str(at(name)) if name.startswith("/") else name
    known = _windows() if system == "windows" else _linux()
    folders = {str(at(folder)): trusted for folder, trusted in known.items()}
    found = _which(path, folders, system)
    if found is not None:
        return found
    absolute = os.path.dirname(path)  # noqa: PTH120
    closed = False
    for folder, trusted in ({absolute: True} if absolute else folders).items():
        file = os.path.join(folder, path)  # noqa: PTH118  half the price
        try:
            os.lstat(file)
            if _may_be_started(file):
                raise CommandFailed((name,), REFUSED, "permission denied")
        except PermissionError:
            closed = closed or trusted
        except OSError:
            continue
    if closed:
        raise PermissionError(errno.EACCES, "may not be looked for", name)
    raise Missing(name)


def space(folder: Path) -> tuple[int, int]:
    """Size of a file system and what an ordinary user may still fill, in bytes. Raises OSError."""
    if sys.platform == "win32":
        import shutil  # dear to load, and statvfs is all that it is on Linux

        usage = shutil.disk_usage(folder)
        return usage.total, usage.free
    found = os.statvfs(folder)
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize


def _which(path: str, folders: Iterable[str], system: str) -> str | None:
    """The program, if it may be started: in the folders, or where an absolute path says."""
    if system == "windows":
        from shutil import which  # which knows the endings of programs there

        return which(path, path=os.pathsep.join(folders))
    places = [path] if "/" in path else [os.path.join(folder, path) for folder in folders]  # noqa: PTH118
    return next((place for place in places if _is_ours(place)), None)


def _is_ours(file: str) -> bool:
    """To start."""
    return os.path.isfile(file) and os.access(file, os.X_OK)  # noqa: PTH113


def _linux() -> dict[str, bool]:
    """Folders of programs, and whether each is the system's: a user's PATH leaves out where daemons are."""
    own = [folder for folder in os.environ.get("PATH", "").split(":") if folder.startswith("/")]
    return {folder: folder in _SYSTEM_FOLDERS for folder in (*own, *_SYSTEM_FOLDERS)}


def _windows() -> dict[str, bool]:
    system = os.environ.get("SystemRoot", r"C:\Windows")  # noqa: SIM112  its real spelling
    own = filter(None, os.environ.get("PATH", "").split(";"))
    return dict.fromkeys((rf"{system}\System32\WindowsPowerShell\v1.0", rf"{system}\System32", *own), False)


def _may_be_started(file: str) -> bool:
    """By somebody; a link into a folder that is closed to us was put there for a program."""
    try:
        mode = os.stat(file).st_mode  # noqa: PTH116
    except PermissionError:
        return True
    return stat.S_ISREG(mode) and bool(mode & 0o111)
