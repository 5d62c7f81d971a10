"""How long from a computer's report until its incident is in the API and people have been told of it.

    python benchmarks/alert_latency.py [--rate 1250] [--devices 12000] [--seconds 60] [--alarms 90]

    python benchmarks/alert_latency.py --rates 1250,1500,2000

The last gives the highest of these rates at which 99 in 100 incidents are in the API within a second: each
is a run of its own. It says little where other programs want the processor too.

The whole chain as it is installed: mosquitto, the processes `intake`, `evaluate` and `serve`, SQLite, a mail
server and a webhook on 127.0.0.1. Simulated computers report in the background at `--rate`, each with a key
of its own; what they say is drawn from a seeded generator. Some of them report malware at a moment drawn
from it; from that moment on the clock runs. The API is asked every 60 ms, which is in its figures.

More than five messages a minute to one channel become one with a count. So that each incident is a message,
each commune has a shift of its own, told by mail and by webhook, and five computers there report malware.

No peer is measured beside it. For comparison the same moments are reckoned as a server would tell of them
that judges at an interval, with Prometheus' defaults: rules each 60 s (`evaluation_interval`), and 30 s more
before the first message of a group (`group_wait`). Sources:
prometheus.io/docs/prometheus/latest/configuration/configuration and
prometheus.io/docs/alerting/latest/configuration.
"""

import argparse
import json
import os
import pickle
import random
import re
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import psutil
from sqlalchemy import Engine, func, insert, select

from parts.processes import children_cpu, own_cpu
from parts.station import listens, program, wait_for
from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract import frame as frames
from schoolwatch_contract.frame import Header
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_contract.topics import topic
from schoolwatch_server import channels
from schoolwatch_server import config as configs
from schoolwatch_server.database import credentials, duty_rows, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write, migrate, open_database
from schoolwatch_server.duty.fold import BURST
from schoolwatch_server.duty.shift import Shift
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.tokens import issue_token

GOALS = {"incident in the API": 1.0, "e-mail": 2.0, "webhook": 2.0}
"""Seconds, of 99 in 100."""

PARTS = Path(__file__).with_name("parts")
API_EVERY = 0.06
DAY = 86400.0


@dataclass(frozen=True)
class Device:
    """A simulated computer: its name at the broker and in incidents, its key, and the commune it is in."""

    id: int
    device: str
    key: bytes
    commune: int


# --- what is reported ---------------------------------------------------------------------------------


def readings(seq: int, chance: random.Random, detections: float) -> tuple[Reading, ...]:
    """40 of them, as often as a computer measures each: antivirus always, the firewall each third time."""
    av = {"product": "defender"}
    found = [
        Reading("antivirus.products", 1.0, {}),
        Reading("antivirus.running", 1.0, av),
        Reading("antivirus.realtime", 1.0, av),
        Reading("antivirus.signatures_current", 1.0, av),
        Reading("antivirus.signature_age", chance.uniform(0, DAY), av),
        Reading("antivirus.tamper_protected", 1.0, av),
        Reading("antivirus.scan_age", chance.uniform(0, 7 * DAY), av),
        Reading("antivirus.detections", detections, av),
        Reading("uptime.seconds", 7200.0 + seq * 300.0, {}),
        Reading("processor.busy", chance.random(), {}),
        Reading("processor.load", chance.random(), {}),
        Reading("processor.count", 4.0, {}),
        Reading("memory.size", 8e9, {}),
        Reading("memory.available", chance.uniform(1e9, 6e9), {}),
    ]
    found += [Reading("disk.free", chance.uniform(1e10, 2e11), {"disk": f"{d}:"}) for d in "CD"]
    found += [Reading("disk.size", 2.5e11, {"disk": f"{d}:"}) for d in "CD"]
    if seq % 3 == 0:
        found += [Reading("firewall.enabled", 1.0, {"profile": p}) for p in ("domain", "private", "public")]
    if seq % 10 == 0:
        found += [Reading("autorun.enabled", 0.0, {}), Reading("backup.age", DAY, {"kind": "file"})]
        found += [Reading("updates.age", DAY, {}), Reading("updates.last_installed_age", 5 * DAY, {})]
    while len(found) < 40:
        found.append(Reading("link.in_octets", chance.uniform(0, 1e9), {"nic": f"eth{len(found)}"}))
    return tuple(found)


