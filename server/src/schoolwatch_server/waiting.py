"""Says once a week what waits for whom in a province: answers of schools, reports, and what came back.

Accounts have no addresses and schools no channel, so it goes to the department's channels, with the numbers
of each party and the names of who has most; whoever logs in sees their own count beside the menu.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final, get_args

from sqlalchemy import Connection

from schoolwatch_server.database import registry, waits
from schoolwatch_server.database.report_reminders import Reminder
from schoolwatch_server.database.rows import ProvinceRow
from schoolwatch_server.database.waits import Turn, Waiting
from schoolwatch_server.reports import calendar
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.texts import Language, Texts

KIND: Final = "waiting"
"""Stands in the outbox where other reminders have a kind of report."""

HOUR: Final = 7
"""Of a day in Vietnam: no reminder of what people owe goes out before it."""

NAMES: Final = 5
"""Places that a line names; it says how many there are besides."""


def due(conn: Connection, now: float) -> tuple[Reminder, ...]:
    """This week's message of each province in which something waits; who was down sends it later on."""
    today = calendar.day_of(now)
    monday = today - timedelta(days=today.weekday())
    year, week, _ = monday.isocalendar()
    last = monday + timedelta(days=6)
    return tuple(
        Reminder(province.id, KIND, "province", f"{year}-W{week:02}", 0, last.isoformat())
        for province in registry.provinces(conn, EVERYTHING)
        if any(_found(conn, province.id))
    )


def message(
    conn: Connection, reminder: Reminder, words: Texts, public_url: str, now: float, language: Language
) -> tuple[str, str] | None:
    """Title and body; None when the week is over, or nothing waits any more."""
    if calendar.day_of(now) > date.fromisoformat(reminder.last_day):
        return None
    province = _province(conn, reminder.province_id)
    answers, reports = _found(conn, reminder.province_id)
    if province is None or not (answers or reports):
        return None
    title = words.get(
        language,
        "notify.waits.title",
        province=province.name,
        answers=sum(one.count for one in answers),
        reports=sum(one.count for one in reports),
    )
    lines = (
        *_lines("answers", answers, words, language),
        *_lines("reports", reports, words, language),
        words.get(language, "notify.waits.end", link=f"{public_url}/claims"),
    )
    return title, "\n".join(lines)


def _found(conn: Connection, province_id: int) -> tuple[tuple[Waiting, ...], tuple[Waiting, ...]]:
    scope = Scope("province", province_id)
    return waits.answers(conn, scope), waits.reports(conn, scope)


def _lines(what: str, found: Sequence[Waiting], words: Texts, language: Language) -> Iterator[str]:
    """One for each party that something waits for: how much, and where most of it lies."""
    for turn in get_args(Turn):
        own = [one for one in found if one.turn == turn]
        if own:
            yield words.get(
                language,
                f"notify.waits.{what}",
                turn=words.get(language, f"notify.waits.turn.{turn}"),
                count=sum(one.count for one in own),
                names=_names(turn, own, words, language),
            )


def _names(turn: Turn, found: Sequence[Waiting], words: Texts, language: Language) -> str:
    """Of a commune's turn the communes; of any other the places themselves; those with most first."""
    counts: dict[str, int] = {}
    for one in found:
        name = one.commune if turn == "xa" else one.place
        counts[name] = counts.get(name, 0) + one.count
    ordered = sorted(counts, key=lambda name: -counts[name])
    names = ", ".join(f"{name}: {counts[name]}" for name in ordered[:NAMES])
    more = len(ordered) - NAMES
    return words.get(language, "notify.reminder.more", names=names, count=more) if more > 0 else names


def _province(conn: Connection, province_id: int) -> ProvinceRow | None:
    return next((one for one in registry.provinces(conn, EVERYTHING) if one.id == province_id), None)
