"""Delivers what the spool holds: publishes what is due, oldest first, and believes only the server's ack."""

import ssl
import time
from collections.abc import Callable
from typing import Literal

from schoolwatch_agent import clocks, settings, trust, ways
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.connection import (
    KEEP_ALIVE,
    Connection,
    OutOfTimeError,
    PendingError,
    RefusedError,
    UnreachableError,
)
from schoolwatch_agent.held import Held
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Broker, Credential
from schoolwatch_agent.log import log
from schoolwatch_agent.memory import Outcome
from schoolwatch_agent.spool import Spool
from schoolwatch_agent.ways import Way
from schoolwatch_contract import ack, frame
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import RELEASED

WINDOW = 20
"""Frames on the way to the broker without PUBACK at one time: memory and an impatient line stay bounded."""

STALL = 15.0
"""Seconds without a PUBACK for what was sent, after which a connection is given up."""

RETAINED_WAIT = 0.3
"""Seconds in which a broker sends what it retained, right after the subscription; brokers do so at once."""

Failure = Literal["interrupted", "unreachable", "refused", "pending"]


class Exchange:
    """What happens between one spool and one connection of a host; `step` as often as there is time."""

    def __init__(self, spool: Spool, credential: Credential, connection: Connection, host: Host) -> None:
        self._spool, self._connection, self._host = spool, connection, host
        self._device, self._key = credential.device, bytes.fromhex(credential.key)
        self._in_flight: dict[int, int] = {}
        self._after = 0
        self._moved_at = time.monotonic()
        self._exhausted = self._again = self._complained = False
        self.published: list[int] = []
        self.heard = False
        self.is_restored = False

    @property
    def is_done(self) -> bool:
        """Everything that was due has its PUBACK."""
        return self._exhausted and not self._in_flight

    @property
    def is_stalled(self) -> bool:
        """Frames are on the way, and the broker has confirmed none for too long."""
        return bool(self._in_flight) and time.monotonic() > self._moved_at + STALL

    def begin_round(self) -> None:
        """Looks again for what is due, from the oldest."""
        self._again = True
        self._exhausted = False

    def step(self, wait: float, *, publish: bool = True) -> bool:
        """Publishes, listens at most `wait` seconds; True when something moved. Raises `SpoolError`."""
        if publish:
            self._fill()
        self._connection.pump(wait)
        confirmed = [
            self._in_flight.pop(mid) for mid in self._connection.take_pubacks() if mid in self._in_flight
        ]
        if confirmed:
            self._spool.published(confirmed, self._host.now())
            self.published += confirmed
            self._moved_at = time.monotonic()
        return self.listen() or bool(confirmed)

    def hear_retained(self) -> None:
        """Listens before anything is sent: the server may already have what would be sent again."""
        if not self._spool.may_hear(self._host.now()):
            return
        deadline = time.monotonic() + RETAINED_WAIT
        while self._connection.alive and not self.heard and (left := deadline - time.monotonic()) > 0:
            self._connection.pump(left)
            self.listen()

    def listen(self) -> bool:
        """Believes the newest acknowledgement that can be read; True when it was news."""
        for text in reversed(self._connection.take_acks()):
            self.heard = True
            try:
                said = ack.decode(text)
            except ContractError as error:
                if not self._complained:
                    log(__name__).warning("an acknowledgement that cannot be read is ignored: %s", error)
                self._complained = True
                continue
            news = self._spool.acknowledge(said, self._host.now())
            if news == "restored":
                self.is_restored = True
                self.begin_round()  # what was sent long ago is due again
            return news != "nothing"
        return False

    def _fill(self) -> None:
        if self._again and not self._in_flight:
            self._after, self._again = 0, False
        while not self._exhausted and not self._again and len(self._in_flight) < WINDOW:
            now, up = self._host.now(), clocks.uptime(self._host)
            due = self._spool.due(now, self._after, WINDOW - len(self._in_flight), up)
            self._exhausted = not due
            if due:
                self._spool.sending([held.id for held in due], now)
            for held in due:
                mid = self._connection.send(self._seal(held))
                if mid is None:
                    return
                if not self._in_flight:
                    self._moved_at = time.monotonic()
                self._in_flight[mid] = held.id
                self._after = held.id

    def _seal(self, held: Held) -> bytes:
        header = frame.Header(self._device, held.spool, held.seq, held.floor, held.sent_at, held.clock)
        return frame.seal(header, held.body, self._key)