def plan(
    devices: Sequence[Device], rate: float, seconds: float, alarms: Mapping[str, float]
) -> Iterator[tuple[float, str, bytes, str]]:
    """Frames with the seconds at which each goes; one that tells of malware for the first time is marked.

    `alarms` says from when on a device tells of it.
    """
    chance, began = random.Random(5), time.time()
    spool, told = secrets.token_hex(8), set[str]()
    for n in range(int(rate * seconds)):
        one, seq, due = devices[n % len(devices)], n // len(devices) + 1, n / rate
        is_bad = due >= alarms.get(one.device, seconds + 1)
        body = Envelope(1, began + due, "0.1.0", readings(seq, chance, float(is_bad)))
        frame = frames.seal(Header(one.device, spool, seq, 1, began + due), envelopes.encode(body), one.key)
        mark = one.device if is_bad and one.device not in told else ""
        told.update({mark} - {""})
        yield due, topic(one.device, "report"), frame, mark


# --- the chain ----------------------------------------------------------------------------------------


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


# --- the run ------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1250)
    parser.add_argument("--devices", type=int, default=12_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--alarms", type=int, default=90)
    parser.add_argument("--rates", help="several, with commas: the highest one that holds is said")
    asked = parser.parse_args()
    rates = [float(one) for one in asked.rates.split(",")] if asked.rates else [asked.rate]
    held = {}
    for rate in sorted(rates):
        with tempfile.TemporaryDirectory() as temporary:
            held[rate] = run(Path(temporary), rate, asked.devices, asked.seconds, asked.alarms)
        if not held[rate]:
            break
    if len(rates) > 1:
        best = max((rate for rate, is_held in held.items() if is_held), default=0.0)
        print(f"goals are met up to {best:g} reports/s of those tried")
    if not held[min(held)]:
        sys.exit(1)


def run(folder: Path, rate: float, count: int, seconds: float, alarms: int) -> bool:
    """Whether the goals were met at this rate, printed with all that was measured."""
    url = configs.of_data(folder).database_url
    migrate(url)
    engine = open_database(url)
    devices = enrol(engine, count, -(-alarms // BURST))
    warm = count / rate  # by then each has reported once
    bad = alarmed(devices, alarms, warm, seconds)
    (folder / "plan").write_bytes(pickle.dumps(list(plan(devices, rate, warm + seconds + warm, bad))))
    with Chain(folder, sorted({device.commune for device in devices})) as chain:
        with begin_write(engine) as conn:
            for shift in chain.shifts:
                duty_rows.put(conn, shift, time.time())
        token = issue_token(engine, "benchmark", "read", EVERYTHING, 1)
        asker, console = (kind(f"http://127.0.0.1:{chain.web}", token) for kind in (Asker, Listener))
        asker.start()
        console.start()
        begin = time.time() + 2
        publisher = [str(PARTS / "paced.py"), str(chain.broker), str(folder / "plan"), str(begin)]
        publishing = subprocess.Popen([sys.executable, *publisher, str(folder / "told")])
        time.sleep(2 + warm)
        load, cpu, before, at = os.getloadavg()[0], chain.cpu(), _committed(engine), time.monotonic()
        time.sleep(seconds)
        real = (_committed(engine) - before) / (time.monotonic() - at)
        used = {name: now - cpu[name] for name, now in chain.cpu().items()}
        publishing.wait(120)
        told = json.loads((folder / "told").read_text())
        published: dict[str, float] = told["marked"]
        _settle(lambda: len(asker.seen) >= len(published), 20)
        numbers = {number: device for device, (number, _) in asker.seen.items()}
        _settle(lambda: len({(by, n) for by, n, _ in chain.received()}) >= 2 * len(published), 20)
        asker.ended = True
        asker.join()
        arrived = _arrived(engine, published)
        hops: dict[str, dict[str, float]] = {
            "taken in from the broker": arrived,
            "incident in the API": {device: at for device, (_, at) in asker.seen.items()},
            "an open console told": {
                numbers[number]: at for number, at in console.seen.items() if number in numbers
            },
            "e-mail": {},
            "webhook": {},
        }
        for by, number, at in chain.received():
            if number in numbers:
                hops[by].setdefault(numbers[number], at)
    engine.dispose()
    print(
        f"{count} computers, {os.cpu_count()} CPUs, load {load:.1f} before and {os.getloadavg()[0]:.1f} after"
    )
    print(
        f"background: {real:.0f} reports/s committed of {rate:.0f} planned; the publisher was at most",
        end=" ",
    )
    print(f"{told['behind']:.2f} s behind\n")
    headroom(used, seconds, real)
    return report(hops, published)


def headroom(used: Mapping[str, float], seconds: float, rate: float) -> None:
    """What each process took, and at what rate it would fill a core: its part of a report costs that much.

    `used` are its processor seconds in so many seconds. What costs as much without any report (looking at
    watches, waiting) is counted as if reports did, so the true rate is a little higher.
    """
    print(f"{'process':14}{'of a core':>10}{'ms per 1,000 reports':>23}{'fills a core at':>19}")
    for name, cpu in used.items():
        each = cpu / (seconds * rate) if rate else 0.0
        full = f"{1 / each:,.0f}/s" if each else "-"
        print(f"{name:14}{cpu / seconds:>10.0%}{each * 1e6:>23.0f}{full:>19}")
    every = sum(cpu for name, cpu in used.items() if name != "receivers") / seconds
    print(f"all but the receivers: {every:.2f} of {os.cpu_count()} cores, the publisher beside them\n")


def alarmed(devices: Sequence[Device], count: int, warm: float, seconds: float) -> dict[str, float]:
    """Which computers report malware, and from when on; `BURST` of each commune at most."""
    chance, of = random.Random(11), defaultdict(list)
    for device in devices:
        of[device.commune].append(device)
    chosen = [device for one in of.values() for device in chance.sample(one, BURST)][:count]
    return {device.device: warm + chance.random() * seconds for device in chosen}


def _committed(engine: Engine) -> int:
    with begin_read(engine) as conn:
        return conn.scalar(select(func.max(t.journal.c.id))) or 0


def _arrived(engine: Engine, published: Mapping[str, float]) -> dict[str, float]:
    """When intake got the first report of each that came after it was published."""
    query = select(t.device.c.device, func.min(t.journal.c.received_at)).join_from(t.device, t.journal)
    found = {}
    with begin_read(engine) as conn:
        for device, at in published.items():
            row = conn.execute(
                query.where(t.device.c.device == device, t.journal.c.received_at >= at - 0.001)
            ).first()
            if row is not None and row[1] is not None:
                found[device] = row[1]
    return found


def _settle(is_done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_done() and time.monotonic() < deadline:
        time.sleep(0.2)


def report(hops: Mapping[str, Mapping[str, float]], published: Mapping[str, float]) -> bool:
    """Whether each goal was met."""
    print(f"{'from being published to':34}{'of':>7}{'p50':>9}{'p90':>9}{'p99':>9}{'max':>9}")
    good = True
    for name, when in hops.items():
        took = sorted(when[device] - at for device, at in published.items() if device in when)
        p99 = _line(name, took, len(published))
        if name in GOALS:
            good = good and len(took) == len(published) and p99 <= GOALS[name]
    print()
    for name, every, more in (
        ("judged each 60 s, told 30 s later", 60.0, 30.0),
        ("judged each 60 s", 60.0, 0.0),
    ):
        _line(f"{name} *", sorted(every - at % every + more for at in published.values()), len(published))
    print("* reckoned for the same moments, not measured: see the head of this file\n")
    said = ", ".join(f"{name} {seconds:g} s" for name, seconds in GOALS.items())
    print(f"goals (99 in 100, none missing): {said}: {'met' if good else 'missed'}")
    return good


def _line(name: str, took: Sequence[float], of: int) -> float:
    if len(took) < 2:
        print(f"{name:34}{len(took):>4}/{of}")
        return float("inf")
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    shown = "".join(f"{value:>7.2f} s" for value in (cuts[49], cuts[89], cuts[98], took[-1]))
    print(f"{name:34}{len(took):>4}/{of}{shown}")
    return cuts[98]


if __name__ == "__main__":
    main()
