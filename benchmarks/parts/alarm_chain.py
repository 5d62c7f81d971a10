"""The whole chain from the broker to those who are told, as `alert_latency` runs it on 127.0.0.1."""

import json
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import psutil
from sqlalchemy import Engine, insert

from parts.alarm_reports import Device
from parts.processes import children_cpu, own_cpu
from parts.station import listens, program, wait_for
from schoolwatch_server import channels
from schoolwatch_server import config as configs
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.duty.shift import Shift
from schoolwatch_server.scope import Scope

PARTS = Path(__file__).parent
API_EVERY = 0.06
"""Seconds between two questions to the API."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def enrol(engine: Engine, count: int, communes: int) -> list[Device]:
    """Computers with keys, 50 a school, the schools in these communes in turn."""
    made = []
    with begin_write(engine) as conn:
        province = registry.create_province(conn, "P", "P")
        places = [registry.create_commune(conn, province, f"C{n}", f"C{n}") for n in range(communes)]
        for n in range(count):
            commune, code = places[n // 50 % communes], f"S{n // 50}"
            if n % 50 == 0:
                school = registry.create_school(conn, commune, code, code, "THCS", 0)
            made.append((school, Device(n + 1, secrets.token_hex(16), secrets.token_bytes(32), commune)))
        conn.execute(
            insert(t.device),
            [{"id": d.id, "device": d.device, "label": f"{d.id}", "created_at": 0.0} for _, d in made],
        )
        conn.execute(
            insert(t.membership),
            [{"device_id": d.id, "school_id": school, "valid_from": 0.0} for school, d in made],
        )
        for _, d in made:
            credentials.set_credential(conn, d.id, d.key, "", 0.0)
    return [d for _, d in made]


@dataclass
class Chain:
    """Broker, the server's processes, and who is told; everything ends with the `with`."""

    folder: Path
    communes: Sequence[int]
    processes: dict[str, psutil.Popen] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.broker, self.web = free_port(), free_port()
        lines = [f"listener {self.broker} 127.0.0.1", "allow_anonymous true", "max_queued_messages 0"]
        lines += ["max_inflight_messages 200", "set_tcp_nodelay true", "log_type error"]
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self._start("mosquitto", program("mosquitto", "mosquitto"), "-c", str(self.folder / "mosquitto.conf"))
        mail, hook = self._receivers()
        urls = self.folder / "channels"
        urls.touch(0o600)
        urls.write_text("\n".join(address for one in self._told(mail, hook).values() for address in one))
        self.shifts = [_shift(commune, told) for commune, told in self._told(mail, hook).items()]
        (self.folder / "secret").write_text("none")
        settings = self.folder / "server.toml"
        mqtt = configs.Mqtt(port=self.broker, user="benchmark", password_file=str(self.folder / "secret"))
        settings.write_text(
            configs.render(
                configs.ServerConfig(
                    data=str(self.folder),
                    mqtt=mqtt,
                    http=configs.Http(port=self.web),
                    notify=configs.Notify(urls_file=str(urls)),
                )
            )
        )
        for part in ("intake", "evaluate", "serve"):
            self._start(part, sys.executable, "-m", "schoolwatch_server", part, "--config", str(settings))
        wait_for(lambda: listens("127.0.0.1", self.web))
        wait_for(lambda: "connected to" in (self.folder / "intake.log").read_text())
        wait_for(lambda: "evaluating" in (self.folder / "evaluate.log").read_text())
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in psutil.wait_procs(self.processes.values(), 20)[1]:
            process.kill()

    def _told(self, mail: int, hook: int) -> dict[int, tuple[str, str]]:
        sender = "from=sw@example.org&mode=insecure"
        return {
            one: (
                f"mailto://127.0.0.1:{mail}/?{sender}&to=duty{one}@example.org",
                f"json://127.0.0.1:{hook}/{one}",
            )
            for one in self.communes
        }

    def _receivers(self) -> list[int]:
        process = psutil.Popen(
            [sys.executable, str(PARTS / "receivers.py"), str(self.folder / "received")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.processes["receivers"] = process
        return [int(port) for port in process.stdout.readline().split()]

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as out:
            self.processes[name] = psutil.Popen(command, stdout=out, stderr=out)

    def cpu(self) -> dict[str, float]:
        """Seconds of processor of each so far."""
        return {name: own_cpu(p.pid) + children_cpu(p.pid) for name, p in self.processes.items()}

    def received(self) -> Iterator[tuple[str, int, float]]:
        """By what, of which incident and when: each message that came."""
        for line in (self.folder / "received").read_text().splitlines():
            told = json.loads(line)
            for number in re.findall(r"/incidents/(\d+)", told["text"]):
                yield told["by"], int(number), told["at"]


def _shift(commune: int, addresses: tuple[str, str]) -> Shift:
    """Somebody who is told of all of a commune at all hours."""
    names = tuple(channels.name(address) for address in addresses)
    return Shift(0, f"{commune}", Scope("commune", commune), "low", frozenset(range(7)), 0, 0, names)


@dataclass
class Asker(threading.Thread):
    """Asks the API for the newest open incidents, again and again, as a program would that must know."""

    url: str
    token: str
    seen: dict[str, tuple[int, float]] = field(default_factory=dict)
    ended: bool = False

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=self.url, headers=headers, trust_env=False) as client:
            while not self.ended:
                began = time.time()
                answer = client.get("/api/v1/incidents?state=open&limit=20")
                now = time.time()
                if answer.status_code == 200:
                    for one in answer.json()["incidents"]:
                        self.seen.setdefault(one["device"], (one["id"], now))
                time.sleep(max(0.0, API_EVERY - (now - began)))


@dataclass
class Listener(threading.Thread):
    """An open console: the event stream, and when it named an incident first."""

    url: str
    token: str
    seen: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}
        address = f"{self.url}/incidents/stream"
        with suppress(httpx.HTTPError), httpx.stream("GET", address, headers=headers, timeout=30) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    for number in json.loads(line[6:]).get("incidents", ()):
                        self.seen.setdefault(number, time.time())
