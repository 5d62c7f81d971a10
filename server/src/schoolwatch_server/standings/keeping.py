"""Writes these series every so often; what was written last is remembered, or read again after a restart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, Engine

from schoolwatch_server.claims.questions import Question, of_school
from schoolwatch_server.database import claims as database_claims
from schoolwatch_server.database import (
    counted,
    courses,
    incident_counts,
    judged,
    registry,
    rollout,
    server_health,
    store_writer,
)
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.indicators.series import Written, places, put, put_all, seed, series_of, without_idle
from schoolwatch_server.packs import Packs
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.standings import (
    claims,
    gone,
    incidents,
    known_lans,
    known_lines,
    lan,
    lines,
    positions,
    providers,
    server,
)
from schoolwatch_server.standings import rollout as standing_rollout
from schoolwatch_server.store.names import (
    CLAIMS_BY_STATE,
    INCIDENTS,
    INCIDENTS_BY_RULE,
    INCIDENTS_BY_SEVERITY,
    ISP,
    LAN_LINKS,
    ROLLOUT,
)

HOUR: Final = 3600.0
DAY: Final = 86400.0

SETTLED: Final = 60.0
"""Seconds after an hour's end from which on all that happened in it is written down."""

LOOK_BACK: Final = 2 * DAY
"""Seconds before a start whose incidents are written again: writing them twice changes nothing."""

_MARKS: Final = 2000
"""Incidents in one look."""

_REMEMBERED: Final = (
    INCIDENTS,
    INCIDENTS_BY_SEVERITY,
    INCIDENTS_BY_RULE,
    ROLLOUT,
    CLAIMS_BY_STATE,
    ISP,
    LAN_LINKS,
)


