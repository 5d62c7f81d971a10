"""One connection to the broker: MQTT 3.1.1 in a single thread, without a queue of its own.

The session is clean: what must not be lost is in our spool, the acknowledgement is retained, so the broker
need remember nothing about tens of thousands of PCs.
"""

import logging
import time

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from schoolwatch_agent.identity import Broker, Credential
from schoolwatch_contract.topics import topic

log = logging.getLogger(__name__)

KEEP_ALIVE = 60
"""Seconds of silence after which the line is tried; not 0, which mosquitto refuses since 2.0.12."""

STAY_ALIVE = 600
"""The same for a connection that stays: each try costs some 240 bytes on the wire, and the line is tried by
every delivery anyway."""

_REFUSALS = ("Bad user name or password", "Not authorized")


class UnreachableError(Exception):
    """The broker did not answer, or not as a broker."""


class RefusedError(Exception):
    """The broker does not accept this device's name and password."""


class PendingError(Exception):
    """Nobody has let this device in yet."""


class Connection:
    """Connects as the device; hears its acknowledgements and settings; publishes what it is given, QoS 1."""

    def __init__(
        self,
        credential: Credential,
        broker: Broker,
        *,
        client_id: str,
        ca: str,
        wait: float,
        keep_alive: int = KEEP_ALIVE,
    ) -> None:
        self._broker, self._wait, self._keep_alive = broker, wait, keep_alive
        self._ack_topic = topic(credential.device, "ack")
        self._report_topic = topic(credential.device, "report")
        self._settings_topic = topic(credential.device, "settings")
        self._connected: ReasonCode | None = None
        self._subscribed = False
        self._pubacks: list[int] = []
        self._acks: list[bytes] = []
        self._settings: bytes | None = None
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        client.username_pw_set(credential.device, credential.password)
        client.connect_timeout = wait
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(0)  # Exchange bounds what is in flight
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_publish, client.on_message = self._on_publish, self._on_message
        client.on_disconnect = self._on_disconnect
        self._client, self._ca = client, ca
        self.alive = False

    def open(self) -> None:
        """Connects and subscribes. Raises `RefusedError` or `UnreachableError`."""
        where = f"{self._broker.host}:{self._broker.port}"
        deadline = time.monotonic() + self._wait
        try:
            if self._broker.tls:
                self._client.tls_set(ca_certs=self._ca or None)
            self._client.connect(self._broker.host, self._broker.port, self._keep_alive)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError, a bad host name a ValueError
            self.close()
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
            log.warning("the broker does not let this device read what is for it: %s", reasons)

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
