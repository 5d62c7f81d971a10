"""What the evaluating process does every so often: indicators, rollups, reminders, retention, backups."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Engine

from schoolwatch_server import (
    audit_checkpoints,
    audit_log,
    known_network,
    needs_kept,
    people,
    reminders,
    serious_reminders,
    watching,
)
from schoolwatch_server.backup import leftovers, since
from schoolwatch_server.backup.schedule import Scheduled
from schoolwatch_server.channel_book import Channels
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import forgetting, retention, rollups, room_use
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.guard import Guard
from schoolwatch_server.indicators import series
from schoolwatch_server.indicators.current import Everywhere
from schoolwatch_server.packs.asked import questions
from schoolwatch_server.reports import punctuality
from schoolwatch_server.sheets import PackSheets, RuleSheets
from schoolwatch_server.standings import posture, targets
from schoolwatch_server.standings.keeping import Standings
from schoolwatch_server.store.names import POSTURE
from schoolwatch_server.store.series import Judged
from schoolwatch_server.terms import CONFIGURED

log = logging.getLogger(__name__)

MINUTE = 60.0
HOUR = 3600.0
HEARINGS_EVERY = 300.0
BACKUP_EVERY = 30.0
REMIND_EVERY = 600.0
HEALTH_EVERY = 600.0
"""Seconds between two points of the server's own health, of which 25 numbers are kept for years."""

AUDIT_EVERY = 60.0
"""Seconds for which the end of the audit log may be known to nobody but the database."""


@dataclass(slots=True)
class _Chore:
    """Something to do every so many seconds."""

    every: float
    do: Callable[[], int]
    due: float = 0.0


class Chores:
    """All of them, each in its time; one that breaks is tried again at its next."""

    def __init__(
        self,
        config: ServerConfig,
        engine: Engine,
        packs: PackSheets,
        rules: RuleSheets,
        channels: Channels,
    ) -> None:
        self._config, self._engine, self._packs, self._channels = config, engine, packs, channels
        self._judged: series.Written = {}
        self._on_time: series.Written = {}
        self._rules, self._standings = rules, Standings(engine, (self._judged, self._on_time))
        self._aimed = 0.0
        self._guard = Guard("chores")
        self._plan = self._planned()

    def forget(self) -> None:
        """What was written is not known any more: somebody else may write now."""
        self._judged.clear()
        self._aimed = 0.0
        self._on_time.clear()
        self._standings.forget()

    def look(self, may: Callable[[], bool]) -> None:
        """Does what is due, while one may."""
        for chore in self._plan:
            if time.monotonic() >= chore.due and may():
                chore.due = time.monotonic() + chore.every
                self._guard.attempt(chore.do)

    def _planned(self) -> tuple[_Chore, ...]:
        config, engine = self._config, self._engine
        days = retention.Kept({name: config.retention.days(name) for name in CONFIGURED})
        return (
            _Chore(config.evaluation.every, self._judge),
            _Chore(config.evaluation.every, self._note_punctuality),
            _Chore(config.evaluation.every, self._note_open),
            *(_Chore(config.evaluation.every, do) for do in self._hourly()),
            _Chore(MINUTE, self._note_marks),
            _Chore(MINUTE, lambda: rollups.run_once(engine, time.time())),
            _Chore(HEARINGS_EVERY, self._if_believed(lambda now: watching.note(engine, now))),
            _Chore(MINUTE, lambda: room_use.sum_weeks(engine, time.time())),
            _Chore(HOUR, self._if_believed(lambda now: people.switch_off_idle(engine, now, config.people))),
            _Chore(AUDIT_EVERY, self._note_audit),
            _Chore(REMIND_EVERY, lambda: reminders.put_due(engine, self._everybody(), time.time())),
            _Chore(MINUTE, lambda: serious_reminders.put_due(engine, self._everybody(), time.time())),
            _Chore(HOUR, self._if_believed(self._forget_unseen)),
            _Chore(HOUR, self._if_believed(lambda now: retention.prune(engine, now, days))),
            _Chore(HOUR, lambda: leftovers.forget(config.folder, time.time())),
            _Chore(BACKUP_EVERY, Scheduled(config).look),
        )

    def _everybody(self) -> tuple[str, ...]:
        return tuple(self._channels.now().everybodys)

    def _judge(self) -> int:
        each = self._config.evaluation.indicators_every
        packs = self._packs.now()
        if not self._judged:
            with begin_read(self._engine) as conn:
                series.seed(conn, POSTURE, self._judged)

        now = time.time()
        hour = now // each * each // HOUR

        def more(every: Everywhere, at: float) -> Iterator[Judged]:
            yield from needs_kept.rows(every, at)
            yield from series.without_idle(posture.rows(every, at), self._judged)
            if hour != self._aimed:  # it takes as long as judging all communes and provinces again
                yield from targets.rows(every, at)

        wrote = series.write(self._engine, packs, now, each, self._judged, more)
        self._aimed = hour  # what broke before that is tried again
        return wrote

    def _note_open(self) -> int:
        """Before all other standings: they look at what this has read."""
        each, now = self._config.evaluation.indicators_every, time.time()
        return self._standings.note_open(self._rules.now().at(now), now, each)

    def _hourly(self) -> tuple[Callable[[], int], ...]:
        """The other standings, each by itself: one that breaks holds up none of them."""
        noted, rules, packs = self._standings, self._rules, self._packs
        health = max(self._config.evaluation.indicators_every, HEALTH_EVERY)
        return (
            lambda: noted.note_hour(time.time()),
            lambda: noted.note_schools(tuple(questions(packs.now()).values()), time.time()),
            lambda: noted.note_lines(rules.now().at(time.time()), packs.now(), time.time()),
            lambda: noted.note_lans(rules.now().at(time.time()), packs.now(), time.time()),
            lambda: noted.note_server(time.time(), health),
        )

    def _if_believed(self, do: Callable[[float], int]) -> Callable[[], int]:
        """What forgets by the clock, or is spoilt for months by a wrong one, waits until it is believed."""

        def attempt() -> int:
            now = time.time()
            return do(now) if forgetting.may_forget(self._engine, now) else 0

        return attempt

    def _forget_unseen(self, now: float) -> int:
        return known_network.expire(self._engine, self._rules.now().at(now), now)

    def _note_marks(self) -> int:
        now = time.time()
        return self._standings.note_marks(self._rules.now().at(now), now)

    def _note_punctuality(self) -> int:
        each = self._config.evaluation.indicators_every
        return punctuality.write(self._engine, time.time(), each, self._on_time)

    def _note_audit(self) -> bool:
        since.note(self._engine, self._config.folder)
        try:
            return audit_log.note(self._engine, self._config.folder, time.time())
        except audit_checkpoints.CheckpointsError as error:
            log.error("%s", error)  # noqa: TRY400  the line says all
            return False
