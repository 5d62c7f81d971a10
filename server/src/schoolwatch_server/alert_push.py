"""Tells Alertmanagers of incidents: what is new within seconds, and all of it each minute.

Nothing is kept of what was told: an Alertmanager that was started anew, or a server that was, is told of all
that is open, and of what ended in the last quarter of an hour. One that does not answer holds up no other.
"""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

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

TIMEOUT = 10.0
AT_ONCE = 4

REST = 4
"""Times as long as reading and writing took, nothing is read again: a storm takes a fifth of a processor."""

Attempt = Callable[[Callable[[], bool]], object]
"""Runs a step and lets the loop go on when the database can't be used just now."""


@dataclass(slots=True)
class _Line:
    """What one Alertmanager was told since this process began, and when it may be told more."""

    address: str
    told: dict[str, tuple[str, Alert]] = field(default_factory=dict)
    """What it is known by → its digest and the alert, of those that were open."""
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
        began = time.monotonic()
        with begin_read(self.engine) as conn:
            found = incident_alerts.told(conn, to.scope, now - alertmanager.RESOLVED_FOR)
            made_up = simulated.is_simulated(conn)
        is_whole = now - line.whole_at >= alertmanager.RESEND
        alerts: list[Alert] = []
        open_: dict[str, tuple[str, Alert]] = {}
        for one in found:
            alert = self._alert(one, rules, to.language, now, made_up=made_up)
            key, is_open = alertmanager.key(alert), one.closed_at is None
            digest = alertmanager.digest(alert, is_open=is_open)
            before = line.told.get(key)
            if is_open:
                open_[key] = digest, alert
            is_new = is_open if before is None else before[0] != digest
            if is_whole or is_new:
                alerts.append(alert)
        now_said = {alertmanager.key(alert) for alert in alerts}
        gone = [old for key, (_, old) in line.told.items() if key not in open_ and key not in now_said]
        alerts += [alertmanager.ended(old, now) for old in gone]
        line.next_at = now + REST * (time.monotonic() - began)
        if not alerts and not is_whole:
            line.event = event
            return True
        error = self._send(to.address, alerts)
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
        return True

    def _send(self, address: str, alerts: list[Alert]) -> str:
        target = alertmanager.target(address)
        for part in alertmanager.parts(alerts):
            error = post(target, part)
            if error:
                return error
        return ""

    def _alert(
        self, told: Told, rules: Mapping[str, Rule], language: Language, now: float, *, made_up: bool
    ) -> Alert:
        said = {one: _said(told, rules.get(told.rule), self.words, one) for one in texts.LANGUAGES}
        summary = " – ".join(part for part in (said[language].title, told.where) if part)
        if told.is_exercise:
            summary = self.words.get(language, "notify.exercise", title=summary)
        return alertmanager.alert(
            told, said["vi"], said["en"],
            summary=summary, public_url=self.public_url, now=now, is_simulated=made_up,
        )  # fmt: skip


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
