"""How many reports a second one intake process commits, beside a bare subscriber that only acknowledges.

    python benchmarks/intake.py [--frames 40000] [--devices 500] [--readings 40] [--postgresql URL]

Publishes the frames through a real mosquitto into a real intake process with SQLite (or with the PostgreSQL
of a URL, an empty database that is thrown away afterwards), and the same frames to a floor: a paho subscriber
with manual acknowledgement that does nothing else. Ratios of one run count; absolute figures depend on the
machine.
"""

import argparse
import os
import pickle
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import func, select

from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract import frame as frames
from schoolwatch_contract.frame import Header
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_contract.topics import REPORTS, topic
from schoolwatch_server import config as configs
from schoolwatch_server.database import credentials, registry, rollups
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write, migrate, open_database
from schoolwatch_server.database.registry import DeviceRow

GOAL = 2500

INTAKE = """
import sys
from pathlib import Path
from schoolwatch_server.config import load
from schoolwatch_server.intake.service import run
run(load(Path(sys.argv[1])))
"""

FLOOR = """
import sys, paho.mqtt.client as paho
client = paho.Client(paho.CallbackAPIVersion.VERSION2, "floor", clean_session=False, manual_ack=True)
count = 0
def arrived(client, _, message):
    global count
    client.ack(message.mid, message.qos)
    count += 1
    if count % 500 == 1 or count == int(sys.argv[3]):
        with open(sys.argv[4], "w") as file:
            file.write(str(count))
client.on_message = arrived
client.on_connect = lambda c, *_: c.subscribe(sys.argv[2], 1)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
"""

PUBLISH = """
import pickle, sys, paho.mqtt.client as paho
with open(sys.argv[2], "rb") as file:
    messages = pickle.load(file)
client = paho.Client(paho.CallbackAPIVersion.VERSION2, "publisher")
client.max_inflight_messages_set(1000)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
for start in range(0, len(messages), 1000):
    sent = [client.publish(to, payload, 1) for to, payload in messages[start : start + 1000]]
    sent[-1].wait_for_publish()
for one in sent:
    one.wait_for_publish()
"""

_SIZE = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"

READINGS = (
    "processor.busy",
    "memory.available",
    "disk.free",
    "link.speed",
    "link.up",
    "probe.ok",
    "probe.seconds",
)


@dataclass(frozen=True)
class Result:
    """What one subscriber did."""

    name: str
    frames: int
    seconds: float
    cpu: float
    rss: int


