"""Sends what the outbox holds, at least once to each channel, and tries again ever more slowly."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Engine

from schoolwatch_server import channels, texts
from schoolwatch_server.database import notifications
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.messages import message
from schoolwatch_server.rules import Rule

log = logging.getLogger(__name__)

CLAIMED = 120.0
"""Seconds that a sender has to itself; after a kill in the middle another one sends again then."""

FIRST_PAUSE = 15.0
LONGEST_PAUSE = 3600.0
ATTEMPTS = 36
"""About 30 hours of trying; then the notification is given up, and its incident says so."""


def pause(attempts: int) -> float:
    """Seconds until the next attempt after that many failed ones: 15, 30, 60 … at most an hour."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts - 1, 20)))


def send_next(
    engine: Engine,
    addresses: Mapping[str, str],
    rules: Sequence[Rule],
    words: texts.Texts,
    public_url: str,
) -> bool:
    """Sends the next notification that is due; False when there is none. No transaction is held meanwhile."""
    now = time.time()
    if not addresses:
        return False
    with begin_read(engine) as conn:
        found = notifications.next_due(conn, addresses.keys(), now)
    if found is None:
        return False
    with begin_write(engine) as conn:
        due = notifications.claim(conn, found, now, now + CLAIMED)
    if due is None:
        return True  # another sender took it; there may be more
    title, body = message(due, {rule.id: rule for rule in rules}, words, public_url)
    error = channels.deliver(addresses[due.channel], title, body)
    now = time.time()
    with begin_write(engine) as conn:
        if not error:
            notifications.sent(conn, due, now)
        else:
            again_at = now + pause(due.attempts) if due.attempts < ATTEMPTS else None
            notifications.failed(conn, due, error, again_at, now)
    if error:
        log.warning("incident %d: %s: %s (attempt %d)", due.incident_id, due.channel, error, due.attempts)
    return True


def send_test(urls_file: Path | None, language: texts.Language = "vi") -> dict[str, str]:
    """Sends a test message to every channel: name → "" when it was taken, else why not.

    Raises `channels.ChannelError` when the file of addresses can't be used.
    """
    words = texts.load()
    title, body = words.get(language, "notify.test.title"), words.get(language, "notify.test.body")
    found = channels.read(urls_file)
    return {name: channels.deliver(address, title, body) for name, address in found.items()}
