"""The broker for a machine without mosquitto: amqtt in a process of its own, for up to 500 devices.

amqtt 0.12.1 (MQTT 3.1.1) does the protocol. This module puts in front of it what it lacks: nobody reaches
its sessions before logging in, sessions belong to users, every message is authorised (retained ones and
last wills too), packets and queues are bounded, and what a client has not acknowledged is sent again.
Sessions live in memory: after a crash agents send again what the server has not committed.
"""

import asyncio
import contextlib
import dataclasses
import logging
import secrets
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.session import Session

from schoolwatch_contract.topics import REPORTS
from schoolwatch_server import transport
from schoolwatch_server.broker import access, connect, passwords
from schoolwatch_server.broker.door import Door, Visitor
from schoolwatch_server.broker.limits import DEVICES_MAX, GREETING, PACKET_MAX, QOS_MAX
from schoolwatch_server.broker.outbox import Message, Outbox
from schoolwatch_server.config import ConfigError
from schoolwatch_server.transport import Tls

log = logging.getLogger(__name__)
_BACKLOG = 32 * 1024 * 1024
_HASHING = 2
"""Threads that check passwords, apart from the loop that carries messages."""


class Bounded(StreamReaderAdapter):  # type: ignore[misc]  # amqtt has no types
    """Reads a client's packets; ends the connection at the header of one that is too large."""

    def __init__(self, first: bytes, reader: asyncio.StreamReader, room: Callable[[], bool]) -> None:
        super().__init__(reader)
        self._first = first
        self._left = 0
        self._shift: int | None = None
        self._room = room

    async def read(self, n: int = -1) -> bytes:
        """`n` bytes, or fewer at the end; waits at the start of a packet while the broker has too much."""
        if self._first:
            taken, self._first = self._first[:n], self._first[n:]
            return taken
        while self._left == 0 and self._shift is None and not self._room():  # noqa: ASYNC110  see below
            await asyncio.sleep(0.02)  # an event would have to know every outbox; this is only for overload
        data = await super().read(n)
        return data if self._follow(data) else b""

    def _follow(self, data: bytes) -> bool:
        """Keeps track of where in a packet the stream is. False: this packet is larger than allowed."""
        if self._left:
            self._left = max(0, self._left - len(data))
            return True
        for byte in data:  # amqtt reads a header byte by byte
            if self._shift is None:
                self._shift, self._length = 0, 0
                continue
            self._length |= (byte & 0x7F) << self._shift
            self._shift += 7
            if self._length > PACKET_MAX or self._shift > 28:
                log.warning("refused a packet of over %d bytes", PACKET_MAX)
                return False
            if byte < 0x80:
                self._left, self._shift = self._length, None
        return True