@dataclass(slots=True)
class Standings:
    """What of these series was written last, by this process or before it; `others` is that of further ones.

    `places` are those that there were at the last look.
    """

    engine: Engine
    others: Sequence[Written] = ()
    places: gone.Tags = field(default_factory=dict)
    written: Written = field(default_factory=dict)
    hour: float = 0.0
    claims: float = 0.0
    lines: float = 0.0
    lans: float = 0.0
    health: float = 0.0
    event: int = 0

    def forget(self) -> None:
        """Somebody else may write now."""
        self.written.clear()
        self.places = {}
        self.hour = self.claims = self.lines = self.lans = self.health = 0.0
        self.event = 0

    def note_open(self, rules: Sequence[Rule], now: float, every: float) -> int:
        """Open incidents of every place, at the last multiple of `every` seconds; gives how many points."""
        at = now // every * every
        with begin_read(self.engine) as conn:
            if not self.written:
                for measurement in _REMEMBERED:
                    seed(conn, measurement, self.written)
            tags, counts = places(conn), incident_counts.open_now(conn, EVERYTHING)
        self._end_gone(tags, at)
        whole, parts = incidents.open_now(counts, tags, titles(rules), at)
        parts += incidents.ended(parts, self.written.values(), at)
        return put(self.engine, [*whole, *without_idle(parts, self.written)], self.written)

    def _end_gone(self, tags: gone.Tags, at: float) -> None:
        """The end of all series of places that went or moved since the last look."""
        if tags == self.places:
            return
        with begin_read(self.engine) as conn:
            found = [one for one in judged.series(conn) if gone.is_gone(*one, tags)]
            rows = [*gone.ends(judged.newest_of(conn, found, at - gone.LOOK_BACK), at)]
        for start in range(0, len(rows), _MARKS):
            with begin_write(self.engine) as conn:
                judged.write(conn, rows[start : start + _MARKS])
        for written in (self.written, *self.others):
            for row in rows:  # a school that comes back is told of at once
                written.pop(series_of(row), None)
        self.places = tags

    def note_hour(self, now: float) -> int:
        """What was new in each hour that is over, and how things stand after it; gives how many points."""
        last = (now - SETTLED) // HOUR * HOUR
        if self.hour == last or not self.written:  # open incidents come first: they look at what is there
            return 0
        first = max(self.hour, last - LOOK_BACK)
        with begin_read(self.engine) as conn:
            tags = places(conn)
            hours = [first + n * HOUR for n in range(round((last - first) / HOUR))]
            told = [incident_counts.told_in(conn, hour, hour + HOUR) for hour in hours]
            recent = courses.courses(conn, EVERYTHING, last - incidents.DAYS * DAY, last, last)
            heard = rollout.by_school(conn, now)
        wrote = 0
        for hour, counts in zip(hours, told, strict=True):
            rows = list(incidents.new(counts, tags, hour))
            counted = [row for row in rows if row.value]  # equal ones too: they are added up
            wrote += put_all(self.engine, counted, self.written)
            wrote += put(self.engine, [row for row in rows if not row.value], self.written)
        rows = [*incidents.times(recent, tags, last)]
        rows += without_idle(standing_rollout.rows(heard, tags, last), self.written)
        wrote += put(self.engine, rows, self.written)
        self.hour = last
        return wrote

    def note_schools(self, questions: Sequence[Question], now: float) -> int:
        """What schools declare and where they stand, once an hour; gives how many points."""
        at = now // HOUR * HOUR
        if self.claims == at or not self.written:
            return 0
        with begin_read(self.engine) as conn:
            tags, schools = places(conn), registry.schools(conn, EVERYTHING)
            answers = database_claims.standings(conn, EVERYTHING)
        by_level = {level: of_school(level, questions) for level in {school.level for school in schools}}
        asked = {school.id: by_level[school.level] for school in schools}
        whole, parts = claims.rows(asked, answers, tags, at)
        wrote = put(self.engine, [*whole, *without_idle(parts, self.written)], self.written)
        places_known = {school.id: bool(school.position) for school in schools}
        wrote += put(self.engine, list(positions.rows(places_known, tags, at)), self.written)
        self.claims = at
        return wrote

    def note_lines(self, rules: Sequence[Rule], packs: Packs, now: float) -> int:
        """Schools' lines and what is known of each provider's, once an hour; gives how many points."""
        at = now // HOUR * HOUR
        if self.lines == at or not self.written:
            return 0
        least = packs.of("line_of_contract").indicators["line_of_contract"].numbers["least"].value
        with begin_read(self.engine) as conn:
            tags = places(conn)
            known, cuts = known_lines.read(conn, rules, packs, tags, now)
        wrote = put(self.engine, list(lines.rows(known, tags, at)), self.written)
        by_isp = providers.rows(known, cuts, tags, least, at)
        wrote += put(self.engine, list(providers.known_or_ended(by_isp, self.written, at)), self.written)
        self.lines = at
        return wrote

    def note_lans(self, rules: Sequence[Rule], packs: Packs, now: float) -> int:
        """Schools' networks inside, once an hour; gives how many points."""
        at = now // HOUR * HOUR
        if self.lans == at or not self.written:
            return 0
        with begin_read(self.engine) as conn:
            tags, known = places(conn), known_lans.read(conn, rules, packs, now)
        links = without_idle(lan.links(known, tags, at), self.written)
        wrote = put(self.engine, [*lan.rows(known, tags, at), *links], self.written)
        self.lans = at
        return wrote

    def note_marks(self, rules: Sequence[Rule], now: float) -> int:
        """When incidents began of which people were told since the last look; gives how many points."""
        with begin_read(self.engine) as conn:
            found = incident_counts.opened(conn, self.event, now - LOOK_BACK, _MARKS)
            tags = places(conn) if found else {}
        if not found:
            return 0
        rows = incidents.marks(found, tags, titles(rules))
        with begin_write(self.engine) as conn:
            judged.write(conn, rows)
        self.event = found[-1].event
        return len(rows)

    def note_server(self, now: float, every: float) -> int:
        """The server's own health at the last multiple of `every` seconds, once; gives how many points."""
        at = now // every * every
        if self.health == at:
            return 0
        with begin_read(self.engine) as conn:
            series = store_writer.standing(conn, now)
            found = server.Health(
                minutes=every / 60,
                ages=server_health.ages(conn, at - every, at),
                readers=_readers(conn, now, series),
                quarantine=sum(counted.quarantined(conn).values()),
                undelivered=server_health.undelivered(conn, now),
                database=server_health.size(conn),
                versions=rollout.versions(conn, now),
                whole_from=0.0 if series is None else series.progress.whole_from,
            )
        # also what stayed the same: alert rules look at a quarter of an hour, and no point is "No data" there
        wrote = put_all(self.engine, list(server.rows(found, at)), self.written)
        self.health = at
        return wrote


def _readers(conn: Connection, now: float, series: store_writer.Standing | None) -> list[server.Reader]:
    """Who reads the journal, and the store of series beside the database where there is one."""
    found = [server.Reader(*one) for one in server_health.readers(conn, now)]
    if series is not None:
        found.append(server.Reader("series", series.reports, series.seconds))
    return found


def titles(rules: Sequence[Rule]) -> incidents.Titles:
    """The titles of the rules in force."""
    return {rule.id: (rule.title.vi, rule.title.en) for rule in rules}
