"""Child processes that cannot outlive us: parts of the server, and programs that it needs."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

Process = subprocess.Popen[bytes]

_PIECE, _ERRORS = 1 << 16, 1 << 16
_LAST_WORDS = 3.0
_LOOK_UP = 0.2

# Runs before the part itself, in the part's own process: asks Linux to end it when we die (prctl(2),
# PR_SET_PDEATHSIG = 1; it survives execve), checks that we had not died before, and becomes the part.
_BEFORE = """
import ctypes, os, resource, signal, sys
parent, number, files, command = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
if files:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = files if hard == resource.RLIM_INFINITY else min(files, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, number, 0, 0, 0)
if os.getppid() != parent:
    os._exit(1)
try:
    os.execv(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]}: {error.strerror}")
"""


def spawn(command: Sequence[str], log: Path, *, gently: bool = False, files: int = 0) -> Process:
    """The running child. It gets SIGKILL (`gently`: SIGTERM) when this process dies, however it dies.

    It may open `files` at once, as far as the system lets it.
    It is a process group of its own: a Ctrl-C at the terminal reaches only us, and we stop it in order.
    """
    number = signal.SIGTERM if gently else signal.SIGKILL
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            _bound(command, number, files),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
        )
    finally:
        os.close(descriptor)


def run_long(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    take: Callable[[bytes], None] | None = None,
) -> tuple[int, bytes, str]:
    """Exit code, output and errors of a command that may take hours, in this process's group.

    It is killed when this process dies or an exception ends the wait. `take` is given the output in pieces,
    which is then not kept. Raises OSError when the program can't be started.
    """
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            _bound(command, signal.SIGKILL),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env={**os.environ, **(environment or {})},
        ) as process,
    ):
        kept: list[bytes] = []
        try:
            assert process.stdout is not None
            while piece := process.stdout.read1(_PIECE):  # type: ignore[attr-defined]  # it is buffered
                (take or kept.append)(piece)
            code = process.wait()
        except BaseException:
            process.terminate()  # it may have something to put right: a lock, a half-written file
            try:
                process.wait(_LAST_WORDS)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
        errors.seek(0)
        return code, b"".join(kept), errors.read(_ERRORS).decode("utf-8", "replace").strip()


def lines_of(
    command: Sequence[str], text: bytes, *, seconds: float, stop: threading.Event
) -> Iterator[bytes]:
    """Lines that a command writes which reads `text`; its environment holds nothing of ours.

    It is killed after `seconds`, when `stop` is set, when nobody asks for more, and when this process dies.
    Raises OSError when it can't be started.
    """
    with subprocess.Popen(
        _bound(command, signal.SIGKILL),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"},
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _tell(process.stdin, text)
            yield from _lines(process.stdout, time.monotonic() + seconds, stop)
        finally:
            end_group(process)


def _tell(into: IO[bytes], text: bytes) -> None:
    try:
        into.write(text)
        into.close()
    except BrokenPipeError:  # it has ended already: there are no lines
        return


def _lines(out: IO[bytes], end: float, stop: threading.Event) -> Iterator[bytes]:
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_READ)
        while time.monotonic() < end and not stop.is_set() and len(rest) <= _PIECE:
            if not selector.select(_LOOK_UP):
                continue
            piece = os.read(out.fileno(), _PIECE)
            if not piece:
                return
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole


def _bound(command: Sequence[str], number: signal.Signals, files: int = 0) -> tuple[str, ...]:
    """The command with what ties its life to ours."""
    ours = (str(os.getpid()), str(int(number)), str(files))
    return (sys.executable, "-I", "-S", "-c", _BEFORE, *ours, *command)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kills what is left of the child's process group: it, and what it started itself."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # all gone already


def run_once(command: Sequence[str], *, text: str, seconds: float) -> tuple[int, str]:
    """Exit code and output of a short command that reads `text`; code -1 when it takes too long."""
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, f"no answer within {seconds:g} s"
    return done.returncode, (done.stderr or done.stdout).strip()
