"""A device's credential tried against everything else at the broker: nothing gets in, and the others go on.

What is looked at is the database, and what somebody sees who may read everything at the broker. `-s` prints
the table of attacks, each with what came of it.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select

from brokers import RunningBroker, environment
from end_to_end import wrong_logins
from end_to_end.system import Device, System, eventually
from mqtt import Client, wait_for
from schoolwatch_contract import envelope, frame, topics
from schoolwatch_contract.frame import FRAME_MAX
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_contract.topics import topic
from schoolwatch_server.broker.passwords import hash_password
from schoolwatch_server.database import credentials, tables
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.supervise.accounts import Accounts

WRONG_LOGINS = int(os.environ.get("SCHOOLWATCH_WRONG_LOGINS", "10000"))
STRANGER = "127.0.0.2"
"""Where the wrong logins come from: the honest devices are at another address."""

SHARE = 0.5
"""Of their rate without an attack, what honest devices must reach under it: room for a busy machine."""

EVERY = 0.02
"""Seconds between two reports of the honest devices together."""


@dataclass
class Sender:
    """A device with a connection and a spool of its own."""

    broker: RunningBroker
    device: Device
    spool: str = field(default_factory=lambda: secrets.token_hex(8))
    seq: int = 0

    def __post_init__(self) -> None:
        self.client = Client(self.broker, self.device.device, self.device.password, name=self.device.device)
        self.client.paho.max_inflight_messages_set(1000)
        self.client.__enter__()

    def report(self) -> bytes:
        """The next report's frame."""
        self.seq += 1
        now = time.time()
        body = envelope.encode(Envelope(1, now, "0.1.0", (Reading("uptime.seconds", float(self.seq)),)))
        header = frame.Header(self.device.device, self.spool, self.seq, 1, now)
        return frame.seal(header, body, self.device.key)

    def send(self) -> bool:
        """Whether the broker has taken the next report."""
        return self.client.publish(topic(self.device.device, "report"), self.report())


class Honest:
    """Some devices that report in turn at a steady rate, until they are told to end."""

    def __init__(self, senders: list[Sender]) -> None:
        self.senders = senders
        self.taken = 0
        for sender in senders:
            sender.client.paho.on_publish = self._taken
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            for sender in self.senders:
                sender.client.paho.publish(topic(sender.device.device, "report"), sender.report(), qos=1)
                due += EVERY
                self._stop.wait(max(0.0, due - time.monotonic()))

    def _taken(self, *_: object) -> None:
        with self._lock:  # each sender has a thread of its own
            self.taken += 1

    def rate_during(self, work: Callable[[], None]) -> float:
        """Reports a second that the broker took while `work` went on."""
        before, began = self.taken, time.monotonic()
        work()
        return (self.taken - before) / (time.monotonic() - began)

    def end(self) -> None:
        self._stop.set()
        self._thread.join(30)
        wait_for(lambda: self.taken == sum(sender.seq for sender in self.senders))


class Site:
    """A server with honest devices, a victim that is connected, a gateway, and a thief with a credential."""

    def __init__(self, system: System) -> None:
        self.system, self.broker = system, system.broker
        self.thief, self.victim, self.gateway = (system.device() for _ in range(3))
        self.broker.let_relay(self.gateway.device)
        self.watcher = Client(self.broker, self.broker.user, self.broker.password, name="watcher")
        self.watcher.__enter__()
        for leaf in ("report", "ack", "settings", "presence", "relay"):
            assert self.watcher.subscribe(f"{topics.ROOT}/+/{leaf}")
        self.at_victim = Sender(self.broker, self.victim)
        self.honest = Honest([Sender(self.broker, system.device()) for _ in range(3)])

    def end(self) -> None:
        self.honest.end()
        for client in (self.watcher, self.at_victim.client, *(s.client for s in self.honest.senders)):
            client.__exit__()

    def as_thief(self, *, name: str = "thief", will: tuple[str, bytes] | None = None) -> Client:
        return Client(self.broker, self.thief.device, self.thief.password, name=name, will=will)

    def publish(self, device: Device, to: str, payload: bytes, *, retain: bool = True) -> None:
        """As a device, by a connection of its own; a broker may end it for what it refuses."""
        with Client(self.broker, device.device, device.password) as client:
            client.paho.publish(to, payload, qos=1, retain=retain)
            wait_for(lambda: client.closed.is_set() or not client.paho.want_write())
            with suppress(RuntimeError):  # the connection has ended
                client.publish(topic(device.device, "report"), b"\x7fa packet of noise after it")

    def frame_of(self, device: Device, key: bytes) -> bytes:
        """A report in a device's name, made with a key."""
        body = envelope.encode(Envelope(1, time.time(), "0.1.0", (Reading("uptime.seconds", 1.0),)))
        return frame.seal(frame.Header(device.device, secrets.token_hex(8), 1, 1, time.time()), body, key)


