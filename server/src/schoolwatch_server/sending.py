"""Sends to all channels at once, one message at a time to each: one that does not answer delays no other."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import Engine

from schoolwatch_server import notify, texts
from schoolwatch_server.channel_book import Book
from schoolwatch_server.database import deliveries
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.rules import Rule

log = logging.getLogger(__name__)

AT_ONCE = 8

Attempt = Callable[[Callable[[], bool]], object]
"""Runs a step and lets the loop go on when the database can't be used just now."""


@dataclass(slots=True)
class Sender:
    """What one evaluating process has under way."""

    engine: Engine
    words: texts.Texts
    public_url: str
    attempt: Attempt
    stop: threading.Event
    _busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "send"))

    def look(self, book: Book, rules: Sequence[Rule]) -> None:
        """Starts sending to each channel that has something due and is not being sent to already."""
        with begin_read(self.engine) as conn:
            due = deliveries.channels_due(conn, book.addresses.keys(), time.time())
        for channel in due:
            with self._lock:
                if channel in self._busy:
                    continue
                self._busy.add(channel)
            self._pool.submit(self._drain, channel, book.only(channel), rules)

    def close(self) -> None:
        """Waits for what is under way."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _drain(self, channel: str, book: Book, rules: Sequence[Rule]) -> None:
        try:
            while not self.stop.is_set() and self.attempt(
                lambda: notify.send_next(self.engine, book, rules, self.words, self.public_url)
            ):
                pass
        except Exception:
            log.exception("sending to %s", channel)
        finally:
            with self._lock:
                self._busy.discard(channel)
