"""Keeps one part running: starts it, sees when it is ready or dead, starts it again, and stops it."""

import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from schoolwatch_server import child
from schoolwatch_server.supervise import logs

State = Literal["waiting", "starting", "running", "restarting", "stopped"]
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a dead part is started again: doubled each time, the first again once it ran a minute."""

_STEADY = 60.0
_SETTLED = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the server: its command, and how to see that it answers (None: that it stays alive).

    It may open `files` at once, or as many as the system lets it (0: as many as we may).
    """

    name: str
    command: Sequence[str]
    log: Path
    answers: Callable[[], bool] | None = None
    gently: bool = False
    files: int = 0


class Status(msgspec.Struct, frozen=True):
    """What others may know of a part; `since` is UTC seconds, `why` the last lines before it died."""

    state: State
    since: float
    restarts: int
    pid: int | None
    why: tuple[str, ...] = ()


class Keeper:
    """The life of one part. Times are passed in: `now` in UTC seconds."""

    def __init__(self, part: Part, now: float) -> None:
        self.part = part
        self.status = Status("waiting", now, 0, None)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = now
        self._again = now
        self._pause = FIRST_PAUSE
        self._log_from = 0

    @property
    def is_running(self) -> bool:
        """Whether it is there and answers."""
        return self.status.state == "running"

    def start(self, now: float) -> None:
        """Starts the process."""
        log = self.part.log
        logs.rotate(log)
        self._log_from = log.stat().st_size if log.exists() else 0
        self._process = child.spawn(self.part.command, log, gently=self.part.gently, files=self.part.files)
        self._started = now
        self._become("starting", now, self._process.pid)

    def look(self, now: float) -> bool:
        """One look at it; starts it again when its pause is over. True when its state changed."""
        before = self.status
        if self.status.state == "restarting":
            if now >= self._again or now < self._started:  # the clock may have been set back
                self.start(now)
        elif self._process is not None and self._process.poll() is not None:
            self._died(now, self._process)
        elif self.status.state == "starting" and self._is_ready(now):
            self._become("running", now, self.status.pid)
        return self.status != before

    def send(self, number: signal.Signals) -> None:
        """A signal to the part itself, if it is there."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def wait_ended(self, seconds: float, now: float) -> None:
        """Waits for its end; after that time it, and what it started, is killed."""
        if self._process is not None:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                child.end_group(self._process)
                self._process.wait()
            child.end_group(self._process)
        self._become("stopped", now, None)

    def _is_ready(self, now: float) -> bool:
        if self.part.answers is not None:
            return self.part.answers()
        return now - self._started >= _SETTLED

    def _died(self, now: float, process: subprocess.Popen[bytes]) -> None:
        child.end_group(process)
        if now - self._started >= _STEADY:
            self._pause = FIRST_PAUSE
        self._again = now + self._pause
        self._pause = min(LONGEST_PAUSE, self._pause * 2)
        code = process.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        why = (*logs.last_lines(self.part.log, since=self._log_from), how)
        self._process = None
        self.status = Status("restarting", now, self.status.restarts + 1, None, why)

    def _become(self, state: State, now: float, pid: int | None) -> None:
        self.status = msgspec.structs.replace(self.status, state=state, since=now, pid=pid)
