"""The evaluating process: rules over the journal, notifications, indicators, rollups and retention.

Eight loops: rules (the main one, twice a second), watches, notifications, reminders, the sign of life, the
settings of devices and the look at schools' sites (these wait for other machines), and chores that may take
long. All but notifications and reminders run only while this process holds the lease; without it, all of them
would still do no harm, as each write says what it found before.
"""

import logging
import secrets
import threading
import time
from dataclasses import dataclass, field

from sqlalchemy import Engine

from schoolwatch_server import (
    alert_push,
    chores,
    dead_man,
    exercises,
    incidents,
    messages,
    notify,
    part,
    reminders,
    rule_changes,
    sending,
    site_rounds,
    tell,
    texts,
    watching,
)
from schoolwatch_server.backup import since
from schoolwatch_server.channel_book import Channels
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import incidents as kept
from schoolwatch_server.database import journal, lease, store_writer
from schoolwatch_server.database.changes import Changes
from schoolwatch_server.database.engine import begin_write, open_database
from schoolwatch_server.guard import Guard
from schoolwatch_server.rules.told import Given
from schoolwatch_server.sheets import PackSheets, RuleSheets, packs_in_force, rules_in_force

log = logging.getLogger(__name__)

LEASE = "evaluate"
LEASE_SECONDS = 10.0
RENEW_EVERY = 3.0
LOOK_EVERY = 0.5
"""Seconds between two looks at a journal that had nothing new, when nobody said that there is."""

LINGER = 0.1
"""Seconds in which more may come: under load a look costs a commit, and those of intake wait for it."""

SEND_EVERY = 1.0
"""Seconds after which the outbox is looked at, when no incident did it."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What all loops share."""

    config: ServerConfig
    engine: Engine
    rules: RuleSheets
    packs: PackSheets
    channels: Channels
    stop: threading.Event
    withdrawing: rule_changes.Withdrawing = field(default_factory=rule_changes.Withdrawing)
    leading: threading.Event = field(default_factory=threading.Event)
    news: threading.Event = field(default_factory=threading.Event)  # there may be something to send
    owner: str = field(default_factory=lambda: secrets.token_hex(8))


def run(config: ServerConfig, stop: threading.Event | None = None) -> None:
    """Evaluates until `stop` (or SIGTERM). Raises `DatabaseError` and `SheetError` at start."""
    stop = part.stop_on_signal() if stop is None else stop
    rules_in_force(config)  # a mistake in a file is said before anything else
    engine = open_database(config.database_url, config.master_key)
    rules = rules_in_force(config, engine)
    packs = packs_in_force(config, engine)
    work = _Work(config, engine, rules, packs, Channels(config, engine), stop)
    part.sweep_seldom()
    others = [
        threading.Thread(target=_notifications, args=(work,), name="notifications"),
        threading.Thread(target=_reminders, args=(work,), name="reminders"),
        threading.Thread(target=_chores, args=(work,), name="chores"),
        threading.Thread(target=_watches, args=(work,), name="watches"),
        threading.Thread(target=dead_man.run, args=(engine, stop, work.leading), name="signs"),
        threading.Thread(
            target=tell.run, args=(tell.Teller(config, engine), stop, work.leading), name="settings"
        ),
    ]
    if config.sites.enabled:
        rounds = site_rounds.Rounds(config, engine)
        others.append(
            threading.Thread(target=site_rounds.run, args=(rounds, stop, work.leading), name="sites")
        )
    try:
        for thread in others:
            thread.start()
        _rules(work, others)
    finally:
        stop.set()
        work.news.set()
        for thread in others:
            thread.join()
        if work.leading.is_set():
            Guard("lease").attempt(lambda: _release(work))
        engine.dispose()


# --- the loops ----------------------------------------------------------------------------------------


