"""Starts a part as a child process that cannot outlive us, with its output in a log file of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# Runs before the part itself, in the part's own process: asks Linux to end it when we die (prctl(2),
# PR_SET_PDEATHSIG = 1; it survives execve), checks that we had not died before, and becomes the part.
_BEFORE = """
import ctypes, os, signal, sys
parent, number, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, number, 0, 0, 0)
if os.getppid() != parent:
    os._exit(1)
try:
    os.execv(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]}: {error.strerror}")
"""


def spawn(command: Sequence[str], log: Path, *, gently: bool = False) -> subprocess.Popen[bytes]:
    """The running child. It gets SIGKILL (`gently`: SIGTERM) when this process dies, however it dies.

    It is a process group of its own: a Ctrl-C at the terminal reaches only us, and we stop it in order.
    """
    number = signal.SIGTERM if gently else signal.SIGKILL
    before = (sys.executable, "-I", "-S", "-c", _BEFORE, str(os.getpid()), str(int(number)))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            (*before, *command),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
        )
    finally:
        os.close(descriptor)


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