def connect(
    config: AgentConfig, credential: Credential, client_id: str = "", keep_alive: int = KEEP_ALIVE
) -> Connection:
    """An open connection, as the device if no other client id is given; `keep_alive` is seconds.

    By the way that worked last, else by the others. Raises `PendingError`, `RefusedError`,
    `UnreachableError`.
    """
    client_id = client_id or credential.device
    if not credential.pending:
        return _by_some_way(config, credential, client_id, keep_alive)
    from schoolwatch_agent import standing  # HTTP only where it is needed

    standing.check(config, credential)
    try:
        connection = _by_some_way(config, credential, client_id, keep_alive)
    except RefusedError as error:  # and the web address, which would have said so, did not answer
        raise PendingError(str(error)) from error
    standing.let_in(config.data, credential)
    return connection


def _by_some_way(config: AgentConfig, credential: Credential, client_id: str, keep_alive: int) -> Connection:
    broker, last = broker_of(config, credential), ways.last(config.data)
    troubles: list[UnreachableError] = []
    for way in ways.ways(broker, config.server.proxy, last):

        def made(*, timeless: bool = False, way: Way = way) -> Connection:
            return Connection(
                credential,
                way,
                _tls(config, timeless=timeless) if broker.tls else None,
                client_id=client_id,
                wait=config.delivery.connect_wait,
                keep_alive=keep_alive,
            )

        try:
            connection = _opened(config, credential, made)
        except UnreachableError as error:
            troubles.append(error)
        else:
            ways.keep(config.data, way, last)
            return connection
    raise UnreachableError("; ".join(map(str, troubles))) from troubles[0]


def _tls(config: AgentConfig, *, timeless: bool) -> ssl.SSLContext:
    try:
        return trust.context(config.ca, timeless=timeless)
    except OSError as error:
        raise UnreachableError(f"{config.ca}: {error}") from error


def _opened(config: AgentConfig, credential: Credential, made: Callable[..., Connection]) -> Connection:
    connection = made()
    try:
        connection.open()
    except OutOfTimeError as error:
        if not _clock_is_wrong(config, credential, error):
            raise
        connection = made(timeless=True)
        connection.open()
    return connection


def _clock_is_wrong(config: AgentConfig, credential: Credential, error: OutOfTimeError) -> bool:
    """Whether our clock is why the certificate looks out of time.

    It is when it shows a time before there was an agent, or before an authority that we trust signed; a
    clock that is ahead is found by the server's, which a certificate vouches for that holds by that clock.
    """
    if time.time() < RELEASED or error.is_not_yet:
        return True
    from schoolwatch_agent import enrol  # HTTP only where it is needed

    url = config.server.url or credential.url
    office = enrol.Office(url, "", config.ca, proxy=config.server.proxy)
    try:
        enrol.clock_error(office, time.time(), config.delivery.connect_wait)
    except enrol.EnrolError:
        return False
    return True


def broker_of(config: AgentConfig, credential: Credential) -> Broker:
    """Where the broker is: as the settings say, else as the enrolment said."""
    server, told = config.server, credential.mqtt
    return Broker(
        server.mqtt_host or told.host,
        server.mqtt_port or told.port,
        told.tls if server.tls is None else server.tls,
        "" if server.mqtt_host else told.websocket,
    )


def deliver(spool: Spool, credential: Credential, config: AgentConfig, host: Host, within: float) -> Outcome:
    """One delivery from connecting to saying goodbye, in at most about `within` seconds.

    Waits no more than `delivery.ack_wait` (2 s) for the server's ack. Raises `SpoolError`.
    """
    end = time.monotonic() + within
    try:
        connection = connect(config, credential)
    except PendingError as error:
        return Outcome("pending", host.now(), str(error))
    except RefusedError as error:
        return Outcome("refused", host.now(), str(error))
    except UnreachableError as error:
        return Outcome("unreachable", host.now(), str(error))
    try:
        exchange = Exchange(spool, credential, connection, host)
        exchange.hear_retained()
        _publish(exchange, connection, end)
        if not exchange.is_done:
            return Outcome("interrupted", host.now(), "the line was lost or slow; the rest comes later")
        _await_ack(spool, exchange, connection, config.delivery.ack_wait)
    finally:
        hear_settings(config, connection)
        connection.close()
    return Outcome("delivered", host.now())


def hear_settings(config: AgentConfig, connection: Connection) -> None:
    """Keeps what the server told this device to aim at, for the next cycle."""
    said = connection.take_settings()
    if said is not None:
        settings.keep(config.data, said)


def _publish(exchange: Exchange, connection: Connection, end: float) -> None:
    while connection.alive and not exchange.is_done and not exchange.is_stalled and time.monotonic() < end:
        exchange.step(0.5)


def _await_ack(spool: Spool, exchange: Exchange, connection: Connection, wait: float) -> None:
    deadline = time.monotonic() + wait
    waiting = bool(exchange.published and spool.unacknowledged(exchange.published))
    while waiting and connection.alive and (left := deadline - time.monotonic()) > 0:
        if exchange.step(left):
            waiting = bool(spool.unacknowledged(exchange.published))
