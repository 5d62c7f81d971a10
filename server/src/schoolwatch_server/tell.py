"""Tells devices their settings: what the registry and the settings file say, retained, when it changed.

One process does it at a time, the one that evaluates. Each batch ends with a number that is retained too:
a broker that holds another one has lost messages or was restored, and everybody is told again.
"""

import hashlib
import itertools
import json
import logging
import threading
import time
from dataclasses import dataclass

import msgspec
from sqlalchemy import Engine, exc

from schoolwatch_contract import settings
from schoolwatch_contract.topics import topic
from schoolwatch_server import advice, targets
from schoolwatch_server.config import ConfigError, ServerConfig
from schoolwatch_server.database import told
from schoolwatch_server.database.engine import begin_read, begin_write, epoch
from schoolwatch_server.database.told import DueRow
from schoolwatch_server.intake.mqtt import Login, Lost, Session
from schoolwatch_server.targets import Targets

log = logging.getLogger(__name__)

CLIENT_ID = "schoolwatch-settings"
BATCH = 500
"""Devices told in one go; a province's 75,000 take 150 of them."""

CHECK_EVERY = 300.0
"""Seconds between two looks whether the broker still knows what it was told."""

LOOK_EVERY, TRY_EVERY = 2.0, 15.0
"""Seconds between two looks for changes, and between two tries when something is in the way."""

_MARK = topic("0" * 32, "settings")
"""Where the number of the last batch is retained: the settings of no device."""

_QUIET_SECONDS = 1.0
_CONFIRM_SECONDS = 30.0


def text_for(wanted: Targets, row: DueRow) -> bytes:
    """The message for one device; empty takes away what the broker held for one that is gone."""
    if not row.here:
        return b""
    said = targets.settings(
        wanted, measures_use=row.role in targets.USED_BY_PUPILS, tests_line=row.tests_line
    )
    said = msgspec.structs.replace(said, renew=row.renew or 0.0)
    return settings.encode(said)


@dataclass(slots=True)
class Teller:
    """What one process remembers between two steps."""

    config: ServerConfig
    engine: Engine
    _checked_at: float = float("-inf")
    _blind: bool = False

    def step(self) -> int:
        """Tells at most one batch; how many devices. Raises `Lost`, `ConfigError`, SQLAlchemy's errors."""
        if not self._is_due():
            return 0
        own = Login.of(self.config)
        session = Session(own, f"{CLIENT_ID}-{_secret(own)}", clean=True)
        try:
            knows = self._blind or self._compare(session)
            return self._tell(session, knows=knows)
        finally:
            session.close()

    def _is_due(self) -> bool:
        wanted = _digest(_every_text(self.config.targets))
        with begin_read(self.engine) as conn:
            known, some = told.targets(conn), bool(told.due(conn, 1))
        if known != wanted:
            with begin_write(self.engine) as conn:
                told.set_targets(conn, wanted)
            some = True
        return some or time.monotonic() - self._checked_at > CHECK_EVERY

    def _compare(self, session: Session) -> bool:
        """Whether the broker holds our number; if not, everybody is due."""
        session.subscribe(_MARK)
        deadline = time.monotonic() + _QUIET_SECONDS
        while not session.waiting and (left := deadline - time.monotonic()) > 0:
            session.read(left)
        held = [one.payload for one in session.waiting]
        session.done(session.waiting)
        session.waiting = []
        with begin_write(self.engine) as conn:
            count = told.passes(conn)
            # a batch whose end was not written down has been told all the same
            knows = bool(held) and held[-1] in {_mark(epoch(conn), n) for n in (count, count + 1)}
            if not knows:
                told.mark_all(conn, forgotten=True)
        if count and not knows:
            log.warning("the broker does not hold the settings it was given: devices are told again")
        self._checked_at = time.monotonic()
        return knows

    def _tell(self, session: Session, *, knows: bool) -> int:
        with begin_read(self.engine) as conn:
            rows = told.due(conn, BATCH)
            count, name = told.passes(conn) + 1, epoch(conn)
        if knows and not rows:
            return 0
        texts = {row.device: text_for(self.config.targets, row) for row in rows}
        digests = {row.device: _digest(texts[row.device]) if row.here else None for row in rows}
        for row in rows:
            if row.digest != digests[row.device]:
                session.publish_retained(topic(row.device, "settings"), texts[row.device])
        session.confirm(_CONFIRM_SECONDS)
        session.publish_retained(_MARK, _mark(name, count))
        session.confirm(_CONFIRM_SECONDS)
        with begin_write(self.engine) as conn:
            told.told(conn, [(row, digests[row.device]) for row in rows])
            told.set_passes(conn, count)
        self._listen(session)
        return len(rows)

    def _listen(self, session: Session) -> None:
        """The number comes back to who has subscribed to it, unless the broker's rules are older than us."""
        if self._blind:
            return
        deadline = time.monotonic() + _QUIET_SECONDS
        while not session.waiting and (left := deadline - time.monotonic()) > 0:
            session.read(left)
        if not session.waiting:
            self._blind = True
            log.warning("the broker does not let the server read %s: what it forgets is not noticed", _MARK)


def run(teller: Teller, stop: threading.Event, leading: threading.Event) -> None:
    """Tells until `stop`, while this process leads; trouble is said once and tried again."""
    said = ""
    while not stop.is_set():
        more = 0
        if leading.is_set():
            try:
                more, trouble = teller.step(), ""
            except (Lost, ConfigError, OSError, exc.SQLAlchemyError) as error:
                trouble = advice.line(error)
            if trouble and trouble != said:
                log.warning("settings wait to be told: %s", trouble)
            said = trouble
        stop.wait(TRY_EVERY if said else 0.0 if more else LOOK_EVERY)


def _every_text(wanted: Targets) -> bytes:
    """What there is to tell anybody: when it changes, by server.toml or by an upgrade, all are due."""
    kinds = itertools.product((False, True), repeat=2)
    said = (targets.settings(wanted, measures_use=use, tests_line=line) for use, line in kinds)
    return b"\n".join(settings.encode(each) for each in said)


def _mark(name: str, count: int) -> bytes:
    return json.dumps({"epoch": name, "told": count}).encode()


def _digest(text: bytes) -> str:
    return hashlib.blake2s(text, digest_size=16).hexdigest()


def _secret(own: Login) -> str:
    """A client id that nobody else knows, as intake's: whoever knows one can push it off the line."""
    return hashlib.sha256(f"client id {own.password}".encode()).hexdigest()[:16]
