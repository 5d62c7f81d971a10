"""A real broker with real accounts for tests: started, killed, restarted and given devices at will."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from schoolwatch_server.broker import access, mosquitto
from schoolwatch_server.broker.limits import CONNECTIONS_MAX
from schoolwatch_server.broker.passwords import hash_password, new_password
from schoolwatch_server.files import private_folder, write_atomically

SERVER_USER = "schoolwatch-server"

QUEUED = 2**28
"""Bytes that wait for one client at most."""


@dataclass
class RunningBroker:
    """A broker on 127.0.0.1; `user` and `password` are the server's own account."""

    kind: str
    folder: Path
    port: int
    program: Path | None = None
    host: str = "127.0.0.1"
    user: str = SERVER_USER
    password: str = field(default_factory=new_password)
    tls: tuple[Path, Path] | None = None
    connections: int = CONNECTIONS_MAX
    _users: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> str:
        """Where the server's own parts come in; "" where they come by the port."""
        return mosquitto.socket_in(self.folder) if self.kind == "mosquitto" else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts it (again) on the same port and folder and waits until it listens."""
        private_folder(self.folder)
        self._users.setdefault(self.user, hash_password(self.password))
        self._write()
        write_atomically(self.folder / "acl", access.acl(self.user))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
                if self._takes_the_servers_own():
                    return
            time.sleep(0.02)
        raise AssertionError("the broker does not listen")

    def _takes_the_servers_own(self) -> bool:
        """Whether Mosquitto's second listener, a socket in its folder, is there as well."""
        if not self.socket:
            return True
        with socket.socket(socket.AF_UNIX) as own:
            return own.connect_ex(self.socket) == 0

    def _command(self) -> tuple[str, ...]:
        if self.kind == "mosquitto":
            assert self.program is not None
            certificate, key = ("", "") if self.tls is None else map(str, self.tls)
            devices = mosquitto.Listener(self.host, self.port, certificate, key)
            config = mosquitto.write(
                mosquitto.Setup(self.folder, (devices,), QUEUED, self.socket, connections=self.connections)
            )
            return mosquitto.command(self.program, config)
        files = () if self.tls is None else ("--certificate", str(self.tls[0]), "--key", str(self.tls[1]))
        return (
            sys.executable, "-m", "schoolwatch_server", "broker-amqtt", "--folder", str(self.folder),
            "--mqtt", f"{self.host}:{self.port}", "--user", self.user, "--queued-bytes", str(QUEUED), *files,
        )  # fmt: skip

    def _write(self) -> None:
        write_atomically(self.folder / "passwords", access.password_file(self._users))

    def add(self, user: str, password: str | None = None) -> str:
        """A new account (a device's id is its user name); gives its password. Works while running."""
        password = password or new_password()
        self.set_hash(user, hash_password(password))
        return password

    def set_hash(self, user: str, hashed: str) -> None:
        """As the server does it: the hash goes into the password file, and the broker reads it again."""
        self._users[user] = hashed
        self._reload()

    def remove(self, user: str) -> None:
        """Takes an account away while the broker runs."""
        del self._users[user]
        self._reload()

    def let_relay(self, *gateways: str) -> None:
        """These devices, and no others, are gateways; works while it runs."""
        write_atomically(self.folder / "acl", access.acl(self.user, gateways))
        self._reload()

    def _reload(self) -> None:
        self._write()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGHUP)
            time.sleep(0.2)

    def kill(self) -> None:
        """SIGKILL: nothing is saved any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def stop(self) -> None:
        """SIGTERM: it saves what it holds and ends."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def forget(self) -> None:
        """Throws away everything that it remembered (only when stopped)."""
        (self.folder / "mosquitto.db").unlink(missing_ok=True)


def environment() -> dict[str, str]:
    """The environment of a child that must not inherit the tests' own settings."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
