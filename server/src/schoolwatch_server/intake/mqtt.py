"""The broker's end of intake: one connection that hands over messages and acknowledges when told to."""

import hashlib
import logging
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from schoolwatch_contract import ack as acks
from schoolwatch_contract.ack import Ack
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.topics import ROOT, parse, topic
from schoolwatch_server import transport
from schoolwatch_server.address import reachable
from schoolwatch_server.config import ServerConfig, mqtt_password

log = logging.getLogger(__name__)

CLIENT_ID = "schoolwatch-intake"
ACKS = f"{ROOT}/+/ack"
_CONNECT_SECONDS = 15.0
_QUIET_SECONDS = 1.0
_READ_SECONDS = 60.0
_ACKS_AT_ONCE = 2000


class Lost(Exception):  # noqa: N818  it is what happened to the connection
    """The broker cannot be reached, refused us, or the connection ended."""


@dataclass(frozen=True, slots=True)
class Login:
    """Where the broker is and who we are there; `socket`, a file on this machine, is used if it is named."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls_ca: str = ""
    socket: str = ""

    @property
    def place(self) -> str:
        """Where the broker is, for people."""
        return self.socket or f"{self.host}:{self.port}"

    @classmethod
    def of(cls, config: ServerConfig) -> "Login":
        """The server's own account, as the settings say. Raises `ConfigError`."""
        mqtt = config.mqtt
        ca = transport.broker_ca(config)
        return cls(reachable(mqtt.host), mqtt.port, mqtt.user, mqtt_password(config), ca, mqtt.socket)


def session_id(login: Login, worker: str = "") -> str:
    """Intake's client id: the same at each start, so that the session is found again, and a secret.

    On mosquitto 2.0 whoever knows it, a device included, could take it and push intake off the line.
    """
    secret = hashlib.sha256(f"client id {login.password}".encode()).hexdigest()[:16]
    return "-".join(filter(None, (CLIENT_ID, secret, worker)))


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came: `mid` and `qos` are what its acknowledgement needs."""

    mid: int
    qos: int
    topic: str
    payload: bytes
    arrived: float


class Session:
    """A connection in the hands of one thread; nothing is acknowledged that `done` wasn't told of.

    MQTT 3.1.1, so that every broker will do. What was handed over and not acknowledged comes again with
    the next connection of the same client id.
    """

    def __init__(self, login: Login, client_id: str, *, clean: bool = False) -> None:
        self.waiting: list[Delivery] = []
        self.resumed = False
        self._granted = False
        self._refused = ""
        self._unconfirmed: set[int] = set()
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=clean,
            protocol=paho.MQTTv311,
            manual_ack=True,
            transport="unix" if login.socket else "tcp",
        )
        client.max_inflight_messages_set(10_000)  # acks go out at once, before what they stand for is done
        client.max_queued_messages_set(0)
        client.username_pw_set(login.user, login.password)
        if login.tls_ca and not login.socket:
            client.tls_set_context(transport.client_context(login.tls_ca))
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._arrived
        client.on_publish = lambda _client, _data, mid, *_: self._unconfirmed.discard(mid)
        self._client = client
        self._open(login)

    def _open(self, login: Login) -> None:
        try:
            if login.socket:
                with socket.socket(
                    socket.AF_UNIX
                ) as trial:  # paho 2.1 lets go of a socket that nobody answers
                    trial.connect(login.socket)  # without closing it
            self._client.connect(login.socket or login.host, login.port, keepalive=60)
        except (OSError, ValueError) as error:
            raise Lost(f"{login.place} does not answer ({error})") from error
        self._until(self._client.is_connected, "the broker does not answer")

    def subscribe(self, to: str) -> None:
        """Asks for messages; gives back when the broker has granted it."""
        self._granted = False
        self._client.subscribe(to, qos=1)
        self._until(lambda: self._granted, f"the broker does not grant {to}")

    def read(self, seconds: float) -> int:
        """Waits so long at most for something to come; gives how many messages came into `waiting`."""
        before = len(self.waiting)
        code = self._client.loop(seconds)
        if code != paho.MQTT_ERR_SUCCESS:
            raise Lost(self._refused or f"the connection ended ({paho.error_string(code)})")
        return len(self.waiting) - before

    def publish_acks(self, told: Mapping[str, Ack]) -> None:
        """Publishes each device's ack, retained."""
        for device, ack in told.items():
            self._client.publish(topic(device, "ack"), acks.encode(ack), qos=1, retain=True)

    def publish_retained(self, to: str, payload: bytes) -> None:
        """Publishes one message, retained; `confirm` waits until the broker has it."""
        self._unconfirmed.add(self._client.publish(to, payload, qos=1, retain=True).mid)

    def confirm(self, seconds: float) -> None:
        """Waits until the broker has everything that `publish_retained` was given. Raises `Lost`."""
        deadline = time.monotonic() + seconds
        while self._unconfirmed:
            if time.monotonic() > deadline:
                raise Lost(f"the broker has not taken {len(self._unconfirmed)} messages in {seconds:g} s")
            self.read(0.2)

    def done(self, deliveries: list[Delivery]) -> None:
        """Acknowledges messages to the broker; it then forgets them."""
        for one in deliveries:
            if one.qos:
                self._client.ack(one.mid, one.qos)

    def flush(self, seconds: float) -> None:
        """Waits until the broker has taken what was published, or for so long."""
        deadline = time.monotonic() + seconds
        while self._client.want_write() and time.monotonic() < deadline:
            self.read(0.05)

    def close(self) -> None:
        """Ends the connection; the broker keeps what was not acknowledged."""
        self._client.disconnect()

    def _until(self, is_done: Any, otherwise: str) -> None:
        deadline = time.monotonic() + _CONNECT_SECONDS
        while not is_done():
            if self._refused or time.monotonic() > deadline:
                raise Lost(self._refused or otherwise)
            self.read(0.2)

    def _connected(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refused = f"the broker refuses us: {reason}"
        self.resumed = flags.session_present

    def _subscribed(self, _client: Any, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refused = "the broker does not let us read reports"
        self._granted = True

    def _arrived(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            to = message.topic
        except UnicodeDecodeError:
            to = "a topic that is not UTF-8"
        self.waiting.append(Delivery(message.mid, message.qos, to, bytes(message.payload), time.time()))


def retained_acks(login: Login, client_id: str) -> Iterator[dict[str, Ack]]:
    """The acks that the broker holds, some thousand at once. Raises `Lost`."""
    session = Session(login, client_id, clean=True)
    try:
        session.subscribe(ACKS)
        quiet_at = time.monotonic() + _QUIET_SECONDS
        deadline = time.monotonic() + _READ_SECONDS
        while (now := time.monotonic()) < min(quiet_at, deadline):
            if session.read(quiet_at - now):
                quiet_at = time.monotonic() + _QUIET_SECONDS
            if len(session.waiting) >= _ACKS_AT_ONCE:
                yield _take(session)
        yield _take(session)
    finally:
        session.close()


def _take(session: Session) -> dict[str, Ack]:
    taken, session.waiting = session.waiting, []
    session.done(taken)
    found: dict[str, Ack] = {}
    for one in taken:
        try:
            found[parse(one.topic)[0]] = acks.decode(one.payload)
        except ContractError as error:
            log.warning("%s holds what is no ack: %s", one.topic, error)
    return found
