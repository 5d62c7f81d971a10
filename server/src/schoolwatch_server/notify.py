"""Makes messages of what the outbox holds and sends them; tries again ever more slowly.

A message is claimed in the database before it is sent, and what became of it is written afterwards. Who is
killed between the two leaves a message of which nobody knows whether it arrived. A program gets it again with
the same id, and drops the second copy by it. People have no such means: they are asked whether it came, and
told how its incidents stand now. Nothing is lost, and nobody gets the same message twice.
"""

import logging
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

from sqlalchemy import Engine

from schoolwatch_server import alert_push, channels, texts
from schoolwatch_server.channel_book import Book
from schoolwatch_server.database import channel_rows, deliveries, escalations, told_of
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.told_of import Due
from schoolwatch_server.duty.fold import fold
from schoolwatch_server.messages import message
from schoolwatch_server.rules import Rule
from schoolwatch_server.short_answers import may_have_come

log = logging.getLogger(__name__)

CLAIMED = 120.0
"""Seconds that a sender has to itself; after a kill in the middle another one sends again then."""

FIRST_PAUSE = 15.0
LONGEST_PAUSE = 3600.0
REFUSED_PAUSE = 600.0
"""The longest where surely nobody got it: what is new waits behind it, and trying rings nobody's phone."""

ATTEMPTS = 36
GIVEN_UP_AFTER = 30 * 3600.0
"""After so many attempts and seconds a notification is given up, and its incidents say so: the attempts alone
may take 6 hours, and the clock alone may have jumped."""

QUESTIONS = 3
"""Questions about a message that a service takes without an answer which follow as attempts do.

Then it is one an hour, and none about what somebody has taken or what is over: each may have rung a phone.
"""


def pause(attempts: int, longest: float = LONGEST_PAUSE) -> float:
    """Seconds until the next attempt after that many failed ones: 15, 30, 60 … at most `longest`."""
    return float(min(longest, FIRST_PAUSE * 2 ** min(attempts - 1, 20)))


def make(engine: Engine, names: Collection[str], now: float, attacks: Collection[str] = ()) -> int:
    """Puts what is due for these channels into messages; how many are new. `attacks` are rules of such."""
    with begin_read(engine) as conn:
        waiting = deliveries.channels_waiting(conn, names, now)
    count = 0
    for channel in waiting:
        with suppress(deliveries.TakenError), begin_write(engine) as conn:
            rows = deliveries.waiting(conn, channel, now, attacks)
            batches = fold(rows, deliveries.made(conn, channel, now), now)
            for batch in batches:
                deliveries.make(conn, channel, batch, now)
            count += len(batches)
    return count


def climb(engine: Engine, everybody: Collection[str], now: float) -> int:
    """Tells the next step of incidents that nobody acknowledged in time; how many there were."""
    with begin_read(engine) as conn:
        found = escalations.due(conn, now)
    for incident in found:
        with begin_write(engine) as conn:
            escalations.climb(conn, incident, everybody, now)
    return len(found)


def send_next(
    engine: Engine,
    book: Book,
    rules: Sequence[Rule],
    words: texts.Texts,
    public_url: str,
    now: float | None = None,
) -> bool:
    """Sends the next message that is due; False when there is none. No transaction is held meanwhile."""
    at = time.time() if now is None else now
    if not book.addresses:
        return False
    made = make(engine, book.addresses.keys(), at, {rule.id for rule in rules if rule.is_attack})
    with begin_read(engine) as conn:
        found = deliveries.next_due(conn, book.addresses.keys(), at)
    if found is None:
        return made > 0
    with begin_write(engine) as conn:
        due = deliveries.claim(conn, found, at, at + CLAIMED)
        told = () if due is None else told_of.of_delivery(conn, due.id, at)
    if due is None:
        return True  # another sender took it; there may be more
    error, address = "its incidents are gone", book.addresses[due.channel]
    was_asked = due.may_be_second and not channels.drops_copies(address)
    if told:
        known, language = {rule.id: rule for rule in rules}, book.language(due.channel)
        drops = channels.drops_copies(address)
        title, body = message(due, told, known, words, public_url, language, drops_copies=drops)
        error = channels.deliver(address, title, body, due.nonce, told[0].thread)
    at = time.time() if now is None else now
    may_have_rung = was_asked and may_have_come(error)
    is_given_up = due.attempts >= ATTEMPTS and at - due.made_at >= GIVEN_UP_AFTER
    is_over = not told or is_given_up or (may_have_rung and _is_seen_to(told))
    later = (
        LONGEST_PAUSE if may_have_rung and due.attempts > QUESTIONS else pause(due.attempts, REFUSED_PAUSE)
    )
    with begin_write(engine) as conn:
        if error:
            deliveries.failed(conn, due, error, None if is_over else at + later, at)
        else:
            deliveries.sent(conn, due, at)
        channel_rows.noted(conn, due.channel, error if told else "", at)
    if error:
        log.warning("message %d: %s: %s (attempt %d)", due.id, due.channel, error, due.attempts)
    return True


def _is_seen_to(told: Sequence[Due]) -> bool:
    return all(one.acknowledged_at is not None or one.closed_at is not None for one in told)


def send_test(address: str, language: texts.Language = "vi") -> str:
    """Sends a test message: empty when it was taken, else why not."""
    words = texts.load()
    if channels.is_alertmanager(address):
        return alert_push.send_trial(address, words, language)
    title, body = words.get(language, "notify.test.title"), words.get(language, "notify.test.body")
    return channels.deliver(address, title, body)
