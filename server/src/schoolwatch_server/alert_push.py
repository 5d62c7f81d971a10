"""Tells Alertmanagers of incidents: what is new within seconds, and all of it each minute.

Nothing is kept of what was told: an Alertmanager that was started anew, or a server that was, is told of all
that is open, and of what ended in the last quarter of an hour. One that does not answer holds up no other.
"""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Engine

from schoolwatch_server import alertmanager, texts
from schoolwatch_server.alertmanager import Alert, Said, Told
from schoolwatch_server.database import channel_rows, incident_alerts, simulated
from schoolwatch_server.database.channel_rows import Opened
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules import Rule
from schoolwatch_server.serious.evidence import about_in_words
from schoolwatch_server.texts import Language

log = logging.getLogger(__name__)

PART = 1000
"""Incidents that are read at once."""

TIMEOUT = 10.0
AT_ONCE = 4

REST = 4
"""Times as long as the processor was busy with it, nothing is read again: a storm takes a fifth of one. What
takes longer than half a minute is told again sooner, or all would end meanwhile."""

Attempt = Callable[[Callable[[], bool]], object]
"""Runs a step and lets the loop go on when the database can't be used just now."""


_Held = dict[bytes, tuple[bytes, bytes]]


@dataclass(slots=True)
class _Line:
    """What one Alertmanager was told since this process began, and when it may be told more."""

    address: str
    told: _Held = field(default_factory=dict)
    """What it is known by → its digest and the alert in short, of those that were open."""
    lasts: float = alertmanager.LASTS
    """Seconds that an open one holds: of very many, until all of them were told again."""
    event: int = -1
    whole_at: float = float("-inf")
    failures: int = 0
    next_at: float = float("-inf")

    def wake(self, now: float) -> None:
        """Waits for nothing more where the clock was set back: it would for as long as that was ahead."""
        if self.whole_at > now or self.next_at > now + alertmanager.LASTS:
            self.whole_at = self.next_at = float("-inf")


