"""A real MQTT client for tests, with everything that came to it in order."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import paho.mqtt.client as paho


def wait_for(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The first true value of `what()`; fails when it does not come, on however busy a machine."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(pause)
        pause = min(1.3 * pause, 0.1)  # what is asked may cost those who are waited for
    raise AssertionError(f"not within {seconds} s: {what}")


class Client:
    """Connects on entry; `code` is the CONNACK's reason, `got` the messages as (topic, payload)."""

    def __init__(
        self, broker: Any, user: str | None, password: str | None, *, name: str = "", clean: bool = True,
        manual: bool = False, protocol: Any = paho.MQTTv311, will: tuple[str, bytes] | None = None,
        ca: Any = None,
    ) -> None:  # fmt: skip
        self.got: list[tuple[str, bytes]] = []
        self.messages: list[paho.MQTTMessage] = []
        self.code: str | None = None
        self.closed = threading.Event()
        self._broker = broker
        self._socket = broker.socket if user == broker.user else ""
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, name or f"t-{id(self)}", protocol=protocol,
            clean_session=None if protocol == paho.MQTTv5 else clean, manual_ack=manual,
            reconnect_on_failure=False, transport="unix" if self._socket else "tcp",
        )  # fmt: skip
        client.username_pw_set(user, password)
        if ca and not self._socket:
            client.tls_set(ca_certs=str(ca))
        if will:
            client.will_set(will[0], will[1], qos=1, retain=True)
        client.on_connect = self._connected
        client.on_message = self._message
        client.on_disconnect = lambda *_: self.closed.set()
        self.paho = client

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.code = str(reason)

    def _message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.messages.append(message)
        self.got.append((message.topic, bytes(message.payload)))

    def __enter__(self) -> Self:
        if self._socket:  # paho 2.1 lets go of a socket that nobody answers, and a later test would be blamed
            with socket.socket(socket.AF_UNIX) as trial:
                trial.connect(self._socket)
        self.paho.connect(self._socket or self._broker.host, self._broker.port, keepalive=30)
        self.paho.loop_start()
        wait_for(lambda: self.code or self.closed.is_set())
        return self

    def __exit__(self, *_: object) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()

    def drop(self) -> None:
        """Ends the connection without a word, as a killed process does."""
        self.paho.loop_stop()
        sock = self.paho.socket()
        if sock is not None:
            sock.close()

    def subscribe(self, topic: str, qos: int = 1) -> bool:
        """Whether the broker granted it."""
        done: list[Any] = []
        self.paho.on_subscribe = lambda _c, _d, _m, codes, _p: done.extend(codes)
        self.paho.subscribe(topic, qos)
        wait_for(lambda: done)
        return not done[0].is_failure

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> bool:
        """Whether the broker acknowledged it (both brokers do, also for what they then drop)."""
        info = self.paho.publish(topic, payload, qos=qos, retain=retain)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not self.closed.is_set():
            if info.is_published():
                return True
            time.sleep(0.01)
        return info.is_published()
