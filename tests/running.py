"""A real `schoolwatch-server up` for tests: started, watched, killed and asked."""

import contextlib
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil

from mqtt import wait_for


class RunningUp:
    """One `up` on a data folder of its own, on 127.0.0.1 or an address that the test made."""

    def __init__(
        self, data: Path, http: int, mqtt: int, *words: str, user: int | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.data = data
        self.host = host
        self.http = http
        self.mqtt = mqtt
        self.words = words
        self.user = user
        self.output = data.parent / f"{data.name}.out"
        self._token = ""
        self.own_password = ""
        """What the admin chose at the first login; a test sets it."""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and goes on at once."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "schoolwatch_server", "up", "--data", str(self.data),
                    "--lang", "en",
                    "--http", f"{self.host}:{self.http}", "--mqtt", f"{self.host}:{self.mqtt}", *self.words,
                ],
                stdout=out, stderr=subprocess.STDOUT, env={**environment, "HOME": str(self.data.parent)},
                user=self.user, group=self.user, extra_groups=None if self.user is None else [],
            )  # fmt: skip

    def wait_ready(self, seconds: float = 180.0) -> None:
        """Until all that a person is told at the start was printed."""
        wait_for(lambda: "Ctrl-C" in self.said or self._ended(), seconds)
        assert "Console: " in self.said, self.said

    def _ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    @property
    def password(self) -> str | None:
        found = re.search(r"password (\S+)", self.said)
        return found[1] if found else None

    def parts(self) -> dict[str, Any]:
        """What run/parts.json says now."""
        return dict(json.loads((self.data / "run" / "parts.json").read_text()))

    def family(self) -> list[psutil.Process]:
        """The supervisor's children and theirs."""
        assert self.process is not None
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def command(self, *words: str) -> str:
        """Output of another schoolwatch-server command on the same data."""
        argv = [sys.executable, "-m", "schoolwatch_server", *words, "--data", str(self.data)]
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=180).stdout.strip()

    @property
    def url(self) -> str:
        """Of console and API: plain on loopback, as long as nobody wants more."""
        scheme = "https" if self._ca.exists() else "http"
        return f"{scheme}://{self.host}:{self.http}"

    @property
    def _ca(self) -> Path:
        return self.data / "tls" / "ca.pem"

    @property
    def trusted(self) -> ssl.SSLContext:
        """Who trusts the server's own authority, once there is one."""
        return _trusting(self._ca.read_text() if self._ca.exists() else "")

    def get(self, path: str) -> httpx.Response:
        """An API request with a token that may read."""
        if not self._token:
            self._token = self.command("token", "--scope", "read")
        headers = {"Authorization": f"Bearer {self._token}"}
        return httpx.get(
            f"{self.url}{path}", headers=headers, timeout=60, trust_env=False, verify=self.trusted
        )

    def is_ready(self) -> bool:
        """Whether /readyz says so."""
        with contextlib.suppress(httpx.HTTPError):
            return (
                httpx.get(f"{self.url}/readyz", timeout=10, trust_env=False, verify=self.trusted).status_code
                == 200
            )
        return False

    def devices(self) -> list[dict[str, Any]]:
        """Devices that have been heard."""
        with contextlib.suppress(httpx.HTTPError):
            answer = self.get("/api/v1/devices")
            if answer.status_code == 200:
                return [d for d in answer.json()["devices"] if d["heard_at"]]
        return []

    def stop(self, number: signal.Signals = signal.SIGINT, seconds: float = 60.0) -> float:
        """Ctrl-C; gives the seconds that it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(seconds)
        return time.monotonic() - began

    def end(self) -> None:
        """Leaves nothing behind, whatever a test did."""
        if self.process is not None and self.process.poll() is None:
            family = self.family()
            self.process.kill()
            self.process.wait(10)
            psutil.wait_procs(family, timeout=10)


@cache
def _trusting(authority: str) -> ssl.SSLContext:
    """Who trusts that authority, or nobody: it is asked many times a second whether a server is ready."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority:
        made.load_verify_locations(cadata=authority)
    return made
