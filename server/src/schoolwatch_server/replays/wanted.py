"""What somebody wants replayed, made into a job: over which places, from when on there is a history."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import Connection, Engine

from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import journal, replaying
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.replaying import School
from schoolwatch_server.replays import estimate
from schoolwatch_server.replays.histories import WHOLE, History, of_condition, why_not
from schoolwatch_server.replays.job import Job, Larger, Place
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.load import read
from schoolwatch_server.rules.told import NOTHING, Given
from schoolwatch_server.scope import Scope

DAYS: Final = 30
DAYS_MAX: Final = 92
SCHOOLS: Final = 5
"""Schools that are looked at where nobody named any."""

SCHOOLS_MAX: Final = 50

STEP, STEP_WHOLE = 60.0, 300.0
"""Seconds between two looks of a watch: at a place, and at the whole server."""

_DAY = 86400.0
_FOREVER = 1e12

Trouble = Literal["no_history", "no_place", "wider", "nothing_then"]


class RefusedError(Exception):
    """It can't be replayed; `trouble` is why, and `about` the watch, the place, or what place it needs."""

    def __init__(self, trouble: Trouble, about: str = "", since: float = 0.0) -> None:
        super().__init__(f"{trouble}: {about}")
        self.trouble, self.about, self.since = trouble, about, since


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which places (a commune's or a school's code), how many days until when (UTC seconds; None: now).

    Without a place: of a rule about computers `schools` of the scope, 0 of them being all; of another, all.
    """

    place: str = ""
    days: int = DAYS
    schools: int = SCHOOLS
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job, and what people are told of it. Times are UTC seconds.

    `asked` is when the time begins that was asked for; there is a history from `since` on. `steps` are
    computers, or looks; `rows` about how many reports or rows there are, which take about `seconds`.
    """

    rule: str
    wanted: Wanted
    job: Job
    asked: float
    since: float
    schools: tuple[int, ...]
    of_schools: int
    steps: int
    rows: int
    seconds: float
    is_watch: bool


def prepare(
    engine: Engine,
    config: ServerConfig,
    rule: str,
    texts: Sequence[str],
    wanted: Wanted,
    scope: Scope,
    now: float,
    given: Given = NOTHING,
    teacher: str = "",
) -> Prepared:
    """The job; `teacher` is the text of the rule that knows for this one.

    Raises `RefusedError`, and `SheetError` for texts that are no rules."""
    rules = [read(text.encode(), Path("-"), "console").rule for text in texts]
    for each in rules:
        if why := why_not(each):
            raise RefusedError("no_history", why)
    histories = [found for each in rules if (found := of_condition(each.condition)) is not None]
    is_watch = any(each.condition.watch is not None for each in rules)
    end = min(wanted.until or now, now)
    asked = end - wanted.days * _DAY
    with begin_read(engine) as conn:
        since = max(_since(conn, config, history, now) for history in histories)
        start = max(asked, since)
        if start >= end:
            raise RefusedError("nothing_then", since=since)
        every = replaying.schools(conn, scope, wanted.place)
        if wanted.place and not every:
            raise RefusedError("no_place", wanted.place)
        chosen = every if is_watch else _sample(every, wanted)
        devices = replaying.devices(conn, [school.id for school in chosen])
        places = _places(rules, every, wanted, scope) if is_watch else ()
        names = {name for each in rules for name in each.silenced_by}
        larger = tuple(
            Larger(one.rule, one.subject, one.opened_at, one.closed_at or _FOREVER)
            for one in (replaying.real(conn, names, start, end) if is_watch else ())
        )
        rows = replaying.reports(conn, devices, start, end)
        begin = _begin(conn, histories, start, now)
    step = STEP_WHOLE if any(place.schools is None for place in places) else STEP
    job = Job(
        url=engine.url.render_as_string(hide_password=False),
        config=config,
        texts=tuple(texts),
        start=start,
        end=end,
        begin=begin,
        devices=() if is_watch else tuple(sorted(devices, key=_shuffled)),
        places=places,
        step=step,
        larger=larger,
        given=given,
        teacher=teacher,
    )
    steps, seconds = estimate.of(job, rules, histories, len(every), rows)
    return Prepared(
        rule, wanted, job, asked, since, tuple(school.id for school in chosen),
        len(every), steps, rows, seconds, is_watch,
    )  # fmt: skip


def actual(engine: Engine, prepared: Prepared) -> int:
    """How many incidents the rule really opened in that time on what was looked at."""
    job, schools = prepared.job, frozenset(prepared.schools)
    with begin_read(engine) as conn:
        found = replaying.real(conn, [prepared.rule], job.start, job.end)
        members = frozenset(job.devices or replaying.devices(conn, schools))
    communes = {commune for place in job.places for commune in place.communes}
    within: Mapping[str, frozenset[int] | set[int]] = {
        "device": members,
        "school": schools,
        "commune": communes,
    }
    return sum(
        one.opened_at >= job.start
        and (one.subject.kind not in within or one.subject.id in within[one.subject.kind])
        for one in found
    )


def _since(conn: Connection, config: ServerConfig, history: History, now: float) -> float:
    """From when on a replay is right: where the journal was pruned, a day after its beginning for some."""
    match history.source:
        case "journal":
            held = journal.held_since(conn, now)
            return held + _DAY if history.day_first and journal.pruned_before(conn) else held
        case "sites":
            found = replaying.looked_since(conn)
        case "judged":
            found = replaying.judged_since(conn)
        case "tests":
            found = replaying.tested_since(conn)
        case "refused":
            found = replaying.refused_since(conn, config.retention.quarantine_rows)
            return now - config.retention.quarantine_days * _DAY if found is None else found
    return now if found is None else found


def _begin(conn: Connection, histories: Sequence[History], start: float, now: float) -> float:
    """From when on what is stored is read: what was heard before tells what was remembered at the start."""
    if any(history.source == "journal" for history in histories):
        return min(start, journal.held_since(conn, now))
    return start


def _sample(every: Sequence[School], wanted: Wanted) -> tuple[School, ...]:
    ordered = sorted(every, key=lambda school: _shuffled(school.code))
    return tuple(ordered if wanted.place or not wanted.schools else ordered[: wanted.schools])


def _places(
    rules: Sequence[Rule], every: Sequence[School], wanted: Wanted, scope: Scope
) -> tuple[Place, ...]:
    """Commune by commune, so that memory has a bound; what only shows in the whole, at once."""
    is_whole = any(rule.condition.watch in WHOLE for rule in rules)
    if is_whole:
        if wanted.place or scope.level != "all":
            raise RefusedError("wider", "server")
        return (Place(None),)
    of_commune: dict[int, list[int]] = {}
    for school in every:
        of_commune.setdefault(school.commune_id, []).append(school.id)
    is_school = len(every) == 1 and every[0].code == wanted.place
    if is_school and any(rule.scope == "commune" for rule in rules):
        raise RefusedError("wider", "commune")
    places = tuple(
        Place(tuple(schools), () if is_school else (commune,))
        for commune, schools in sorted(of_commune.items())
    )
    provinces = tuple(sorted({school.province_id for school in every}))
    wide = not wanted.place and any(rule.condition.watch == "indicator_fell_widely" for rule in rules)
    return (*places, Place((), (), provinces)) if wide else places


def _shuffled(name: object) -> bytes:
    """An order that has nothing to do with names, and is the same each time."""
    return hashlib.sha256(str(name).encode()).digest()