class Embedded(Broker):  # type: ignore[misc]  # amqtt has no types
    """amqtt's broker with our own log-in, authorisation and delivery."""

    def __init__(self, folder: Path, server_user: str, queued_bytes: int) -> None:
        super().__init__({"listeners": {"default": {"type": "external"}}, "plugins": {},
                          "timeout_disconnect_delay": 30, "session_expiry_interval": 14 * 86400})  # fmt: skip
        self._folder = folder
        self._server_user = server_user
        self._queued_bytes = queued_bytes
        self._users: dict[str, str] = {}
        self._gateways: frozenset[str] = frozenset()
        self._outboxes: dict[str, Outbox] = {}
        self._nobody = passwords.hash_password(passwords.new_password())
        self._hashing = ThreadPoolExecutor(_HASHING)
        self.reload()

    async def keep_seat(self) -> None:
        """Makes the session of who takes reports, if the folder names one: what comes waits for it."""
        file = self._folder / access.SEAT
        if file.is_file():
            name = f"{self._server_user}/{file.read_text(encoding='utf-8').strip()}"
            handler, session = self.create_offline_session(name)
            session.username, session.clean_session = self._server_user, False
            self._sessions[name] = (session, handler)
            await self.add_subscription((REPORTS, QOS_MAX), session)

    # --- who may come in ------------------------------------------------------------------------------

    def reload(self) -> None:
        """Reads accounts and gateways again; accounts that changed or have gone lose their connections."""
        new = access.parse_password_file((self._folder / "passwords").read_text(encoding="utf-8"))
        self._gateways = access.parse_gateways((self._folder / "acl").read_text(encoding="utf-8"))
        gone = {user for user, hashed in self._users.items() if new.get(user) != hashed}
        self._users = new
        for client_id, (session, handler) in list(self._sessions.items()):
            if session.username in gone:
                self._cut(handler)
                if session.username not in new:
                    self._outboxes.pop(client_id, None)

    @staticmethod
    def _cut(handler: Any) -> None:
        if handler.writer is not None:
            handler.writer._writer.close()  # noqa: SLF001  amqtt's own close needs a task of its own

    async def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, visitor: Visitor
    ) -> None:
        """One connection from its first byte to its last."""
        try:
            who = connect.parse(await asyncio.wait_for(connect.read(reader), GREETING))
            await self._admit(who, visitor)
        except connect.RefusedError as error:
            visitor.door.say("refused: %s", error)
            writer.write(error.answer)
            await _close(writer)
            return
        except (asyncio.IncompleteReadError, TimeoutError, OSError):
            await _close(writer)
            return
        visitor.came_in()
        owned = dataclasses.replace(who, client_id=self._session_of(who))
        bounded = Bounded(connect.build(owned), reader, self._has_room)
        try:
            await self.external_connected(bounded, StreamWriterAdapter(writer), "default")
        finally:
            await _close(writer)

    def _session_of(self, who: connect.Connect) -> str:
        """A session belongs to its user, so that nobody takes or deletes another's by using its client id.

        A device has one; the server's parts have one each.
        """
        if who.user != self._server_user:
            return who.user
        return f"{who.user}/{who.client_id or secrets.token_hex(8)}"

    async def _admit(self, who: connect.Connect, visitor: Visitor) -> None:
        """Raises `RefusedError`. It takes as long for a user that there isn't as for one that there is."""
        hashed = self._users.get(who.user)
        loop = asyncio.get_running_loop()
        is_right = await loop.run_in_executor(
            self._hashing, passwords.verify, who.password, hashed or self._nobody
        )
        if not is_right or hashed is None or self._users.get(who.user) != hashed:  # it may have been revoked
            visitor.was_wrong()
            raise connect.RefusedError(f"{who.user[:40]!r}: wrong user or password", connect.NOT_AUTHORISED)
        will = who.will_topic
        if will is not None and not self._may_write(who.user, will):
            raise connect.RefusedError(
                f"{who.user[:40]!r}: a last will in another's name", connect.NOT_AUTHORISED
            )

    def _may_write(self, user: str, topic: str) -> bool:
        return access.may(user, "write", topic, self._server_user, self._gateways)

    async def _authenticate(self, session: Session, _: Any) -> bool:
        return session.username in self._users  # `_admit` has checked the password

    # --- what it may do -------------------------------------------------------------------------------

    def _may(self, session: Session, topic: str, action: access.Action) -> bool:
        user = session.username or ""
        return user in self._users and access.may(user, action, topic, self._server_user, self._gateways)

    async def _topic_filtering(self, session: Session, topic: str, action: Any) -> bool:
        if action == "subscribe":  # only to what there is: each filter kept makes every message cost more
            return session.username == self._server_user or self._may(session, topic, "read")
        return self._may(session, topic, "write" if action == "publish" else "read")

    # --- how messages go out --------------------------------------------------------------------------

    def _outbox(self, session: Session) -> Outbox:
        return self._outboxes.setdefault(session.client_id or "", Outbox(self._queued_bytes))

    def _has_room(self) -> bool:
        """Whether clients that are connected keep up; if not, nobody's next packet is read."""
        return sum(box.bytes for box in self._outboxes.values() if box.here) < _BACKLOG

    async def _broadcast_message(
        self,
        session: Session | None,  # noqa: ARG002  amqtt's signature
        topic: str | None,
        data: bytes | bytearray | None,
        force_qos: int | None = None,
    ) -> None:
        if topic is None or data is None:
            return
        for pattern, subscribers in self._subscriptions.items():
            if not self._matches(topic, pattern):
                continue
            for target, qos in subscribers:
                box = self._outbox(target)
                keeps = qos > 0 and not target.clean_session
                if self._may(target, topic, "read") and (box.here or keeps):
                    box.put(Message(topic, bytes(data), qos if force_qos is None else force_qos))

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        pattern, qos = subscription
        if all(s.client_id != session.client_id for s, _ in self._subscriptions.get(pattern, [])):
            return  # amqtt offers a client that comes back everybody's subscriptions, not only its own
        for topic, retained in self._retained_messages.items():
            if self._matches(topic, pattern) and self._may(session, topic, "read"):
                self._outbox(session).put(Message(topic, bytes(retained.data), qos, retain=True))

    async def _publish_session_retained_messages(self, session: Session) -> None:
        self._outbox(session).connected(self._get_handler(session))

    async def _handle_disconnect(self, client_session: Session, handler: Any, disconnect_waiter: Any) -> None:
        if self._get_handler(client_session) is not handler:
            await self._stop_handler(handler)  # the client is back already, by a new connection
            return
        self._outbox(client_session).disconnected(clean=bool(client_session.clean_session))
        await super()._handle_disconnect(client_session, handler, disconnect_waiter)

    async def _del_all_subscriptions(self, session: Session) -> None:
        self._outboxes.pop(session.client_id or "", None)
        await super()._del_all_subscriptions(session)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, asyncio.CancelledError):  # it is closed either way
        await writer.wait_closed()


async def _serve(
    folder: Path, host: str, port: int, server_user: str, queued_bytes: int, tls: Tls | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    broker = Embedded(folder, server_user, queued_bytes)
    await broker.start()
    await broker.keep_seat()
    for number in (signal.SIGINT, signal.SIGTERM):  # before it listens: whoever can connect may signal it
        loop.add_signal_handler(number, stop.set)
    context = None if tls is None else transport.context(tls)

    def reload() -> None:
        broker.reload()
        if context is not None and tls is not None:
            try:
                transport.load(context, tls)
            except ConfigError as error:
                log.warning("%s", error)

    loop.add_signal_handler(signal.SIGHUP, reload)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, visitor: Visitor) -> None:
        with contextlib.suppress(AMQTTError, MQTTError, NoDataError, OSError):  # one client's end is no news
            await broker.accept(reader, writer, visitor)

    door = Door(accept, context)
    await door.listen(host, port)
    log.warning("amqtt listens on %s:%d; it is meant for up to %d devices", host, port, DEVICES_MAX)
    await stop.wait()
    await door.close()
    with contextlib.suppress(TimeoutError):  # what it holds is in memory only: nothing to save
        await asyncio.wait_for(broker.shutdown(), 3)


def run(
    folder: Path, *, host: str, port: int, server_user: str, queued_bytes: int, tls: Tls | None = None
) -> None:
    """Runs the broker until SIGTERM; SIGHUP makes it read the password file and the certificate again."""
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    logging.getLogger("transitions").setLevel(logging.WARNING)  # amqtt's state machine tells of every step
    asyncio.run(_serve(folder, host, port, server_user, queued_bytes, tls))
