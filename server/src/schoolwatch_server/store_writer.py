"""The process that writes to the store of series beside the database; nothing else ever waits for that store.

One at a time of a server writes, by a lease; two would do no harm. Of two servers one would (`Alone`).
"""

import logging
import random
import secrets
import threading
import time

from sqlalchemy import Engine

from schoolwatch_server import deletions, part
from schoolwatch_server.config import ConfigError, ServerConfig
from schoolwatch_server.database import lease, store_writer
from schoolwatch_server.database.engine import begin_read, begin_write, epoch, open_database
from schoolwatch_server.guard import Guard
from schoolwatch_server.lasting import LastingError
from schoolwatch_server.store.influx.alone import Alone, name
from schoolwatch_server.store.influx.engine import StoreDownError, StoreEngine
from schoolwatch_server.store.influx.open import open_engine
from schoolwatch_server.store.influx.sending import Batches
from schoolwatch_server.store.influx.writer import Writer

log = logging.getLogger(__name__)

LEASE = "store-writer"
LEASE_SECONDS = 30.0
RENEW_EVERY = 5.0
IDLE = 1.0
"""Seconds until it looks again when nothing waited."""

WAIT, WAIT_MOST = 1.0, 60.0
"""Seconds until a store that failed is tried again: twice as many each time, with up to a quarter more."""


class Pauses:
    """How long to wait after one failure after the other; jittered by what tells this server from others."""

    def __init__(self, seed: str, first: float = WAIT, most: float = WAIT_MOST) -> None:
        self._random = random.Random(seed)  # nosec B311 # noqa: S311  no secret
        self._first, self._most = first, most
        self._next = first

    def next(self) -> float:
        """Seconds to wait now."""
        pause = self._next * (1 + self._random.random() / 4)
        self._next = min(self._next * 2, self._most)
        return pause

    def over(self) -> None:
        """It worked."""
        self._next = self._first


def run(config: ServerConfig, stop: threading.Event | None = None) -> None:
    """Writes until `stop` (or SIGTERM). Raises `ConfigError` and `DatabaseError` at start."""
    stop = part.stop_on_signal() if stop is None else stop
    if config.store.kind == "embedded":
        raise ConfigError('store.kind: is "embedded": there is no store beside the database to write to')
    engine = open_database(config.database_url, config.master_key)
    owner, guard, pauses = secrets.token_hex(8), Guard("store writer"), Pauses(config.store.place)
    try:
        while not stop.is_set():
            if guard.attempt(lambda: _hold(engine, owner)):
                guard.attempt(lambda: _write(config, engine, owner, stop, pauses))
            stop.wait(IDLE)
        guard.attempt(lambda: _release(engine, owner))
    finally:
        engine.dispose()


def _write(config: ServerConfig, engine: Engine, owner: str, stop: threading.Event, pauses: Pauses) -> bool:
    """Writes as long as this process holds the lease."""
    writer: Writer | None = None
    renewed, batches = time.monotonic(), Batches()
    with begin_read(engine) as conn:
        me = name(epoch(conn), config.folder)
    try:
        while not stop.is_set():
            if time.monotonic() - renewed >= RENEW_EVERY:
                renewed = time.monotonic()
                if not _hold(engine, owner):
                    return False
            try:
                if writer is None:
                    store = open_engine(config.store)
                    alone = Alone(store, me)
                    writer = _writer(config, engine, store, batches)
                alone.look()
                if not writer.step():
                    stop.wait(IDLE)
                pauses.over()
            except (StoreDownError, LastingError) as error:
                if writer is None:
                    _note(config, engine, str(error))
                else:
                    writer.fail(str(error))
                    writer.close()
                    writer = None  # whoever mends it may put another token into its file
                _pause(str(error), pauses, stop)
    finally:
        if writer is not None:
            writer.close()
    return True


def _writer(config: ServerConfig, engine: Engine, store: StoreEngine, batches: Batches) -> Writer:
    section, listed = config.store, deletions.path_in(config.folder)
    try:
        keeps = section.retention_days
        return Writer(engine, store, section.place, listed, retention_days=keeps, batches=batches)
    except BaseException:
        store.close()
        raise


def _note(config: ServerConfig, engine: Engine, why: str) -> None:
    with begin_write(engine) as conn:
        store_writer.fail(conn, config.store.place, why, time.time())


def _pause(why: str, pauses: Pauses, stop: threading.Event) -> None:
    pause = min(pauses.next(), WAIT_MOST)
    log.warning("the store takes nothing (%s): tried again in %.0f s, nothing is lost meanwhile", why, pause)
    stop.wait(pause)


def _hold(engine: Engine, owner: str) -> bool:
    with begin_write(engine) as conn:
        return lease.hold(conn, LEASE, owner, time.time(), LEASE_SECONDS)


def _release(engine: Engine, owner: str) -> bool:
    with begin_write(engine) as conn:
        lease.release(conn, LEASE, owner)
    return True
