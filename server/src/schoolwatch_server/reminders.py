"""Reminds 7 and 2 days before a report's last day of who has not handed in, and each week of what waits.

A thousand schools that owe a report are one message, not a thousand: channels are the department's own. What
it says is found when it is sent, so whoever has handed in meanwhile is not in it.
"""

import logging
import time
from collections.abc import Collection, Mapping
from datetime import date, datetime
from functools import partial

from sqlalchemy import Connection, Engine

from schoolwatch_server import channels, notify, waiting
from schoolwatch_server.database import report_reminders
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.report_reminders import DueReminder, Reminder
from schoolwatch_server.reports import agenda, calendar
from schoolwatch_server.reports.agenda import Line
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.texts import Language, Texts

log = logging.getLogger(__name__)

NAMES = 20
"""Places that a message names; it says how many there are besides."""


def put_due(engine: Engine, known: Collection[str], now: float) -> int:
    """Puts into the outbox what is to be said today and was not yet; how many messages are new.

    Nothing before `waiting.HOUR` in Vietnam.
    """
    if not known:
        return 0
    at = datetime.fromtimestamp(now, calendar.VIETNAM)
    if at.hour < waiting.HOUR:
        return 0  # a day begins when those who hear of it sleep
    with begin_read(engine) as conn:
        weekly = waiting.due(conn, now)
        lines = [
            (line, calendar.reminder(line.due, at.date())) for line in agenda.lines(conn, EVERYTHING, now)
        ]
    wanted = [_reminder(line, days) for line, days in lines if days is not None and line.missing]
    if not wanted and not weekly:
        return 0
    with begin_write(engine) as conn:
        return sum(report_reminders.put(conn, one, known, now) for one in (*wanted, *weekly))


def send_next(
    engine: Engine, addresses: Mapping[str, str], words: Texts, public_url: str, now: float | None = None
) -> bool:
    """Sends the next one that is due; False when there is none. No transaction is held meanwhile."""
    now = time.time() if now is None else now
    if not addresses:
        return False
    with begin_read(engine) as conn:
        found = report_reminders.next_due(conn, addresses.keys(), now)
    if found is None:
        return False
    with begin_write(engine) as conn:
        due = report_reminders.claim(conn, found, now, now + notify.CLAIMED)
    if due is None:
        return True  # another sender took it; there may be more
    with begin_read(engine) as conn:
        said = message(conn, due.reminder, words, public_url, now)
    error = "nobody owes it any more" if said is None else channels.deliver(addresses[due.channel], *said)
    _told(engine, due, error, now, is_over=said is None)
    return True


def _told(engine: Engine, due: DueReminder, error: str, now: float, *, is_over: bool) -> None:
    with begin_write(engine) as conn:
        if not error or is_over or due.attempts >= notify.ATTEMPTS:
            report_reminders.sent(conn, due, now, error)
        else:
            report_reminders.failed(conn, due, error, now + notify.pause(due.attempts))
    if error and not is_over:
        log.warning("reminder of reports: %s: %s (attempt %d)", due.channel, error, due.attempts)


def message(
    conn: Connection,
    reminder: Reminder,
    words: Texts,
    public_url: str,
    now: float,
    language: Language = "vi",
) -> tuple[str, str] | None:
    """Title and body; None when the day has passed, or everybody has handed in."""
    if reminder.kind == waiting.KIND:
        return waiting.message(conn, reminder, words, public_url, now, language)
    today, last = calendar.day_of(now), date.fromisoformat(reminder.last_day)
    line = _line(conn, reminder, now)
    if line is None or today > last or not line.missing:
        return None
    values = {
        "days": (last - today).days,
        "day": f"{last:%d/%m/%Y}",
        "missing": len(line.missing),
        "done": line.done,
        "all": len(line.places),
        "report": calendar.called(partial(words.get, language), reminder.kind, reminder.period),
        "level": words.either(language, f"reports.level.{reminder.level}", reminder.level),
        "province": line.province.name,
        "names": _names(line, words, language),
        "document": line.deadline.document,
        "clause": line.deadline.clause or "–",
        "link": f"{public_url}/reports",
    }
    title = {name: values[name] for name in ("days", "missing", "report")}
    body = {
        name: values[name]
        for name in ("province", "day", "done", "all", "level", "names", "document", "clause", "link")
    }
    return (
        words.get(language, "notify.reminder.title", **title),
        words.get(language, "notify.reminder.body", **body),
    )


def _line(conn: Connection, reminder: Reminder, now: float) -> Line | None:
    """The report as it stands now; None when its date was taken out of the calendar, or changed."""
    for line in agenda.lines(conn, EVERYTHING, now):
        due = line.due
        key = (line.province.id, due.kind, due.level, due.period, due.last_day.isoformat())
        if key == (
            reminder.province_id, reminder.kind, reminder.level, reminder.period, reminder.last_day
        ):  # fmt: skip
            return line
    return None


def _names(line: Line, words: Texts, language: Language) -> str:
    names = ", ".join(place.name for place in line.missing[:NAMES])
    more = len(line.missing) - NAMES
    return words.get(language, "notify.reminder.more", names=names, count=more) if more > 0 else names


def _reminder(line: Line, days: int) -> Reminder:
    due = line.due
    return Reminder(line.province.id, due.kind, due.level, due.period, days, due.last_day.isoformat())
