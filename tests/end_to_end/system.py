"""A whole server for a test: a real broker, and the server's parts as real processes that can be killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from sqlalchemy import Engine, func, select

from brokers import RunningBroker, environment
from databases import make_database
from schoolwatch_agent import identity
from schoolwatch_server.broker.passwords import hash_password, new_password
from schoolwatch_server.config import ServerConfig, of_data, render
from schoolwatch_server.database import credentials, registry, tables
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.files import private_folder, write_atomically


@dataclass(frozen=True)
class Device:
    """A device of the registry, with what it was given at enrolment."""

    id: int
    device: str
    key: bytes
    password: str


@dataclass
class System:
    """One data folder, one broker, and the parts that run now."""

    data: Path
    broker: RunningBroker
    retention: dict[str, int] = field(default_factory=dict)
    parts: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        private_folder(self.data)
        private_folder(self.data / "secrets")
        write_atomically(self.config.mqtt_password_path, self.broker.password)
        replace = msgspec.structs.replace
        config = replace(
            self.config,
            mqtt=replace(self.config.mqtt, port=self.broker.port, socket=self.broker.socket),
            retention=replace(self.config.retention, **self.retention),
            evaluation=replace(self.config.evaluation, every=1.0),
        )
        write_atomically(self.data / "server.toml", render(config))
        self.engine: Engine = open_database(make_database(self.data), self.data)
        with begin_write(self.engine) as conn:
            province = registry.create_province(conn, "MAU", "Tỉnh mẫu")
            commune = registry.create_commune(conn, province, "MAU", "Xã mẫu")
            self.school = registry.create_school(
                conn, commune, "TRUONG-MAU", "Trường mẫu", "THCS", time.time()
            )

    @property
    def config(self) -> ServerConfig:
        return of_data(self.data)

    def device(self) -> Device:
        """A new device with a credential that the broker knows at once."""
        key, password = os.urandom(32), new_password()
        hashed = hash_password(password)
        with begin_write(self.engine) as conn:
            row = registry.create_device(conn, self.school, None, "", time.time())
            credentials.set_credential(conn, row.id, key, hashed, time.time())
        self.broker.set_hash(row.device, hashed)
        return Device(row.id, row.device, key, password)

    def agent_folder(self, folder: Path, device: Device, settings: str = "") -> Path:
        """A folder of an enrolled agent; gives its settings file."""
        identity.write_credential(
            folder / "data",
            identity.Credential(
                device.device,
                device.key.hex(),
                device.password,
                identity.Broker(self.broker.host, self.broker.port),
            ),
        )
        file = folder / "agent.toml"
        file.write_text(f"[agent]\ndata = '{folder / 'data'}'\n{settings}")
        return file

    def start(self, part: str, *command: str) -> None:
        """Starts a part (again): `intake`, `evaluate`, or any other command under that name."""
        argv = command or (sys.executable, "-m", "schoolwatch_server", part, "--data", str(self.data))
        with (self.data / f"{part}.log").open("ab") as log:
            self.parts[part] = subprocess.Popen(argv, stdout=log, stderr=log, env=environment())

    def start_intake(self) -> None:
        """Starts intake and waits until the broker keeps reports for it."""
        self.start("intake")
        eventually(lambda: "connected to" in self.log("intake"), 60, "intake does not connect")

    def start_agent(self, settings: Path) -> None:
        """The resident agent."""
        words = ("run", "--stay-connected", "--config", str(settings))
        self.start("agent", sys.executable, "-m", "schoolwatch_agent", *words)

    def kill(self, part: str) -> None:
        """SIGKILL."""
        self.parts[part].kill()
        self.parts[part].wait(10)

    def stop(self) -> None:
        """Ends every part; the broker is its fixture's."""
        for process in self.parts.values():
            process.terminate()
        for process in self.parts.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.engine.dispose()

    def log(self, part: str) -> str:
        return (self.data / f"{part}.log").read_text(errors="replace")

    def journal_count(self) -> int:
        with begin_read(self.engine) as conn:
            return conn.scalar(select(func.count()).select_from(tables.journal)) or 0

    def counters(self) -> dict[tuple[str, str], int]:
        c = tables.counter.c
        with begin_read(self.engine) as conn:
            return {
                (name, label): value for name, label, value in conn.execute(select(c.name, c.label, c.value))
            }


def eventually(condition: Callable[[], bool], seconds: float, what: str | Callable[[], str]) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what if isinstance(what, str) else what()
        time.sleep(0.1)
