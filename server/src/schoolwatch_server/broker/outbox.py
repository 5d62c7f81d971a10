"""What waits for one client of the amqtt broker: in order, bounded, sent until acknowledged."""

import asyncio
import collections
import logging
from dataclasses import dataclass, field
from typing import Any

from amqtt.errors import AMQTTError, MQTTError

log = logging.getLogger(__name__)
_WINDOW = 50
"""Messages on the way to one client without its acknowledgement."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one client; only QoS 1 and 2 outlive a connection."""

    topic: str
    data: bytes
    qos: int
    retain: bool = False


@dataclass
class Outbox:
    """The queue of one session. When it is full its oldest messages leave: the agents still have them."""

    most_bytes: int
    waiting: collections.deque[Message] = field(default_factory=collections.deque)
    bytes: int = 0
    dropped: int = 0
    _flying: set[asyncio.Task[None]] = field(default_factory=set)
    _handler: Any = None

    def put(self, message: Message) -> None:
        """Queues a message, and sends it if the client is there."""
        self.waiting.append(message)
        self._bound(len(message.data))
        self._pump()

    def connected(self, handler: Any) -> None:
        """The client is there: what waits goes to it."""
        self._handler = handler
        self._pump()

    def disconnected(self, *, clean: bool) -> None:
        """The client has gone; QoS 0 is gone with it, and everything if its session was clean."""
        self._handler = None
        kept = [] if clean else [m for m in self.waiting if m.qos]
        self.waiting = collections.deque(kept)
        self.bytes = sum(len(m.data) for m in kept)

    @property
    def here(self) -> bool:
        """Whether the client is connected."""
        return self._handler is not None

    def _bound(self, added: int) -> None:
        self.bytes += added
        while self.bytes > self.most_bytes and len(self.waiting) > 1:
            self.bytes -= len(self.waiting.popleft().data)
            self.dropped += 1
            if self.dropped.bit_count() == 1:  # 1, 2, 4, 8 …: said, without filling the log
                log.warning("a client that is away has too much waiting: %d messages dropped", self.dropped)

    def _pump(self) -> None:
        while self._handler is not None and self.waiting and len(self._flying) < _WINDOW:
            message = self.waiting.popleft()
            self.bytes -= len(message.data)
            task = asyncio.create_task(self._send(self._handler, message))
            self._flying.add(task)
            task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        self._pump()

    async def _send(self, handler: Any, message: Message) -> None:
        """Sends one message; without acknowledgement (amqtt waits 5 s) it goes to the front again."""
        try:
            await handler.mqtt_publish(message.topic, message.data, message.qos, retain=message.retain)
        except asyncio.CancelledError:  # amqtt cancels the wait for an acknowledgement when a client goes
            self._again(message)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
        except (AMQTTError, MQTTError, OSError, TimeoutError, AttributeError):
            self._again(message)  # AttributeError: amqtt 0.12.1 when the handler lost its session meanwhile

    def _again(self, message: Message) -> None:
        if message.qos:
            self.waiting.appendleft(message)
            self._bound(len(message.data))
