"""A database of the past in memory: a row is in it from when it was there, and gone when it was.

So a watch looks at the past with the very queries with which it looks at the present. What is overwritten
where it is kept (names, rooms' and devices' roles, hours of schools) is as it is today.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    create_engine,
    delete,
    select,
)
from sqlalchemy.pool import StaticPool

from schoolwatch_server.database import hearings, journal, past_rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.database.past_rows import Change, Need, Part
from schoolwatch_server.database.past_writes import SPANS, WRITERS, hear, put
from schoolwatch_server.hearing import REMEMBERED
from schoolwatch_server.school_time import DAY, day_number, midnight
from schoolwatch_server.state import State, pack

HOUR = 3600.0

NOTE_EVERY: Final = 300.0
"""Seconds between two notes of who was heard today, as `evaluate` makes them."""

_SERVER = 0
"""A device of no school: heard whenever the server heard anybody."""

_TABLES = (
    t.meta, t.province, t.commune, t.school, t.school_code, t.room, t.device, t.membership, t.line_contract,
    t.school_hours, t.set_day, t.maintenance, t.line_tester, t.site, t.site_look, t.judged_series, t.judged,
    t.quarantine, t.hearing, t.state, t.state_body, t.fact_history, t.journal,
)  # fmt: skip


@dataclass
class Past:
    """The copy as of an instant, which only goes forward; `conn` reads it."""

    source: Engine
    part: Part
    conn: Connection
    changes: Iterator[Change]
    now: float
    waiting: Change | None = None
    noted: float = 0.0
    rows: int = 0

    def to(self, now: float) -> float:
        """Makes it what it was at `now` (UTC seconds); gives until when the server had heard nobody."""
        batch: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for at, what, row in self._until(now):
            batch[what].append({**row, "at": at, "now": now})
        for what, write in WRITERS.items():  # in this order: what ends makes room for what begins
            if batch[what]:
                write(self.conn, batch[what])
        self.rows += sum(map(len, batch.values()))
        self.now = now
        if "hearing" not in self.part.needs:
            return 0.0
        with begin_read(self.source) as conn:
            newest = journal.received_until(conn, now)
        if newest is not None:
            hear(self.conn, [{"device_id": _SERVER, "at": newest}])
        if now - self.noted >= NOTE_EVERY:
            self.noted = now
            hearings.note(self.conn, now)
        return hearings.listen(self.conn, now)

    def _until(self, now: float) -> Iterator[Change]:
        while True:
            change = self.waiting or next(self.changes, None)
            self.waiting = change
            if change is None or change[0] > now:
                return
            self.waiting = None
            yield change

    def close(self) -> None:
        """Forgets all of it."""
        self.conn.close()
        self.conn.engine.dispose()


def open_past(source: Engine, part: Part, begin: float, end: float) -> Past:
    """The copy as it was at `begin`, that can go on to `end` (UTC seconds)."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    conn = engine.connect()
    conn.exec_driver_sql("PRAGMA journal_mode=OFF")
    t.metadata.create_all(conn, tables=_TABLES)
    with begin_read(source) as reading:
        devices = _copy(reading, conn, part, begin, end)
        spans = _spans(reading, part, devices, begin, end)
        if "hearing" in part.needs:
            _remember(reading, conn, devices, begin)
        sites = [row["id"] for _, what, row in spans if what == "+site"]
        series = past_rows.series_of(reading, part) if "judged" in part.needs else []
        put(conn, t.judged_series, series)
    feeds: dict[Need, Callable[[], Iterator[Change]]] = {
        "hearing": lambda: past_rows.heard(source, None if part.is_all else devices, begin, end),
        "ipv6": lambda: past_rows.told(source, devices, begin, end),
        "tests": lambda: past_rows.line_tests(source, frozenset(devices), end),
        "sites": lambda: past_rows.looks(source, sites, begin, end),
        "judged": lambda: past_rows.judged(
            source, [row["id"] for row in series], begin - part.days * DAY, end
        ),
        "refused": lambda: past_rows.refused(source, begin - HOUR, end),
    }
    asked = [feed() for need, feed in feeds.items() if need in part.needs]
    return Past(source, part, conn, merge(spans, *asked, key=itemgetter(0)), begin)