@pytest.fixture
def site(broker: RunningBroker, tmp_path: Path) -> Iterator[Site]:
    system = System(tmp_path / "data", broker)
    system.start_intake()
    site = Site(system)
    yield site
    site.end()
    system.stop()


def test_nothing_gets_in_and_honest_devices_go_on(site: Site) -> None:
    assert site.at_victim.send()
    for device in (site.victim, site.thief):
        for leaf in topics.DEVICE_READS:
            assert site.watcher.publish(topic(device.device, leaf), b"true", retain=True)
    alone = site.honest.rate_during(lambda: time.sleep(2))
    came: dict[str, str] = {}

    def attack() -> None:
        came.update({one.__name__: one(site) for one in ATTACKS})

    attacked = site.honest.rate_during(attack)
    flooded = site.honest.rate_during(
        lambda: came.update(wrong_logins_in_a_burst=wrong_logins_in_a_burst(site))
    )
    site.honest.end()
    _print(site, came, {"alone": alone, "attacked": attacked, "in the burst": flooded})

    sent = {s.device.device: s.seq for s in (*site.honest.senders, site.at_victim)}
    eventually(lambda: _journal(site) == sent, 60, lambda: f"{_journal(site)} instead of {sent}")
    assert not site.at_victim.client.closed.is_set(), "the victim was cut off"
    assert not site.watcher.closed.is_set(), "the server was cut off"
    seen = {(at, payload) for at, payload in site.watcher.got if _is_told(at, payload, site)}
    assert seen == {(topic(site.gateway.device, leaf), b"mine") for leaf in topics.GATEWAY_WRITES}
    assert not set(site.system.log("intake").split()) & {"Traceback"}
    assert min(attacked, flooded) > SHARE * alone


def _is_told(at: str, payload: bytes, site: Site) -> bool:
    """Whether the watcher saw something that is neither the server's own nor under its sender's report."""
    device, leaf = topics.parse(at)
    if leaf in topics.DEVICE_READS:
        return b"forged" in payload
    if leaf == "report":
        return device == site.victim.device and frame.parse(payload).header.spool != site.at_victim.spool
    return True


def _journal(site: Site) -> dict[str, int]:
    """Device → reports that count."""
    query = select(tables.device.c.device, func.count()).join_from(tables.journal, tables.device)
    with begin_read(site.system.engine) as conn:
        rows = conn.execute(query.group_by(tables.device.c.device))
        return {device: count for device, count in rows}  # noqa: C416  a row is no pair for mypy


def _print(site: Site, came: dict[str, str], rates: dict[str, float]) -> None:
    print(f"\n{site.broker.kind}")
    for name, what in came.items():
        print(f"  {name.replace('_', ' '):48} {what}")
    told = ", ".join(f"{rate:.1f} {when}" for when, rate in rates.items())
    print(f"  {'honest reports a second':48} {told}")


# --- the attacks; each says what came of it, and asserts what only it can see ---------------------------


def reports_under_anothers_topic(site: Site) -> str:
    for key in (site.thief.key, site.victim.key):  # a stolen key does not help at another's topic
        site.publish(site.thief, topic(site.victim.device, "report"), site.frame_of(site.victim, key))
    return "not passed on"


def a_last_will_in_anothers_name(site: Site) -> str:
    for leaf in ("presence", "report", "relay", "ack"):
        with site.as_thief(will=(topic(site.victim.device, leaf), b"forged")) as client:
            client.drop()
    return "not published"


