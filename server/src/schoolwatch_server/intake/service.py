"""The intake process: reads reports from the broker in batches, commits each, and then acknowledges it."""

import logging
import threading
import time
from dataclasses import dataclass

from sqlalchemy import Engine, exc

from schoolwatch_contract.topics import REPORTS
from schoolwatch_server import advice, part
from schoolwatch_server.config import ConfigError, ServerConfig
from schoolwatch_server.database import journal, sealed
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, epoch, open_database, renew_epoch
from schoolwatch_server.database.restored import acks_now, went_back
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take
from schoolwatch_server.intake.mqtt import Login, Lost, Session, retained_acks, session_id
from schoolwatch_server.sealing import SealError

log = logging.getLogger(__name__)

BATCH = 400
"""Messages in one transaction at most; the broker's window bounds what is in flight beside it."""

LINGER = 0.01
"""Seconds without a message after which a batch is committed as it is."""

BATCH_SECONDS = 0.05
"""Seconds from a batch's first message until it is committed, whatever still comes."""

BACK_OFF = (0.5, 15.0)
"""Seconds between tries to reach broker and database: the first, doubling up to the last."""

_DRAINING_MAX = 600.0
_QUIET_SECONDS = 1.0


@dataclass(slots=True)
class _Drain:
    """What waited at the broker while intake was away: how long at most, and whether it is still coming."""

    waited: float
    until: float
    quiet_since: float

    def heard(self, came: int, now: float) -> None:
        """The broker has nothing left that waited once it has been quiet for a while."""
        if came:
            self.quiet_since = now
        elif now - self.quiet_since > _QUIET_SECONDS or now > self.until:
            self.waited = 0.0


def run(config: ServerConfig, stop: threading.Event | None = None, *, worker: str = "") -> None:
    """Takes in reports until `stop` (or SIGTERM); reconnects for ever.

    With a `worker` name, several processes share the reports by a shared subscription (`$share`), which
    mosquitto has and amqtt has not. Raises `DatabaseError` or `SealError` at start.
    """
    stop = part.stop_on_signal() if stop is None else stop
    engine = open_database(config.database_url, config.master_key)
    sealed.check(engine)
    part.sweep_seldom()
    try:
        _Intake(config, engine, worker).run(stop)
    finally:
        engine.dispose()


class _Intake:
    """One worker: its settings and what it remembers between connections."""

    def __init__(self, config: ServerConfig, engine: Engine, worker: str) -> None:
        self._config = config
        self._engine = engine
        self._worker = worker
        self._topic = f"$share/intake/{REPORTS}" if worker else REPORTS
        self._rules = Rules(config.evaluation.delivery_period, config.retention.quarantine_rows)
        self._checked = False
        self._outdated: list[str] = []

    def run(self, stop: threading.Event) -> None:
        """Sessions, one after the other, until told to stop."""
        wait = BACK_OFF[0]
        while not stop.is_set():
            began = time.monotonic()
            try:
                self._session(stop)
            except (Lost, ConfigError, SealError, OSError, exc.SQLAlchemyError) as error:
                if time.monotonic() - began > BACK_OFF[1]:
                    wait = BACK_OFF[0]
                log.warning("%s; trying again in %.1f s", advice.line(error), wait)
                stop.wait(wait)
                wait = min(2 * wait, BACK_OFF[1])

    def _session(self, stop: threading.Event) -> None:
        own = Login.of(self._config)
        if not self._checked:
            self._check_history(own)
            self._checked = True
        session = Session(own, session_id(own, self._worker))
        try:
            drain = self._drain(resumed=session.resumed)
            session.subscribe(self._topic)
            log.info("connected to %s", own.place)
            self._tell_outdated(session)
            self._take_in(session, drain, stop)
            session.flush(2.0)
        finally:
            session.close()

    def _check_history(self, own: Login) -> None:
        """A database that knows less than was acknowledged was restored from a copy: a new epoch begins."""
        told: dict[str, str] = {}
        back = None
        for acks in retained_acks(own, f"{session_id(own, self._worker)}-history"):
            with begin_read(self._engine) as conn:
                back = back or went_back(conn, acks)
                now = epoch(conn)
            told |= {device: ack.epoch for device, ack in acks.items()}
        if back is not None:
            now = renew_epoch(self._engine)
            log.warning("the database knows less than was acknowledged (to %s): agents send again", back)
        self._outdated = [device for device, of in told.items() if of != now]

    def _tell_outdated(self, session: Session) -> None:
        """Tells the devices whose retained ack is of another epoch how far they are in this one."""
        if self._outdated:
            with begin_read(self._engine) as conn:
                told = acks_now(conn, self._outdated)
            session.publish_acks(told)
            self._outdated = []

    def _drain(self, *, resumed: bool) -> _Drain:
        now = time.monotonic()
        with begin_read(self._engine) as conn:
            last = journal.last_received_at(conn)
        waited = max(0.0, time.time() - last) if resumed and last is not None else 0.0
        return _Drain(waited, now + _DRAINING_MAX, now)

    def _take_in(self, session: Session, drain: _Drain, stop: threading.Event) -> None:
        began = 0.0
        while not stop.is_set():
            waiting = session.waiting
            came = session.read(LINGER if waiting else 0.5)
            now = time.monotonic()
            drain.heard(came, now)
            if not waiting:
                continue
            began = began or now
            if came and len(waiting) < BATCH and now - began < BATCH_SECONDS:
                continue
            began = 0.0
            self._commit(session, drain)
        if session.waiting:
            self._commit(session, drain)

    def _commit(self, session: Session, drain: _Drain) -> None:
        batch, session.waiting = session.waiting, []
        messages = [Message(one.topic, one.payload, one.arrived, drain.waited) for one in batch]
        acks = take(self._engine, messages, self._rules)
        session.publish_acks(acks)
        session.done(batch)
