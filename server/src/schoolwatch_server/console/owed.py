"""What a place has to hand in soon, or should have by now, as its own page says it."""

from dataclasses import dataclass
from datetime import date

from fastapi import Request
from sqlalchemy import Connection

from schoolwatch_server.console.page import words_of
from schoolwatch_server.console.report_words import ReportWords
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.reports import agenda
from schoolwatch_server.reports.agenda import Line
from schoolwatch_server.reports.calendar import day_of


@dataclass(frozen=True, slots=True)
class Owed:
    """Reports of one place with the words to say so."""

    lines: tuple[Line, ...]
    said: ReportWords
    today: date


def of(
    conn: Connection,
    request: Request,
    level: Place,
    place_id: int,
    now: float,
    read: agenda.Known | None = None,
) -> Owed:
    """Those of one place."""
    lines = agenda.owed(conn, level, place_id, now, read)
    return Owed(lines, ReportWords(words_of(request)), day_of(now))