def everything_subscribed(site: Site) -> str:
    filters = (
        "#", "+/#", "$SYS/#", "$SYS/broker/clients/connected", f"{topics.ROOT}/+/report",
        f"{topics.ROOT}/+/settings", f"{topics.ROOT}/+/ack", f"{topics.ROOT}/{site.victim.device}/#",
        topic(site.victim.device, "settings"), topic(site.victim.device, "ack"),
        f"$share/g/{topics.ROOT}/+/report", "$CONTROL/dynamic-security/v1",
    )  # fmt: skip
    with site.as_thief() as client:
        granted = sum(client.subscribe(each) for each in filters)
        client.subscribe(topic(site.thief.device, "ack"))
        site.watcher.publish(topic(site.victim.device, "settings"), b"for the victim alone")
        site.watcher.publish(topic(site.thief.device, "ack"), b"last")
        wait_for(lambda: (topic(site.thief.device, "ack"), b"last") in client.got)
        strange = {at for at, _ in client.got if topics.parse(at)[0] != site.thief.device}
    assert not strange
    return f"{granted} of {len(filters)} granted, and nothing of others delivered"


def forgeries_are_left_retained(site: Site) -> str:
    others = [topic(site.victim.device, leaf) for leaf in ("report", "ack", "settings", "presence")]
    own = [topic(site.thief.device, leaf) for leaf in ("ack", "settings", "presence", "relay")]
    for to in (*others, *own, f"$SYS/{topics.ROOT}", "$CONTROL/dynamic-security/v1", f"{topics.ROOT}/x"):
        site.publish(site.thief, to, b"forged")
    late = Client(site.broker, site.broker.user, site.broker.password, name="late")
    with late:
        for leaf in ("report", "ack", "settings", "presence", "relay"):
            late.subscribe(f"{topics.ROOT}/+/{leaf}")
        wait_for(lambda: (topic(site.thief.device, "settings"), b"true") in late.got)
    assert not [at for at, payload in late.got if b"forged" in payload]
    return "nobody finds one"


def another_and_the_server_by_their_client_id(site: Site) -> str:
    for name in (site.victim.device, "watcher", f"{site.broker.user}/watcher", "schoolwatch-intake", "thief"):
        with site.as_thief(name=name) as client:
            assert client.code == "Success"
    assert site.at_victim.send()
    return "they keep their connections"


def a_relay_position_and_presence(site: Site) -> str:
    forged = site.frame_of(site.victim, site.thief.key)
    for leaf in topics.GATEWAY_WRITES:
        site.publish(site.thief, topic(site.thief.device, leaf), forged, retain=False)
        site.publish(site.thief, topic(site.gateway.device, leaf), forged, retain=False)
        site.publish(site.gateway, topic(site.victim.device, leaf), forged, retain=False)
        site.publish(site.gateway, topic(site.gateway.device, leaf), b"mine", retain=False)
    return "only the gateway, and in its own name"


def frames_altered_replayed_and_of_others(site: Site) -> str:
    """Under the thief's own topic, where the broker must pass them on: intake is what refuses them."""
    captured = site.at_victim.report()
    site.at_victim.seq -= 1
    own = site.frame_of(site.thief, site.thief.key)
    altered = [bytes((*own[:n], own[n] ^ 1, *own[n + 1 :])) for n in (18, 30, 45, 55, len(own) - 1)]
    before = _quarantined(site)
    with site.as_thief() as client:
        for payload in (captured, site.frame_of(site.victim, site.victim.key), *altered):
            assert client.publish(topic(site.thief.device, "report"), payload)

    def came() -> Counter[str]:  # the noise of attacks before this may still be on its way: no frame at all
        return Counter(
            {reason: n for reason, n in (_quarantined(site) - before).items() if reason != "format"}
        )

    eventually(lambda: came() == {"other_device": 2, "hmac": 5}, 60, lambda: str(_quarantined(site)))
    honest = site.at_victim.report()
    for _ in range(5):  # the same report again and again: it counts once
        assert site.at_victim.client.publish(topic(site.victim.device, "report"), honest)
    return ", ".join(f"{count} {reason}" for reason, count in sorted(came().items()))