@dataclass(slots=True)
class Pusher:
    """What one evaluating process has under way."""

    engine: Engine
    words: texts.Texts
    public_url: str
    attempt: Attempt
    _lines: dict[str, _Line] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "alerts"))

    def look(self, channels: Sequence[Opened], rules: Collection[Rule], now: float | None = None) -> None:
        """Starts telling each Alertmanager for which there is something new, or that is due."""
        if not channels:
            self._lines.clear()
            return
        at = time.time() if now is None else now
        with begin_read(self.engine) as conn:
            event = incident_alerts.newest_event(conn)
        held = {one.key: one for one in channels}
        self._lines = {
            key: line
            for key, line in self._lines.items()
            if key in held and line.address == held[key].address
        }
        known = {rule.id: rule for rule in rules}
        for one in channels:
            line = self._lines.setdefault(one.key, _Line(one.address))
            line.wake(at)
            is_due = event != line.event or at - line.whole_at >= alertmanager.RESEND
            if not is_due or at < line.next_at:
                continue
            with self._lock:
                if one.key in self._busy:
                    continue
                self._busy.add(one.key)
            self._pool.submit(self._tell, one, line, known, event, now)

    def close(self) -> None:
        """Waits for what is under way."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _tell(
        self, to: Opened, line: _Line, rules: Mapping[str, Rule], event: int, now: float | None
    ) -> None:
        try:
            self.attempt(lambda: self._push(to, line, rules, event, time.time() if now is None else now))
        except Exception:
            log.exception("alerts to %s", to.key)
            line.next_at = time.time() + alertmanager.LASTS
        finally:
            with self._lock:
                self._busy.discard(to.key)

    def _push(self, to: Opened, line: _Line, rules: Mapping[str, Rule], event: int, now: float) -> bool:
        """Sends all when that is due, else what is new; whether it was taken."""
        began, worked = time.monotonic(), time.thread_time()
        is_whole = now - line.whole_at >= alertmanager.RESEND
        open_: _Held = {}
        alerts = self._alerts(to, line, rules, open_, lambda: now + time.monotonic() - began, is_whole)
        count, error = _send(alertmanager.target(to.address), alerts)
        if is_whole and not count and not error:  # that nothing is open is told too: whether it is taken
            error = post(alertmanager.target(to.address), [])
        took, worked = time.monotonic() - began, time.thread_time() - worked
        line.next_at = now + took + max(0.0, min(REST * worked, alertmanager.LASTS / 2 - took))
        if count or is_whole or error:
            with begin_write(self.engine) as conn:
                channel_rows.noted(conn, to.key, error, now)
        if error:
            line.failures += 1
            line.next_at = now + alertmanager.pause(line.failures)
            line.whole_at = float("-inf")
            log.warning("alerts to %s: %s (failed %d times)", to.key, error, line.failures)
            return False
        line.told, line.event, line.failures = open_, event, 0
        line.whole_at = now if is_whole else line.whole_at
        line.lasts = max(alertmanager.LASTS, 3 * took)
        return True

    def _alerts(
        self,
        to: Opened,
        line: _Line,
        rules: Mapping[str, Rule],
        open_: _Held,
        clock: Callable[[], float],
        is_whole: bool,
    ) -> Iterator[Alert]:
        """What is to be told, read in parts: of a great storm never all is in memory. Notes what is open."""
        said: set[bytes] = set()
        with begin_read(self.engine) as conn:
            numbers = incident_alerts.numbers(conn, to.scope, clock() - alertmanager.RESOLVED_FOR)
            made_up = simulated.is_simulated(conn)
        for start in range(0, len(numbers), PART):
            with begin_read(self.engine) as conn:
                found = incident_alerts.told(conn, to.scope, numbers[start : start + PART])
            for one in found:
                until = clock() + line.lasts
                alert = self._alert(one, rules, to.language, until, made_up=made_up)
                key, is_open = alertmanager.key(alert), one.closed_at is None
                digest, before = alertmanager.digest(alert, is_open=is_open), line.told.get(key)
                if is_open:
                    is_same = before is not None and before[0] == digest
                    open_[key] = before if is_same and before else (digest, alertmanager.short(alert))
                if is_whole or (is_open if before is None else before[0] != digest):
                    said.add(key)
                    yield alert
        for key, (_, old) in line.told.items():
            if key not in open_ and key not in said:
                yield alertmanager.ended(old, clock())

    def _alert(
        self, told: Told, rules: Mapping[str, Rule], language: Language, until: float, *, made_up: bool
    ) -> Alert:
        said = {one: _said(told, rules.get(told.rule), self.words, one) for one in texts.LANGUAGES}
        summary = " – ".join(part for part in (said[language].title, told.where) if part)
        if told.is_exercise:
            summary = self.words.get(language, "notify.exercise", title=summary)
        return alertmanager.alert(
            told, said["vi"], said["en"],
            summary=summary, public_url=self.public_url, until=until, is_simulated=made_up,
        )  # fmt: skip


def _send(target: alertmanager.Target, alerts: Iterable[Alert]) -> tuple[int, str]:
    """Sends them part by part; how many went out, and why no more did."""
    count, every = 0, iter(alerts)
    while part := list(islice(every, alertmanager.TOGETHER)):
        error = post(target, part)
        if error:
            return count, error
        count += len(part)
    return count, ""


def post(target: alertmanager.Target, alerts: Sequence[Alert]) -> str:
    """Sends alerts: empty when they were taken, else why not, without the address in it.

    What is said beside the status is not read: one who goes on for ever would keep a thread, and our end.
    """
    import httpx  # a server that tells no Alertmanager needn't hold it in memory

    headers = {"Authorization": target.authorization} if target.authorization else {}
    trust = ssl.create_default_context() if target.url.startswith("https:") else False
    try:
        with httpx.stream(
            "POST", target.url, json=list(alerts), headers=headers, timeout=TIMEOUT, verify=trust,
            follow_redirects=False,
        ) as answer:  # fmt: skip
            return "" if answer.is_success else f"answered {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return f"no answer ({type(error).__name__})"


def send_trial(address: str, words: texts.Texts, language: Language) -> str:
    """Sends one alert that ends after a minute: empty when it was taken, else why not."""
    title = words.get(language, "notify.test.title")
    return post(alertmanager.target(address), [alertmanager.trial(title, time.time())])


def _said(told: Told, rule: Rule | None, words: texts.Texts, language: Language) -> Said:
    if rule is None:
        return Said(told.rule, "", "")
    about = about_in_words(told.evidence, words, language)
    title = getattr(rule.title, language)
    return Said(
        f"{title}: {about}" if about else title,
        getattr(rule.why, language),
        getattr(rule.what_to_do, language),
    )
