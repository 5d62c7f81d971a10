"""One connection to the broker: MQTT 3.1.1 in a single thread, without a queue of its own.

The session is clean: what must not be lost is in our spool, the acknowledgement is retained, so the broker
need remember nothing about tens of thousands of PCs.
"""

import socket
import ssl
import time

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from schoolwatch_agent import trust, ways
from schoolwatch_agent.identity import Credential
from schoolwatch_agent.log import log
from schoolwatch_agent.ways import Way
from schoolwatch_contract.topics import topic

KEEP_ALIVE = 60
"""Seconds of silence after which the line is tried; not 0, which mosquitto refuses since 2.0.12."""

STAY_ALIVE = 600
"""The same for a connection that stays: each try costs some 240 bytes on the wire, and the line is tried by
every delivery anyway."""

_REFUSALS = ("Bad user name or password", "Not authorized")


class UnreachableError(Exception):
    """The broker did not answer, or not as a broker."""


class OutOfTimeError(UnreachableError):
    """The broker's certificate is out of its time, by this computer's clock; `is_not_yet`: before it."""

    def __init__(self, told: str, *, is_not_yet: bool) -> None:
        super().__init__(told)
        self.is_not_yet = is_not_yet


class RefusedError(Exception):
    """The broker does not accept this device's name and password."""


class PendingError(Exception):
    """Nobody has let this device in yet."""


class _Client(Client):
    """paho's, by a way that may lead through a proxy and be a WebSocket."""

    def __init__(self, way: Way, tls: ssl.SSLContext | None, client_id: str) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=True,
            transport="websockets" if way.path else "tcp",
        )
        self._way, self._tls = way, tls
        self._begun: socket.socket | None = None
        if way.path:
            self.ws_set_options(path=way.path)
        if tls is not None:
            self.tls_set_context(tls)

    def give_up(self) -> None:
        """Closes what came to no connection; paho leaves it to the collector."""
        if self._begun is not None:
            self._begun.close()

    def _create_socket_connection(self) -> socket.socket:
        self._begun = ways.reach(self._way, self.connect_timeout)
        return self._begun

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        assert self._tls is not None
        made = self._tls.wrap_socket(tcp_sock, server_hostname=self._way.host, do_handshake_on_connect=False)
        self._begun = made
        made.settimeout(self.connect_timeout)
        made.do_handshake()
        return made


class Connection:
    """Connects as the device; hears its acknowledgements and settings; publishes what it is given, QoS 1."""

    def __init__(
        self,
        credential: Credential,
        way: Way,
        tls: ssl.SSLContext | None,
        *,
        client_id: str,
        wait: float,
        keep_alive: int = KEEP_ALIVE,
    ) -> None:
        self._way, self._wait, self._keep_alive = way, wait, keep_alive
        self._ack_topic = topic(credential.device, "ack")
        self._report_topic = topic(credential.device, "report")
        self._settings_topic = topic(credential.device, "settings")
        self._connected: ReasonCode | None = None
        self._subscribed = False
        self._pubacks: list[int] = []
        self._acks: list[bytes] = []
        self._settings: bytes | None = None
        client = _Client(way, tls, client_id)
        client.username_pw_set(credential.device, credential.password)
        client.connect_timeout = wait
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(0)  # Exchange bounds what is in flight
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_publish, client.on_message = self._on_publish, self._on_message
        client.on_disconnect = self._on_disconnect
        self._client = client
        self.alive = False

    def open(self) -> None:
        """Connects and subscribes. Raises `RefusedError` or `UnreachableError`."""
        where = str(self._way)
        deadline = time.monotonic() + self._wait
        try:
            self._client.connect(self._way.host, self._way.port, self._keep_alive)
        except (OSError, ValueError) as error:
            self.close()  # errors of TLS and of a WebSocket are OSErrors, a bad host name is a ValueError
            self._client.give_up()
            if trust.is_out_of_time(error):
                raise OutOfTimeError(f"{where}: {error}", is_not_yet=trust.is_not_yet(error)) from error
            raise UnreachableError(f"{where}: {error}") from error
        self.alive = True
        while not self._subscribed:
            if self._connected is not None and self._connected.is_failure:
                self._fail(where, str(self._connected))
            if not self.alive or time.monotonic() > deadline:
                self.close()
                raise UnreachableError(f"{where}: no answer to the login within {self._wait:g} s")
            self.pump(0.2)

    def send(self, frame: bytes) -> int | None:
        """Publishes a frame; the number that its PUBACK will bear, None when the connection is gone."""
        info = self._client.publish(self._report_topic, frame, qos=1)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.alive = False
            return None
        return info.mid

    def pump(self, seconds: float) -> None:
        """Moves bytes in both directions, waiting at most so long for some."""
        if self.alive and self._client.loop(seconds) is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.alive = False

    def take_pubacks(self) -> list[int]:
        """The numbers that the broker has confirmed since the last call."""
        taken, self._pubacks = self._pubacks, []
        return taken

    def take_acks(self) -> list[bytes]:
        """The server's acknowledgements since the last call, oldest first."""
        taken, self._acks = self._acks, []
        return taken

    def take_settings(self) -> bytes | None:
        """The server's newest settings since the last call; None when it said none."""
        taken, self._settings = self._settings, None
        return taken

    def close(self) -> None:
        """Says goodbye if it can."""
        self._client.disconnect()
        if self.alive:
            self._client.loop(0)  # lets the DISCONNECT out
        self.alive = False

    def _fail(self, where: str, reason: str) -> None:
        self.close()
        if reason in _REFUSALS:
            raise RefusedError(f"{where}: {reason}")
        raise UnreachableError(f"{where}: {reason}")

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _: Properties | None
    ) -> None:
        self._connected = reason
        if not reason.is_failure:
            # one packet for both; both are retained, so they need no receipt: they come again
            client.subscribe([(self._ack_topic, 0), (self._settings_topic, 0)])

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _: Properties | None
    ) -> None:
        self._subscribed = True
        if any(reason.is_failure for reason in reasons):
            log(__name__).warning("the broker does not let this device read what is for it: %s", reasons)

    def _on_publish(
        self, _client: Client, _data: object, mid: int, _reason: ReasonCode, _: Properties
    ) -> None:
        self._pubacks.append(mid)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if message.topic == self._settings_topic:
            self._settings = bytes(message.payload)
        else:
            self._acks.append(bytes(message.payload))

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, _: ReasonCode, __: Properties | None
    ) -> None:
        self.alive = False
