"""A province's server that measures bandwidth: the API in a thread, the endpoint as the process it is."""

import os
import secrets
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Self

import msgspec

from mqtt import wait_for
from reports import NOW, Device, World
from schoolwatch_agent.bandwidth.leave import ask
from schoolwatch_agent.bandwidth.order import Family, Order, Outcome, Task, decode_outcome, encode
from schoolwatch_agent.host import Host, Own
from schoolwatch_agent.identity import Broker, Credential, install_id, write_credential
from schoolwatch_contract.slot import Slot
from schoolwatch_server.config import Speedtest, of_data, render
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.scope import EVERYTHING
from shaped import ShapedLine
from website import RunningSite

_one_at_a_time = Lock()
"""Alembic migrates one database at a time in one process, and FastAPI makes one application at a time."""


@dataclass
class Measuring:
    """`with Measuring(folder, …)`: a school with enrolled devices, and both ends of asking and testing."""

    folder: Path
    speedtest: Speedtest
    line: ShapedLine | None = None
    """Where the server is: API and endpoint at the line's one end, the agent's child at the other."""

    world: World = field(init=False)
    site: RunningSite = field(init=False)

    def __enter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        with _one_at_a_time:
            self.world = World(self.folder)
            self.config = msgspec.structs.replace(of_data(self.folder), speedtest=self.speedtest)
            self.site = RunningSite(self.config, None if self.line is None else self.line.bound())
        self.url = self.site.url
        self.site.__enter__()
        self.process = self._start("speedtest")
        wait_for(lambda: "own line" in self.said or self.process.poll() is not None)
        assert self.process.poll() is None, self.said
        if self.line is None:
            wait_for(self._answers)
        return self

    def _start(self, part: str) -> "subprocess.Popen[bytes]":
        settings = self.folder / "server.toml"
        settings.write_text(render(self.config), encoding="utf-8")
        words = [sys.executable, "-m", "schoolwatch_server", part, "--config", str(settings)]
        with (self.folder / f"{part}.log").open("wb") as out:
            return subprocess.Popen(
                words if self.line is None else self.line.at_server(*words),
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        self.site.__exit__()
        self.world.engine.dispose()
        assert code == 0, self.said

    @property
    def said(self) -> str:
        return (self.folder / "speedtest.log").read_text(encoding="utf-8")

    def _answers(self) -> bool:
        family = socket.AF_INET6 if ":" in self.speedtest.host else socket.AF_INET
        with socket.socket(family) as trial:
            return trial.connect_ex((self.speedtest.host, self.speedtest.port)) == 0

    def agent(self, device: Device) -> Host:
        """The machine of an enrolled device, with a folder of its own."""
        data = self.folder / f"agent-{device.device}"
        write_credential(data, credential(device))
        install_id(data)
        return Host(own=Own(data))

    def device(self) -> Device:
        """An enrolled device of a school of its own: no other test holds its line."""
        with begin_write(self.world.engine) as conn:
            name = f"S{secrets.token_hex(4)}"
            commune = registry.communes(conn, EVERYTHING)[0].id
            school = registry.create_school(conn, commune, name, f"Trường {name}", "THCS", NOW)
            row = registry.create_device(conn, school, None, name, NOW)
            key = secrets.token_bytes(32)
            credentials.set_credential(conn, row.id, key, "$7$1$a$b", NOW)
        return Device(row.id, row.device, key)

    def measure(self, device: Device, family: Family = 4, bytes_left: int = 10**11, ca: str = "") -> Outcome:
        """One test by the agent's child process, at the school's end of the line."""
        host = self.agent(device)
        assert host.own is not None
        order = Order(self.url, family, bytes_left)
        words = [sys.executable, "-m", "schoolwatch_agent.bandwidth"]
        done = subprocess.run(
            words if self.line is None else self.line.at_school(*words),
            input=encode(Task(order, str(host.own.data), ca)),
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert done.returncode == 0, done.stderr
        return decode_outcome(done.stdout)

    def leave(self, device: Device) -> Slot:
        """A slot. Raises `NoLeaveError`."""
        return ask(self.url, credential(device))


def credential(device: Device) -> Credential:
    """What the device was given when it enrolled."""
    return Credential(device.device, device.key.hex(), "p", Broker("127.0.0.1", 1))


def memory(process: "subprocess.Popen[bytes]") -> int:
    """Bytes of a process that are in memory now."""
    pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
