"""Runs a program in a child process that outlives neither its time nor its bound; `Host` alone calls it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO, Final

from schoolwatch_agent import deadline
from schoolwatch_agent.errors import CommandFailed

PRINTED_MAX: Final = 4 << 20
"""Bytes that a program may print; one that prints more is ended."""

LOOK: Final = 0.25
"""Seconds between two looks whether a program has ended that has not closed its output yet."""

END_TIMEOUT: Final = 1.0
DRAIN_TIMEOUT: Final = 1.0


def finish(command: tuple[str, ...], called: tuple[str, ...], timeout: float, asked: str = "") -> str:
    """Runs a program in a process group of its own, which does not outlive its time or its bound.

    It reads what is `asked` (less than a pipe holds, 64 KB) on its standard input.
    """
    timeout = deadline.cut(timeout)
    process: subprocess.Popen[bytes] | None = None
    try:
        with _end_held():
            process = _started(command, asked)
        end = time.monotonic() + timeout
        out, err = _Drain(process, process.stdout), _Drain(process, process.stderr)
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), process.stdin:
                process.stdin.write(asked.encode())
        code = _waited(process, out.thread, end)
        # what it printed is in the pipe; a child that it left behind may hold that open for ever
        for drain in (out, err):
            drain.thread.join(min(max(end - time.monotonic(), 0.1), DRAIN_TIMEOUT))
    except subprocess.TimeoutExpired as error:
        raise deadline.silent(" ".join(called), timeout) from error
    finally:
        if process is not None:
            _end(process)
    for drain in (out, err):
        drain.thread.join(1)
    if out.overflowed:
        raise CommandFailed(called, code, f"printed more than {PRINTED_MAX} bytes")
    if code != 0:
        raise CommandFailed(called, code, err.text() or out.text())
    return out.text()


def _waited(process: "subprocess.Popen[bytes]", reader: threading.Thread, end: float) -> int:
    """The exit code, at the latest at `end`; else `TimeoutExpired`.

    A program that ends closes its output, which the reader hears of; subprocess would look 20 times a second.
    Something that it left behind may hold the output open, so it is looked at too.
    """
    while reader.is_alive() and process.poll() is None and (left := end - time.monotonic()) > 0:
        reader.join(min(left, LOOK))
    return process.wait(max(end - time.monotonic(), 0))


def _started(command: tuple[str, ...], asked: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "LC_ALL": "C", "LANGUAGE": "C", "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
        creationflags=0x08000000 if sys.platform == "win32" else 0,  # CREATE_NO_WINDOW
    )


@contextlib.contextmanager
def _end_held() -> Iterator[None]:
    """A signal to end that comes while a program is being started is heard once it can be ended with us.

    Without that the program is there already and nobody has its number: it would be left behind.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are heard there alone
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, lambda which, _: came.append(which))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for which in came:
        signal.raise_signal(which)


class _Drain:
    """Reads one stream of a process to its end in a thread, and ends the process that prints too much."""

    def __init__(self, process: "subprocess.Popen[bytes]", stream: IO[bytes] | None) -> None:
        self._process = process
        self._stream = stream
        self._parts: list[bytes] = []
        self.overflowed = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        if self._stream is None:
            return
        size = 0
        with self._stream:
            while part := os.read(self._stream.fileno(), 65536):
                size += len(part)
                if size > PRINTED_MAX:
                    self.overflowed = True
                    _end(self._process)
                    return
                self._parts.append(part)

    def text(self) -> str:
        return b"".join(self._parts).decode("utf-8", "replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a process and what it started."""
    if sys.platform == "win32":
        taskkill = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(taskkill, capture_output=True, check=False)
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):  # the whole group has ended by itself
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):  # one that waits for a broken disk cannot be ended
        process.wait(END_TIMEOUT)