def _rules(work: _Work, others: list[threading.Thread]) -> None:
    """Renews the lease, says that it is alive, and judges what is new in the journal."""
    renewed = 0.0
    guard, changes = Guard("rules"), Changes(work.engine)
    while not work.stop.is_set():
        if not all(thread.is_alive() for thread in others):
            raise RuntimeError("a loop of evaluate has ended; the log says why")
        if time.monotonic() - renewed >= RENEW_EVERY:
            renewed = time.monotonic()
            if not guard.attempt(lambda: _renew(work)):
                work.leading.clear()  # whoever can reach the database may lead
        read = guard.attempt(lambda: _judge(work)) if work.leading.is_set() else None
        if not read:
            changes.wait(work.stop, LOOK_EVERY)
        elif read < incidents.BATCH:
            work.stop.wait(LINGER)
    changes.close()


def _watches(work: _Work) -> None:
    """Looks at what no report of a device says."""
    guard = Guard("watches")
    looked: dict[str, float] = {}
    while not work.stop.is_set():
        if work.leading.is_set():
            guard.attempt(lambda: _look(work, looked))
        work.stop.wait(work.config.evaluation.watch_every)


def _notifications(work: _Work) -> None:
    """Sends what is due of incidents, to each channel by itself."""
    words = texts.load()
    url = messages.public_url(work.config)
    guard = Guard("notifications")
    sender = sending.Sender(work.engine, words, url, guard.attempt, work.stop)
    pusher = alert_push.Pusher(work.engine, words, url, guard.attempt)
    try:
        while not work.stop.is_set():
            guard.attempt(lambda: _send(work, sender, pusher))
            work.news.wait(SEND_EVERY)
            work.news.clear()
    finally:
        sender.close()
        pusher.close()


def _reminders(work: _Work) -> None:
    """Sends reminders, one at a time: a channel that does not answer them holds up no incident."""
    words, url = texts.load(), messages.public_url(work.config)
    guard = Guard("reminders")

    def send() -> bool:
        return reminders.send_next(work.engine, work.channels.now().everybodys, words, url)

    while not work.stop.wait(SEND_EVERY):
        while not work.stop.is_set() and guard.attempt(send):
            pass


def _send(work: _Work, sender: sending.Sender, pusher: alert_push.Pusher) -> bool:
    book = work.channels.now()
    if work.leading.is_set():
        notify.climb(work.engine, book.everybodys.keys(), time.time())
        exercises.end_due(work.engine, time.time())
    rules = work.rules.now().at(time.time())
    sender.look(book, rules)
    if work.leading.is_set():
        pusher.look(book.alertmanagers, rules)
    return True


def _chores(work: _Work) -> None:
    """What is done every so often."""
    due = chores.Chores(work.config, work.engine, work.packs, work.rules, work.channels)
    while not work.stop.wait(LOOK_EVERY):
        if not work.leading.is_set():
            due.forget()
        due.look(lambda: work.leading.is_set() and not work.stop.is_set())


# --- their steps --------------------------------------------------------------------------------------


def _renew(work: _Work) -> bool:
    now = time.time()
    with begin_write(work.engine) as conn:
        mine = lease.hold(conn, LEASE, work.owner, now, LEASE_SECONDS)
        if mine:
            journal.create_cursor(conn, incidents.CURSOR, now)
            if work.config.store.kind == "embedded":
                store_writer.forget(conn)
            kept.touch_cursor(conn, incidents.CURSOR, now)
    if mine and not work.leading.is_set():
        since.look(work.config, work.engine)  # whatever way an older database got here
        log.info("evaluating %s", work.config.folder)
        work.leading.set()
    return mine


def _judge(work: _Work) -> int:
    book, now = work.rules.now(), time.time()
    work.withdrawing.look(work.engine, book, now)
    channels_now = work.channels.now().everybodys.keys()
    local = work.packs.now().local
    given = Given(local.issued, local.systems)
    return incidents.judge_next(work.engine, book, channels_now, now, given, told=work.news.set)


def _look(work: _Work, looked: dict[str, float]) -> int:
    now = time.time()
    rules = work.rules.now().at(now)
    channels_now = work.channels.now().everybodys.keys()
    changed = watching.look(work.engine, work.config, rules, work.packs.now(), channels_now, looked, now)
    changed += incidents.judge_quiet(work.engine, rules, channels_now, now)
    if changed:
        work.news.set()
    return changed


def _release(work: _Work) -> bool:
    with begin_write(work.engine) as conn:
        lease.release(conn, LEASE, work.owner)
    return True
