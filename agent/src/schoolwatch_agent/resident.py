"""The resident agent: measures in its period and holds one connection, so that a change is told at once."""

import threading
import time
from collections.abc import Callable, Sequence

from schoolwatch_agent import cycle, delivery, identity, limits, memory, renewal, schedule, settings, tick
from schoolwatch_agent.alarm import Alarm
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.connection import STAY_ALIVE, Connection, PendingError, RefusedError, UnreachableError
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Credential, IdentityError
from schoolwatch_agent.log import log
from schoolwatch_agent.memory import Outcome
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.spool import Spool
from schoolwatch_agent.spool_file import SpoolError
from schoolwatch_contract.settings import Settings

Choice = Callable[[Settings], Sequence[Probe]]
"""The probes of a device that was told these settings."""

PAUSE = 1.0
"""Seconds at most between two looks at the clock and at the wish to stop."""


class Resident:
    """One agent that stays; `run` returns when `stop` is set. Single-threaded, no asyncio."""

    def __init__(self, config: AgentConfig, host: Host, probes: Choice, spool: Spool) -> None:
        self._config, self._host, self._probes, self._spool = config, host, probes, spool
        self._connection: Connection | None = None
        self._exchange: delivery.Exchange | None = None
        self._credential: Credential | None = None
        self._install_id = identity.install_id(config.data)
        self._failures = 0
        self._try_at = 0.0  # on the monotonic clock
        self._delivering = False
        self.is_measuring = False
        self._known = memory.decode(spool.memory(host.now()))
        self._alarm = Alarm(config.sensors, host)

    def run(self, stop: threading.Event) -> None:
        """Measures at once, then at the device's own instants; delivers when it is time.

        What the LAN watch sees does not wait for the next instant.
        """
        next_measure = self._host.now()
        try:
            while not stop.is_set():
                now = self._host.now()
                if now >= next_measure or next_measure - now > 2 * self._config.schedule.measure:
                    self._measure()
                    next_measure = schedule.next_measure(
                        self._host.now(), self._config.schedule.measure, self._device
                    )
                elif self._alarm.rings(now):
                    self._measure(only="sensors")
                self._carry(stop, min(PAUSE, max(next_measure - self._host.now(), 0.01)))
        finally:
            self._hang_up()

    @property
    def _device(self) -> str:
        return self._credential.device if self._credential else self._install_id

    def _measure(self, only: str = "") -> None:
        self._read_credential()
        self._renew()
        measure = self._config.schedule.measure
        wanted = [
            probe for probe in self._probes(settings.read(self._config.data)) if only in ("", probe.name)
        ]
        with limits.kept(self._config.limits, self._config.data, self._host, stays=True) as last:
            pace = cycle.Pace(self._device, "run", measure, last)
            self.is_measuring = True
            try:
                self._known = cycle.run_cycle(self._host, wanted, self._spool, pace)
            except SpoolError as error:
                log(__name__).error("%s", error)
            finally:
                self.is_measuring = False
        if tick.is_time(self._config, self._known, self._device, self._host.now()):
            self._delivering = True
            if self._exchange:
                self._exchange.begin_round()

    def _carry(self, stop: threading.Event, wait: float) -> None:
        """Moves frames and acknowledgements for about `wait` seconds."""
        if self._exchange is None and self._credential and time.monotonic() >= self._try_at:
            self._connect(self._credential)
        if self._connection is None or self._exchange is None:
            stop.wait(wait)
            return
        try:
            self._exchange.step(wait, publish=self._delivering)
        except SpoolError as error:
            log(__name__).error("%s", error)
            stop.wait(wait)
        delivery.hear_settings(self._config, self._connection)
        if not self._connection.alive or self._exchange.is_stalled:
            self._lost("interrupted", "the connection was lost")
        elif not self._exchange.is_done:
            self._delivering |= self._exchange.is_restored
        elif self._delivering:
            self._delivering = False
            self._failures = 0
            self._settle(Outcome("delivered", self._host.now()))

    def _connect(self, credential: Credential) -> None:
        try:
            connection = delivery.connect(self._config, credential, keep_alive=STAY_ALIVE)
        except PendingError as error:
            self._lost("pending", str(error))
        except RefusedError as error:
            self._lost("refused", str(error))
        except UnreachableError as error:
            self._lost("unreachable", str(error))
        else:
            self._connection = connection
            self._exchange = delivery.Exchange(self._spool, credential, connection, self._host)
            self._exchange.hear_retained()
            self._delivering = True

    def _lost(self, kind: delivery.Failure, detail: str) -> None:
        self._hang_up()
        self._failures += 1
        self._try_at = time.monotonic() + schedule.back_off(self._failures, self._device)
        self._settle(Outcome(kind, self._host.now(), detail))
        self._read_credential()  # it may have been renewed

    def _settle(self, outcome: Outcome) -> None:
        try:
            tick.settle(self._spool, outcome)
            self._known = memory.decode(self._spool.memory(outcome.at))
        except SpoolError as error:
            log(__name__).error("%s", error)

    def _renew(self) -> None:
        held = self._credential
        if held is not None and settings.is_renewal_due(self._config.data, held):
            self._credential = renewal.step(self._config, self._host, held)
            if self._credential.key != held.key:
                self._hang_up()  # the connection was made with the old ones

    def _read_credential(self) -> None:
        try:
            self._credential = identity.read_credential(self._config.data)
        except IdentityError as error:
            log(__name__).error("%s", error)
            self._credential = None

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = self._exchange = None
