"""Tells open consoles that incidents have changed: server-sent events (HTML standard, section 9.2).

One look at the database serves all of them, and none is made while nobody listens. A console is told which
incidents of its own scope something happened to, and how many are open; what they say it then asks for as
any page does. Every few seconds it is told that looking still works: silence means that what it shows is old.
"""

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from schoolwatch_server import incidents
from schoolwatch_server.access import Principal
from schoolwatch_server.database import incident_news
from schoolwatch_server.database.changes import Changes
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.incident_news import Waiting
from schoolwatch_server.scope import Scope

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25
"""Seconds between two looks at whether something was written."""

ALIVE_EVERY = 5.0
"""Seconds between two signs of life; a console that misses several says that its connection is lost."""

AGAIN_AFTER = 5.0
"""Seconds after which a browser connects anew."""

PER_ACCOUNT = 12
"""Streams of one account: windows, a phone, a wall screen; a browser's tab in the background has none."""

MOST = 200
"""Streams of one server."""

RETRY = 30
"""Seconds for which a console that found no place waits."""


class FullError(Exception):
    """There is no place for a further stream now."""


@dataclass(frozen=True, slots=True)
class _News:
    """What is so in one scope: the newest event, what is open, and the incidents that changed."""

    upto: int
    waiting: Waiting
    ids: tuple[int, ...] = ()


@dataclass(eq=False, slots=True)
class Stream:
    """One console that listens; `last` is the newest event that it knew when it came.

    What it has not been told yet is kept together, so it can't pile up.
    """

    name: str
    scope: Scope
    last: int | None
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    news: _News | None = None
    ids: set[int] = field(default_factory=set)

    def hear(self, news: _News) -> None:
        """Keeps what is new until it is told."""
        self.news = news
        if len(self.ids) < incident_news.MOST:
            self.ids.update(news.ids)
        self.woken.set()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look found: for each scope in which something happened, and for each who had just come."""

    upto: int
    judged_at: float | None
    of_scopes: dict[Scope, _News]
    of_new: dict[Stream, _News]


class Live:
    """All streams of one server, and the one who looks for them. Belongs to the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._streams: list[Stream] = []
        self._watching: asyncio.Task[None] | None = None
        self._upto = 0
        self._looked_at = 0.0
        self._judged_at: float | None = None
        self._ended = False

    def check(self, who: Principal) -> None:
        """Raises `FullError` when there is no place for a further stream of who asks."""
        mine = Counter(stream.name for stream in self._streams)[_name(who)]
        if self._ended or len(self._streams) >= MOST or mine >= PER_ACCOUNT:
            raise FullError

    async def events(
        self, who: Principal, last: int | None, still: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """What goes over the line. Before anything is told, `still` says whether it still may be."""
        stream = Stream(_name(who), who.scope, last)
        self._streams.append(stream)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.get_running_loop().create_task(self._watch())
        try:
            yield f"retry: {int(AGAIN_AFTER * 1000)}\n\n".encode()
            while True:
                is_news = await _within(stream.woken, ALIVE_EVERY)
                if self._ended or not self._is_looking:
                    return  # who listens sees that the line is cut, and comes again
                if not await run_in_threadpool(still):
                    yield b"event: ended\ndata: {}\n\n"
                    return
                yield self._changed(stream) if is_news else _event("alive", {"judged": self._judged})
        except SQLAlchemyError:
            return  # nobody can say just now who may listen
        finally:
            self._streams.remove(stream)

    def end(self) -> None:
        """Ends all streams: the server stops."""
        self._ended = True
        for stream in self._streams:
            stream.woken.set()

    @property
    def _is_looking(self) -> bool:
        """Whether the database could be looked at lately: without that nobody is told that all is well."""
        return time.monotonic() - self._looked_at < 2 * ALIVE_EVERY

    @property
    def _judged(self) -> float | None:
        """Seconds since whoever judges reports last said that it is alive."""
        return None if self._judged_at is None else round(max(0.0, time.time() - self._judged_at), 1)

    def _changed(self, stream: Stream) -> bytes:
        stream.woken.clear()
        news, ids = stream.news, sorted(stream.ids, reverse=True)
        assert news is not None
        stream.ids.clear()
        data = {
            "incidents": ids[: incident_news.MOST],
            "open": news.waiting.open,
            "unacknowledged": news.waiting.unacknowledged,
            "judged": self._judged,
        }
        return f"id: {news.upto}\n".encode() + _event("incidents", data)

    async def _watch(self) -> None:
        """Looks as long as somebody listens."""
        changes, is_failing = Changes(self._engine), False
        self._upto = 0
        try:
            while self._streams and not self._ended:
                new = [stream for stream in self._streams if stream.news is None]
                is_due = time.monotonic() - self._looked_at >= ALIVE_EVERY / 2
                if changes.seen() or new or is_due:
                    old = {stream.scope for stream in self._streams if stream.news is not None}
                    try:
                        self._tell(await run_in_threadpool(self._look, old, new))
                        is_failing = False
                    except SQLAlchemyError as error:
                        if not is_failing:
                            log.warning("open consoles can't be told: %s", type(error).__name__)
                        is_failing = True
                await asyncio.sleep(LOOK_EVERY)
        finally:
            changes.close()

    def _look(self, scopes: set[Scope], new: Sequence[Stream]) -> _Seen:
        """One query for all who share a scope; who has just come is told what it missed since its `last`."""
        with begin_read(self._engine) as conn:
            upto = incident_news.newest(conn)
            of_scopes, of_new = {}, {}
            for scope in scopes if upto > self._upto else ():
                ids = incident_news.happened(conn, scope, self._upto, upto)
                if ids:
                    of_scopes[scope] = _News(upto, incident_news.waiting(conn, scope), ids)
            for stream in new:
                last = upto if stream.last is None else stream.last
                missed = incident_news.happened(conn, stream.scope, last if last <= upto else 0, upto)
                of_new[stream] = _News(upto, incident_news.waiting(conn, stream.scope), missed)
            judged_at = incident_news.judged_at(conn, incidents.CURSOR)
        return _Seen(upto, judged_at, of_scopes, of_new)

    def _tell(self, seen: _Seen) -> None:
        self._upto, self._judged_at, self._looked_at = seen.upto, seen.judged_at, time.monotonic()
        for stream in self._streams:
            news = seen.of_new.get(stream) or seen.of_scopes.get(stream.scope)
            if news is not None and (stream.news is not None or stream in seen.of_new):
                stream.hear(news)


def _name(who: Principal) -> str:
    return f"{who.kind} {who.name}"


def _event(kind: str, data: dict[str, object]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