def make_frames(devices: list[DeviceRow], count: int, readings: int) -> list[tuple[str, bytes]]:
    """Frames of all devices in turn, with sound keys, numbers and times."""
    messages = []
    began = time.time()
    for n in range(count):
        row, seq = devices[n % len(devices)], n // len(devices) + 1
        taken = began - 300 * (count // len(devices) - seq) / 60
        body = Envelope(
            1,
            taken,
            "0.1.0",
            tuple(
                Reading(READINGS[i % 7], ((n * 31 + i * 17) % 1000) / 1000, {"nic": f"eth{i // 7}"})
                for i in range(readings)
            ),
        )
        header = Header(row.device, "ab" * 8, seq, 1, began)
        frame = frames.seal(header, envelopes.encode(body), bytes.fromhex(row.device) * 2)
        messages.append((topic(row.device, "report"), frame))
    return messages


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_broker(folder: Path) -> tuple["subprocess.Popen[bytes]", int]:
    """A mosquitto without accounts, with the window and queue that the server's own settings have."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        sys.exit("this benchmark needs mosquitto: apt-get install mosquitto")
    port = free_port()
    lines = [
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
        "max_queued_messages 0",
        "max_inflight_messages 200",
        "set_tcp_nodelay true",
        "log_type error",
    ]
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    process = subprocess.Popen([program, "-c", str(folder / "mosquitto.conf")])
    wait_for(lambda: _listens(port))
    return process, port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(what: Callable[[], bool], seconds: float = 300.0, every: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            sys.exit("the benchmark did not come to its end in time")
        time.sleep(every)


def measure(
    name: str, command: list[str], port: int, messages: Path, count: int, done: Callable[[], int]
) -> Result:
    """Lets the broker queue everything while the subscriber is away: publishing then costs it nothing."""
    subscriber = psutil.Popen(command)
    time.sleep(12)  # to load everything and to subscribe, on a busy machine too
    subscriber.kill()
    subscriber.wait()
    subprocess.run([sys.executable, "-c", PUBLISH, str(port), str(messages)], check=True)
    subscriber = psutil.Popen(command)
    wait_for(lambda: done() > 0, every=0.002)  # starting up is not what is measured
    before, cpu, began = done(), subscriber.cpu_times(), time.monotonic()
    wait_for(lambda: done() >= count)
    seconds = time.monotonic() - began
    times, rss = subscriber.cpu_times(), subscriber.memory_info().rss
    subscriber.kill()
    subscriber.wait()
    used = times.user + times.system - cpu.user - cpu.system
    return Result(name, count - before, seconds, used, rss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=40_000)
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--readings", type=int, default=40)
    parser.add_argument("--postgresql", metavar="URL", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run(Path(temporary), asked.postgresql, asked.frames, asked.devices, asked.readings)


def run(folder: Path, postgresql: str, count: int, devices: int, readings: int) -> None:
    database = configs.Database(url=postgresql)
    url = configs.ServerConfig(data=str(folder), database=database).database_url
    migrate(url, folder)
    engine = open_database(url, folder)
    with begin_write(engine) as conn:
        commune = registry.create_commune(conn, registry.create_province(conn, "P", "P"), "C", "C")
        school = registry.create_school(conn, commune, "S", "S", "THCS", 0)
        enrolled = [registry.create_device(conn, school, None, str(n), 0) for n in range(devices)]
        for row in enrolled:
            credentials.set_credential(conn, row.id, bytes.fromhex(row.device) * 2, "", 0)
    messages = folder / "messages"
    made = make_frames(enrolled, count, readings)
    messages.write_bytes(pickle.dumps(made))
    size = sum(len(payload) for _, payload in made) / count
    broker, port = start_broker(folder)
    (folder / "secret").write_text("none")
    mqtt = configs.Mqtt(host="127.0.0.1", port=port, user="benchmark", password_file=str(folder / "secret"))
    settings = folder / "server.toml"
    settings.write_text(configs.render(configs.ServerConfig(data=str(folder), database=database, mqtt=mqtt)))

    def stored() -> int:
        with begin_read(engine) as conn:
            return conn.scalar(select(func.max(t.journal.c.id))) or 0

    def counted() -> int:
        return int(done.read_text() or 0) if done.exists() else 0

    try:
        done = folder / "done"
        floor = [sys.executable, "-c", FLOOR, str(port), REPORTS, str(count), str(done)]
        results = [measure("bare subscriber (floor)", floor, port, messages, count, counted)]
        intake = [sys.executable, "-c", INTAKE, str(settings)]
        results.append(measure("intake, committed", intake, port, messages, count, stored))
    finally:
        broker.terminate()
        broker.wait()
    began = time.monotonic()
    buckets = rollups.run_once(engine, time.time() + 2 * 86400, seconds=600)
    rolled = time.monotonic() - began
    with begin_read(engine) as conn:
        sized = "SELECT pg_database_size(current_database())" if postgresql else _SIZE
        bytes_ = int(conn.exec_driver_sql(sized).scalar_one())
    engine.dispose()
    what = f"{count} frames of {readings} readings ({size:.0f} B) from {devices} devices"
    print(f"{what}, {os.cpu_count()} CPUs\n")
    print(f"{'subscriber':26}{'frames/s':>10}{'us CPU/frame':>13}{'RSS MB':>8}")
    for r in results:
        rate, cpu = r.frames / r.seconds, r.cpu / r.frames * 1e6
        print(f"{r.name:26}{rate:>10.0f}{cpu:>13.0f}{r.rss / 1e6:>8.0f}")
    rate = results[1].frames / results[1].seconds
    print(
        f"\nintake is {rate / (results[0].frames / results[0].seconds):.2f} of the floor; goal {GOAL}/s: "
        f"{'met' if rate >= GOAL else 'missed'}"
    )
    print(f"{buckets} buckets of rollups in {rolled:.1f} s; database {bytes_ / count:.0f} B a report")


if __name__ == "__main__":
    main()