# --- the tree -----------------------------------------------------------------------------------


def _copy(source: Connection, conn: Connection, part: Part, begin: float, end: float) -> list[int]:
    """What has no history, as it is now; gives the devices that were in these schools in that time."""
    for table in (t.province, t.commune):
        put(conn, table, _all(source, table))
    put(conn, t.school, _of(source, t.school, t.school.c.id, part.schools))
    for table in (t.room, t.line_contract, t.school_hours, t.line_tester):
        put(conn, table, _of(source, table, table.c.school_id, part.schools))
    devices = {
        row["device_id"]
        for row in _of(source, t.membership, t.membership.c.school_id, part.schools)
        if row["valid_from"] <= end and (row["valid_to"] is None or row["valid_to"] > begin)
    }
    found = sorted(devices)
    rows = _of(source, t.device, t.device.c.id, None if part.is_all else found)
    put(conn, t.device, [{**row, "retired_at": None, "pending_since": None} for row in rows])
    if "ipv6" in part.needs:
        worked = past_rows.ipv6_worked(source, found, begin)
        nothing = {"seq": 0, "heard_at": 0.0, "agent": ""}
        put(
            conn,
            t.state,
            [{"device_id": i, "taken_at": at, "ipv6_worked_at": at, **nothing} for i, at in worked],
        )
        put(conn, t.state_body, [{"device_id": i, "body": pack(State())} for i, _ in worked])
    return found


def _spans(source: Connection, part: Part, devices: Sequence[int], begin: float, end: float) -> list[Change]:
    """What begins and ends: memberships, codes, sites, days that somebody set, planned work."""
    changes: list[Change] = []
    for table in SPANS:
        for row in _of(source, table, table.c.school_id, part.schools):
            over = row["valid_to"]
            if row["valid_from"] <= end and (over is None or over > begin):
                changes.append((row["valid_from"], f"+{table.name}", row))
                changes += [] if over is None else [(over, f"-{table.name}", row)]
    wanted = set(devices)
    retired = select(t.device.c.id, t.device.c.retired_at).where(t.device.c.retired_at.is_not(None))
    changes += [(at, "retired", {"id_": id_}) for id_, at in source.execute(retired) if id_ in wanted]
    for row in _all(source, t.maintenance):
        changes.append((row["made_at"], "+maintenance", row))
    for row in _all(source, t.set_day):
        changes.append((row["made_at"], "+set_day", row))
        changes += [] if row["ended_at"] is None else [(row["ended_at"], "-set_day", row)]
    return sorted(changes, key=itemgetter(0))


def _all(source: Connection, table: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in source.execute(select(table)).mappings()]


def _of(
    source: Connection, table: Any, column: Column[int], ids: Sequence[int] | None
) -> list[dict[str, Any]]:
    if ids is None:
        return _all(source, table)
    found = (source.execute(select(table).where(column.in_(some))).mappings() for some in in_parts(ids))
    return [dict(row) for row in chain.from_iterable(found)]


# --- who was heard before ----------------------------------------------------------------------------------


def _remember(source: Connection, conn: Connection, devices: Sequence[int], begin: float) -> None:
    """The days on which each was heard before `begin`, noted day by day as they were then.

    Where the journal was pruned, they were heard last on the last of these days, or when it is known; where
    it is whole, nobody had been heard before it.
    """
    today = day_number(begin)
    days = past_rows.days_heard(source, devices, today)
    for day in range(today - REMEMBERED, today):
        some = [{"device_id": id_, "at": midnight(day) + _NOON} for id_, its in days.items() if day in its]
        if some:
            hear(conn, some)
            hearings.note(conn, midnight(day) + _NOON)
    if journal.pruned_before(source) == 0:
        conn.execute(delete(t.state))
    else:
        hear(conn, [{"device_id": id_, "at": at} for id_, at in past_rows.silent(source, devices, begin)])


_NOON: Final = 43_200.0
