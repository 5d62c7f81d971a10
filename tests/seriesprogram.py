"""A program that holds series, for tests: started on loopback, waited for, ended."""

import contextlib
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx


@dataclass
class SeriesProgram:
    """One process on 127.0.0.1, with its folder."""

    program: Path
    folder: Path
    port: int
    client: httpx.Client = field(init=False)
    auth: tuple[str, str] | None = field(default=None, init=False)
    """User and password, where one is asked for."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    def run(self, *words: str, until: str) -> None:
        """Starts it, with what the folder holds from before, and waits until a path answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([str(self.program), *words], stdout=log, stderr=log)
        self.client = httpx.Client(base_url=self.url, timeout=120, auth=self.auth)
        deadline = time.monotonic() + 300  # one with 100 million points reads its files first
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            with contextlib.suppress(httpx.TransportError):
                if self.client.get(until).is_success:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{self.program.name} does not answer")

    def stop(self) -> None:
        """Ends it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.client.close()
