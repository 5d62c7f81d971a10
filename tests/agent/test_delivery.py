import logging
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from schoolwatch_agent import memory
from schoolwatch_agent.identity import Broker, Credential, write_credential
from schoolwatch_agent.memory import Memory
from schoolwatch_agent.resident import Resident
from schoolwatch_agent.spool import Summary
from schoolwatch_agent.tick import Ticked, open_spool, tick
from schoolwatch_contract.records import Fact, Reading
from station import DEVICE, KEY, Clocked, SmallServer, counting, enrol, settings, wait_for

HOUR = 3600.0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "agent"


def look(data: Path, host: Clocked) -> tuple[Summary, Memory]:
    with open_spool(settings(data), host) as spool:
        return spool.summary(host.now()), memory.decode(spool.memory(host.now()))


def ticks(data: Path, host: Clocked, count: int, **options: float) -> list[Ticked]:
    probe, done = counting(), []
    for _ in range(count):
        done.append(tick(settings(data, **options), host, [probe]))
        host.at += 300
    return done


def kinds(done: list[Ticked]) -> list[str | None]:
    return [each.outcome.kind if each.outcome else None for each in done]


def test_a_tick_delivers_and_hears_the_acknowledgement(server: SmallServer, data: Path) -> None:
    enrol(data, server.broker)
    host = Clocked()
    (done,) = ticks(data, host, 1)
    assert done.outcome is not None
    assert done.outcome.kind == "delivered"
    assert look(data, host)[0].waiting == 0
    (only,) = server.envelopes()
    assert Reading("processor.load", 0.0) in only.readings
    assert Fact("agent.mode", "tick") in only.facts
    assert {"spool.envelopes", "spool.bytes", "spool.dropped"} <= {r.metric for r in only.readings}


def test_ticks_deliver_each_fifteen_minutes_and_everything(server: SmallServer, data: Path) -> None:
    enrol(data, server.broker)
    done = ticks(data, Clocked(), 12)
    assert kinds(done).count("delivered") in (4, 5)
    assert len(done) - 3 <= len(server.stored)
    assert server.readings("processor.load") == [float(n) for n in range(len(server.stored))]


def test_a_watched_change_is_delivered_at_once(mosquitto_server: SmallServer, data: Path) -> None:
    enrol(data, mosquitto_server.broker)
    host, config = Clocked(), settings(data, deliver=86_400)
    probe = counting(watched=frozenset({"processor.load"}))
    outcomes = []
    for _ in range(4):
        outcomes.append(tick(config, host, [probe]).outcome)
        host.at += 300
    assert all(outcome and outcome.kind == "delivered" for outcome in outcomes)


def test_without_an_enrolment_it_measures_and_keeps_and_delivers_later(
    mosquitto_server: SmallServer, data: Path
) -> None:
    host = Clocked()
    done = ticks(data, host, 3)
    assert [each.is_enrolled for each in done] == [False] * 3
    enrol(data, mosquitto_server.broker)
    ticks(data, host, 1)
    assert len(mosquitto_server.stored) == 4