def oversized_and_malformed_packets(site: Site) -> str:
    big = wrong_logins.packet(0x30, bytes(FRAME_MAX + 4096))
    name = wrong_logins.field(topic(site.victim.device, "report").encode())
    packets = (
        big, b"\x30\xff\xff\xff\x7f", b"\x30\xff\xff\xff\xff\xff\x7f", b"\x00\x00", b"\xf0\x00",
        wrong_logins.packet(0x36, name + b"\0\1x"),
        wrong_logins.packet(0x30, b"\xff\xffx"), wrong_logins.packet(0x82, b"\0\1"),
        wrong_logins.packet(0x82, b"\0\1" + wrong_logins.field(b"\xc3\x28") + b"\1"),
        wrong_logins.packet(0x32, wrong_logins.field(b"a/#") + b"\0\1x"),
        wrong_logins.connect("again", site.victim.device, site.victim.password),
    )  # fmt: skip
    hello = wrong_logins.connect("x", site.thief.device, site.thief.password)
    for each in packets:
        with socket.create_connection((site.broker.host, site.broker.port), timeout=10) as raw:
            raw.sendall(hello)
            assert raw.recv(4) == b"\x20\x02\x00\x00"
            with suppress(OSError):
                raw.sendall(each)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(4096):
                    pass
    return f"{len(packets)} kinds, each ends its connection alone"


def wrong_logins_in_a_burst(site: Site) -> str:
    users = [site.victim.device, secrets.token_hex(16), site.broker.user, "admin"]
    at = (site.broker.host, str(site.broker.port))
    argv = (sys.executable, wrong_logins.__file__, *at, STRANGER, str(WRONG_LOGINS), *users)
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120, env=environment())
    said = Counter(json.loads(done.stdout))
    assert said["accepted"] == 0
    assert said.total() == WRONG_LOGINS
    return f"{said['refused']} refused, {said['closed']} closed unread"


ATTACKS = (
    reports_under_anothers_topic,
    a_last_will_in_anothers_name,
    everything_subscribed,
    forgeries_are_left_retained,
    another_and_the_server_by_their_client_id,
    a_relay_position_and_presence,
    frames_altered_replayed_and_of_others,
    oversized_and_malformed_packets,
)


def _quarantined(site: Site) -> Counter[str]:
    """Reason → how many were refused for it."""
    return Counter(
        {label: n for (name, label), n in site.system.counters().items() if name == "quarantined" and label}
    )


# --- revocation ----------------------------------------------------------------------------------------


def test_a_revoked_device_is_cut_off_within_5_s_and_the_others_go_on(site: Site) -> None:
    own = {site.broker.user: hash_password(site.broker.password)}
    accounts = Accounts(site.system.engine, site.broker.folder, own, site.broker.user)
    accounts.write()
    sender, stop = Sender(site.broker, site.thief), threading.Event()

    def keep() -> None:
        while not stop.wait(0.1):
            accounts.refresh(time.monotonic(), lambda: os.kill(site.broker.pid, signal.SIGHUP))

    keeper = threading.Thread(target=keep)
    keeper.start()
    try:
        while sender.seq < 20:
            assert sender.send()
        with begin_write(site.system.engine) as conn:
            credentials.revoke(conn, sender.device.id, time.time())
        revoked = time.monotonic()
        while not sender.client.closed.is_set():
            assert time.monotonic() - revoked < 5, "it can still publish"
            with suppress(RuntimeError):
                sender.send()
        taken = time.monotonic() - revoked
        with Client(site.broker, sender.device.device, sender.device.password) as again:
            assert again.code != "Success"
        before = site.honest.taken
        wait_for(lambda: site.honest.taken > before + 20)
        assert not any(each.client.closed.is_set() for each in site.honest.senders)
        assert _journal(site).get(sender.device.device, 0) <= 20, "what came after the revocation counts"
        print(f"\n{site.broker.kind}: a revoked device is cut off after {taken:.1f} s")
    finally:
        stop.set()
        keeper.join()
        sender.client.__exit__()
