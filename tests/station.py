"""A real broker with one device's account, and a small server behind it that stores and acknowledges."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from brokers import RunningBroker
from schoolwatch_agent.config import Agent, AgentConfig, Delivery, Limits, Schedule
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Broker, Credential, write_credential
from schoolwatch_agent.probe import Probe
from schoolwatch_contract import ack, envelope, frame
from schoolwatch_contract.records import Envelope, Fact, Reading, Sighting
from schoolwatch_contract.topics import REPORTS, Leaf, topic

DEVICE = "0123456789abcdef" * 2
KEY = "5c" * 32


class Clocked(Host):
    """The real machine with a clock and a boot that the test sets."""

    def __init__(self, now: float = 1_800_000_000.0, boot: str = "boot 1") -> None:
        super().__init__()
        self.at, self.boot = now, boot

    def now(self) -> float:
        return self.at

    def uptime(self) -> float:
        return self.at - 1_700_000_000.0

    def boot_id(self) -> str:
        return self.boot


class SmallServer:
    """Verifies each frame, stores it once, and publishes a retained acknowledgement, as intake does."""

    def __init__(self, broker: RunningBroker) -> None:
        self.broker = broker
        self.epoch = "e" * 16
        self.stored: dict[tuple[str, int], bytes] = {}
        self.marks: dict[str, int] = {}
        self.arrived: list[frame.Header] = []
        self.is_mute = False
        self.subscribed = 0
        self._client = self._connected()

    def _connected(self) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="server")
        client.username_pw_set(self.broker.user, self.broker.password)
        client.on_subscribe = self._on_subscribe
        client.on_message = lambda _client, _data, message: self._take(message.payload)
        client.on_connect = lambda each, *_: each.subscribe(REPORTS, qos=1)
        client.reconnect_delay_set(1, 1)
        client.connect(self.broker.host, self.broker.port)
        before = self.subscribed
        client.loop_start()
        wait_for(lambda: self.subscribed > before)
        return client

    def _on_subscribe(self, *_: object) -> None:
        self.subscribed += 1

    def _take(self, payload: bytes) -> None:
        frame.verify(payload, bytes.fromhex(KEY))
        whole = frame.parse(payload)
        header = whole.header
        assert header.device == DEVICE
        self.arrived.append(header)
        before = self.stored.setdefault((header.spool, header.seq), whole.body)
        assert before == whole.body
        mark = max(self.marks.get(header.spool, 0), header.floor - 1)
        while (header.spool, mark + 1) in self.stored:
            mark += 1
        self.marks[header.spool] = mark
        if not self.is_mute:
            self.acknowledge()

    def acknowledge(self) -> None:
        self.say(ack.encode(ack.Ack(self.epoch, dict(self.marks))))

    def say(self, payload: bytes) -> None:
        """Any bytes on the device's ack topic, retained."""
        self._publish("ack", payload)

    def tell(self, payload: bytes) -> None:
        """Any bytes on the device's settings topic, retained; gives back when the broker has them."""
        self._publish("settings", payload).wait_for_publish(30)

    def _publish(self, leaf: Leaf, payload: bytes) -> mqtt.MQTTMessageInfo:
        return self._client.publish(topic(DEVICE, leaf), payload, qos=1, retain=True)

    def envelopes(self) -> list[Envelope]:
        return [envelope.decode(body) for body in self.stored.values()]

    def readings(self, metric: str) -> list[float | None]:
        return [r.value for e in self.envelopes() for r in e.readings if r.metric == metric]

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.01)


def settings(data: Path, *, measure: float = 300, deliver: float = 900, ack_wait: float = 30) -> AgentConfig:
    """An agent's, who waits long enough for a broker and a server on a busy machine."""
    return AgentConfig(
        agent=Agent(data=str(data)),
        schedule=Schedule(measure=measure, deliver=deliver),
        delivery=Delivery(connect_wait=30, ack_wait=ack_wait),
        limits=Limits(memory_max=16_000_000_000),  # the tests' process grows, and its children are brokers
    )


def enrol(data: Path, broker: RunningBroker, password: str | None = None) -> Credential:
    """The device's credential in its folder, and its account at the broker."""
    known = broker.add(DEVICE)
    credential = Credential(DEVICE, KEY, password or known, Broker(broker.host, broker.port))
    write_credential(data, credential)
    return credential


def counting(start: int = 0, **options: frozenset[str]) -> Probe:
    """A probe whose reading tells its runs apart."""
    count = iter(range(start, 10**9))

    def read(_: Host) -> Iterable[Reading | Fact | Sighting]:
        yield Reading("processor.load", float(next(count)))

    return Probe("processor", 0, read, **options)