def test_a_broker_that_is_away_costs_nothing(
    mosquitto_server: SmallServer, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    broker = mosquitto_server.broker
    enrol(data, broker)
    host = Clocked()
    ticks(data, host, 1)
    broker.kill()
    away = ticks(data, host, 6, deliver=300)
    assert kinds(away) == ["unreachable"] * 6
    before = mosquitto_server.subscribed
    broker.start()
    wait_for(lambda: mosquitto_server.subscribed > before)
    ticks(data, host, 1, deliver=300)
    assert len(mosquitto_server.stored) == 8
    assert look(data, host)[0].waiting == 0
    said = [r.getMessage().split()[1] for r in caplog.records if r.getMessage().startswith("delivery:")]
    assert said == ["unreachable", "delivered"]


def test_a_refused_password_is_said_once_and_a_new_one_heals(
    server: SmallServer, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    enrol(data, server.broker, password="not the password")
    host = Clocked()
    assert kinds(ticks(data, host, 3, deliver=300)) == ["refused"] * 3
    said = [r.getMessage() for r in caplog.records if r.getMessage().startswith("delivery: refused")]
    assert len(said) == 1
    assert "not the password" not in caplog.text
    write_credential(
        data, Credential(DEVICE, KEY, server.broker.add(DEVICE), Broker("127.0.0.1", server.broker.port))
    )
    assert kinds(ticks(data, host, 1, deliver=300)) == ["delivered"]
    assert len(server.stored) == 4


def test_a_mute_server_for_ten_hours_costs_a_bounded_number_of_frames(
    mosquitto_server: SmallServer, data: Path
) -> None:
    enrol(data, mosquitto_server.broker)
    mosquitto_server.is_mute = True
    host, probe = Clocked(), counting()
    config = settings(data, ack_wait=0)
    for _ in range(120):
        tick(config, host, [probe])
        host.at += 300
    sent = [(h.spool, h.seq) for h in mosquitto_server.arrived]
    most = max(sent.count(each) for each in set(sent))
    assert most <= 4  # at once, after 1, 3 and 7 hours
    assert len(sent) <= 120 * 4
    mosquitto_server.is_mute = False
    mosquitto_server.acknowledge()
    host.at += 900
    tick(settings(data), host, [probe])  # one that waits for an answer: the broker may be slower than we are
    assert look(data, host)[0].waiting <= 1


@pytest.mark.parametrize(
    "said", [b"", b"{", b"\xff" * 300, b'{"epoch":"x","spools":{}}', b"null", b"[" * 9000]
)
def test_a_garbage_acknowledgement_changes_nothing(
    mosquitto_server: SmallServer, data: Path, said: bytes
) -> None:
    enrol(data, mosquitto_server.broker)
    mosquitto_server.is_mute = True
    mosquitto_server.say(said)
    host = Clocked()
    assert kinds(ticks(data, host, 1, ack_wait=0.5)) == ["delivered"]
    assert look(data, host)[0].waiting == 1
    mosquitto_server.is_mute = False
    mosquitto_server.acknowledge()
    host.at += 900
    ticks(data, host, 1)
    assert look(data, host)[0].waiting == 0


def test_the_retained_ack_of_a_restored_server_makes_all_of_it_come_again(
    server: SmallServer, data: Path
) -> None:
    enrol(data, server.broker)
    host = Clocked()
    ticks(data, host, 6, deliver=300)
    before = dict(server.stored)
    assert len(before) == 6
    spool = next(iter(server.marks))
    server.stored = {(s, n): body for (s, n), body in before.items() if n <= 2}
    server.marks, server.epoch = {spool: 2}, "f" * 16
    server.acknowledge()
    ticks(data, host, 1, deliver=300)
    assert {key: server.stored[key] for key in before} == before
    assert len(server.stored) == 7
    assert look(data, host)[0].waiting == 0


def test_the_brokers_whole_memory_thrown_away_loses_nothing(
    mosquitto_server: SmallServer, data: Path
) -> None:
    server, broker = mosquitto_server, mosquitto_server.broker
    enrol(data, broker)
    host = Clocked()
    ticks(data, host, 2, deliver=300)
    server._client.disconnect()
    server._client.loop_stop()  # a server that is away while the broker confirms
    assert kinds(ticks(data, host, 3, deliver=300, ack_wait=0)) == ["delivered"] * 3
    broker.kill()
    broker.forget()
    broker.start()
    server._client = server._connected()
    host.at += HOUR
    ticks(data, host, 1, deliver=300)
    assert len(server.stored) == 6
    assert look(data, host)[0].waiting == 0


def test_yesterdays_folder_restored_ten_times_with_a_boot_each_stores_every_report_once(
    server: SmallServer, data: Path, tmp_path: Path
) -> None:
    enrol(data, server.broker)
    host = Clocked()
    ticks(data, host, 3)
    shutil.copytree(data, tmp_path / "yesterday")
    sent = 3
    for boot in range(2, 12):
        shutil.rmtree(data)
        shutil.copytree(tmp_path / "yesterday", data)
        host.boot = f"boot {boot}"
        probe = counting(start=boot * 1000)
        for _ in range(3):
            tick(settings(data, deliver=300), host, [probe])
            host.at += 300
        sent += 3
    loads = server.readings("processor.load")
    assert len(loads) == len(set(loads)) == len(server.stored) == sent


def test_killed_at_random_moments_nothing_is_lost_and_nothing_stored_twice(
    server: SmallServer, data: Path
) -> None:
    enrol(data, server.broker)
    file = data / "agent.toml"
    file.write_text(f'[agent]\ndata = "{data}"\n[schedule]\nmeasure = 1\ndeliver = 1\n')
    command = [sys.executable, "-c", _TICKS, str(file)]
    chance = random.Random(3)
    for _ in range(8):
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.random() * 0.4)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    host = Clocked(now=time.time() + HOUR)
    host.boot = "last"
    ticks(data, host, 1)
    with open_spool(settings(data), host) as spool:
        assert spool.summary(host.now()).waiting == 0
        put = spool._db.execute("SELECT count(*) FROM envelope").fetchone()[0]
    assert len(server.stored) == put > 8
    stamps = [(e.taken_at, e.readings) for e in server.envelopes()]
    assert all(a != b for n, a in enumerate(stamps) for b in stamps[:n])


_TICKS = """
import sys
from pathlib import Path
from schoolwatch_agent import config
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.tick import tick
from schoolwatch_contract.records import Reading
settings = config.load(Path(sys.argv[1]))
watched = frozenset({"processor.load"})
probe = Probe("processor", 0, lambda host: [Reading("processor.load", host.now())], watched)
host = Host()
while True:
    tick(settings, host, [probe])
    print("ticked", flush=True)
"""


def test_resident_delivers_at_once_on_change_over_one_connection(server: SmallServer, data: Path) -> None:
    enrol(data, server.broker)
    stop = threading.Event()
    probe = counting(watched=frozenset({"processor.load"}))
    config = settings(data, measure=1, deliver=86_400)
    host = Clocked(now=time.time())
    host.now = time.time  # type: ignore[method-assign]
    with open_spool(config, host) as spool:
        thread = threading.Thread(target=Resident(config, host, lambda _: [probe], spool).run, args=(stop,))
        thread.start()
        try:
            wait_for(lambda: len(server.stored) >= 3)
        finally:
            stop.set()
            thread.join(60)
    assert not thread.is_alive()
    assert server.readings("processor.load")[:3] == [0.0, 1.0, 2.0]


def test_resident_survives_its_broker(mosquitto_server: SmallServer, data: Path) -> None:
    server, broker = mosquitto_server, mosquitto_server.broker
    enrol(data, broker)
    stop = threading.Event()
    probe = counting()
    config = settings(data, measure=1, deliver=1)
    host = Clocked()
    host.now = time.time  # type: ignore[method-assign]
    with open_spool(config, host) as spool:
        thread = threading.Thread(target=Resident(config, host, lambda _: [probe], spool).run, args=(stop,))
        thread.start()
        try:
            wait_for(lambda: len(server.stored) >= 2)
            broker.kill()
            time.sleep(2)
            broker.start()
            count = len(server.stored)
            wait_for(lambda: len(server.stored) >= count + 4)
        finally:
            stop.set()
            thread.join(60)
    loads = server.readings("processor.load")
    assert loads == [float(n) for n in range(len(loads))]
