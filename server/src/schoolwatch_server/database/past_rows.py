"""What is stored of the past, in the order of time: what `past` copies."""

from array import array
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Engine, select

from schoolwatch_contract.envelope import decode
from schoolwatch_contract.errors import ContractError
from schoolwatch_server import line_history
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.in_parts import MANY, in_parts
from schoolwatch_server.database.judged import tags_of
from schoolwatch_server.hearing import REMEMBERED
from schoolwatch_server.indicators.stored import MEASUREMENT, PLAN_ITEM
from schoolwatch_server.school_time import day_number, midnight
from schoolwatch_server.store.rollup import DAY as DAILY

Need = Literal["hearing", "ipv6", "tests", "sites", "judged", "refused"]
"""A kind of history that a watch rests on."""

Change = tuple[float, str, Mapping[str, Any]]
"""When (UTC seconds), what, and the row."""

_ROWS = 5000
_CHUNK = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Part:
    """Of what places the past is asked (None: all schools), and which kinds of it."""

    schools: tuple[int, ...] | None
    communes: tuple[int, ...] = ()
    provinces: tuple[int, ...] = ()
    needs: frozenset[Need] = frozenset()
    indicators: frozenset[str] = frozenset()
    days: float = 0.0

    @property
    def is_all(self) -> bool:
        """Whether every school is asked for."""
        return self.schools is None


def heard(source: Engine, devices: Collection[int] | None, begin: float, end: float) -> Iterator[Change]:
    """When each report came: of some devices device by device, of all in the order in which they came."""
    if devices is None:
        yield from _heard_by_all(source, begin, end)
        return
    for at, id_, device_id, carried in _arrivals(source, devices, begin, end):
        yield at, "heard", {"device_id": device_id}
        if carried:
            yield at, "carried", {"device_id": device_id, "id": id_}


def told(source: Engine, devices: Collection[int], begin: float, end: float) -> Iterator[Change]:
    """What computers said of IPv6, when it came."""
    j = t.journal.c
    query = select(j.id, j.seq, j.taken_at, j.body, j.uncertain)
    arrivals = _arrivals(source, devices, begin, end)
    while some := list(islice(arrivals, MANY)):
        with begin_read(source) as conn:
            rows = {row.id: row for row in conn.execute(query.where(j.id.in_([one[1] for one in some])))}
        for at, id_, device_id, _ in some:
            row = rows.get(id_)
            if row is None or row.uncertain:
                continue
            try:
                envelope = decode(row.body)
            except ContractError:  # as in `incidents`: an older program's
                continue
            said = tuple(reading for reading in envelope.readings if _is_of_ipv6(reading.metric))
            mine = msgspec.structs.replace(envelope, readings=said, facts=(), sightings=())
            yield (
                at,
                "told",
                {"device_id": device_id, "seq": row.seq, "envelope": mine, "taken": row.taken_at},
            )


def _is_of_ipv6(metric: str) -> bool:
    return metric.startswith("ipv6.") or metric == "probe.ok"


def _arrivals(
    source: Engine, devices: Collection[int], begin: float, end: float
) -> Iterator[tuple[float, int, int, bool]]:
    """When a report came, its number in the journal, whose it is, and whether a stick brought it."""
    return merge(*(_of_device(source, id_, begin, end) for id_ in sorted(devices)))


def _of_device(
    source: Engine, device_id: int, begin: float, end: float
) -> Iterator[tuple[float, int, int, bool]]:
    """Kept as numbers until they are asked for: a device has a hundred reports a day."""
    j = t.journal.c
    mine = j.device_id == device_id, j.received_at >= begin, j.received_at <= end
    with begin_read(source) as conn:
        rows = sorted(map(tuple, conn.execute(select(j.received_at, j.id, j.carried).where(*mine))))
    carried = frozenset(row[1] for row in rows if row[2])
    times, ids = array("d", [row[0] for row in rows]), array("q", [row[1] for row in rows])
    del rows
    for at, id_ in zip(times, ids, strict=True):
        yield at, id_, device_id, id_ in carried


def _heard_by_all(source: Engine, begin: float, end: float) -> Iterator[Change]:
    """In the order of the journal: of what was committed together nobody asks which came first."""
    j, position = t.journal.c, 0
    query = select(j.id, j.device_id, j.received_at, j.carried).order_by(j.id).limit(_ROWS)
    while True:
        with begin_read(source) as conn:
            rows = conn.execute(query.where(j.id > position)).all()
        for _, device_id, at, carried in rows:
            if begin <= at <= end:
                yield at, "heard", {"device_id": device_id}
                if carried:
                    yield at, "carried", {"device_id": device_id}
        if len(rows) < _ROWS:
            return
        position = rows[-1][0]


def days_heard(conn: Connection, devices: Collection[int], today: int) -> dict[int, set[int]]:
    """The local days before `today` on which each device was heard, as far back as watches remember.

    By what is remembered of each, and before that by its daily summaries: a day on which it measured.
    """
    h, r = t.hearing.c, t.rollup.c
    oldest = today - REMEMBERED
    found: dict[int, set[int]] = {id_: set() for id_ in devices}
    for some in in_parts(devices):
        rows = conn.execute(select(h.device_id, h.newest, h.days).where(h.device_id.in_(some)))
        for device_id, newest, days in rows:
            found[device_id] |= {newest - back for back in range(63) if days >> back & 1}
        summed = select(r.device_id, r.bucket).where(
            r.device_id.in_(some),
            r.resolution == DAILY,
            r.bucket >= midnight(oldest),
            r.bucket < midnight(today),
        )
        for device_id, bucket in conn.execute(summed):
            found[device_id].add(day_number(bucket))
    return {id_: {day for day in its if oldest <= day < today} for id_, its in found.items()}


def silent(conn: Connection, devices: Collection[int], since: float) -> list[tuple[int, float]]:
    """Devices that nobody has heard since then, and when they were heard last."""
    s = t.state.c
    found: list[tuple[int, float]] = []
    for some in in_parts(devices):
        query = select(s.device_id, s.heard_at).where(s.device_id.in_(some), s.heard_at < since)
        found += [(row[0], row[1]) for row in conn.execute(query)]
    return found


def ipv6_worked(conn: Connection, devices: Collection[int], before: float) -> list[tuple[int, float]]:
    """Devices whose IPv6 worked last before then, and when; of others that is not kept."""
    s = t.state.c
    found: list[tuple[int, float]] = []
    for some in in_parts(devices):
        query = select(s.device_id, s.ipv6_worked_at).where(s.device_id.in_(some), s.ipv6_worked_at < before)
        found += [(row[0], row[1]) for row in conn.execute(query)]
    return found


# --- other histories ---------------------------------------------------------------------------------------


def line_tests(source: Engine, devices: Collection[int], end: float) -> Iterator[Change]:
    """The speed tests of lines, each as it was taken, with those before it."""
    s, testers = t.state.c, t.line_tester.c
    query = select(s.device_id, s.line_tests).join(t.line_tester, testers.device_id == s.device_id)
    changes: list[Change] = []
    with begin_read(source) as conn:
        for device_id, kept in conn.execute(query.where(s.line_tests.is_not(None))):
            if device_id in devices:
                changes += [
                    (at, "test", {"device_id": device_id, "tests": tests})
                    for at, tests in line_history.growing(kept)
                    if at <= end
                ]
    return iter(sorted(changes, key=itemgetter(0)))


def looks(source: Engine, sites: Collection[int], begin: float, end: float) -> Iterator[Change]:
    """The looks at sites, in pieces of some hours; first the newest ones before `begin`."""
    lk = t.site_look.c
    first: dict[int, Change] = {}  # by their numbers: often one look is both
    with begin_read(source) as conn:
        for site_id in sites:
            before = select(t.site_look).where(lk.site_id == site_id, lk.at < begin)
            for query in (before.where(lk.has_ipv6.is_(True)), before):
                row = conn.execute(query.order_by(lk.at.desc()).limit(1)).mappings().first()
                first |= {} if row is None else {row["id"]: (row["at"], "looked", dict(row))}
    yield from sorted(first.values(), key=itemgetter(0))
    start = begin
    while start <= end:
        until = start + _CHUNK
        rows: list[Change] = []
        with begin_read(source) as conn:
            for some in in_parts(sites):
                query = select(t.site_look).where(
                    lk.site_id.in_(some), lk.at >= start, lk.at < until, lk.at <= end
                )
                rows += [(row["at"], "looked", dict(row)) for row in conn.execute(query).mappings()]
        yield from sorted(rows, key=itemgetter(0))
        start = until


def judged(source: Engine, series: Collection[int], begin: float, end: float) -> Iterator[Change]:
    """Values of series of indicators, the oldest first."""
    v = t.judged.c
    changes: list[Change] = []
    with begin_read(source) as conn:
        for some in in_parts(series):
            query = select(v.series_id, v.at, v.value).where(
                v.series_id.in_(some), v.at >= begin, v.at <= end
            )
            changes += [
                (row.at, "judged", {"series_id": row.series_id, "value": row.value})
                for row in conn.execute(query)
            ]
    changes.sort(key=itemgetter(0))
    return iter(changes)


def series_of(conn: Connection, part: Part) -> list[dict[str, Any]]:
    """The series of the indicators of a part's places, and of items of plans there."""
    places = {
        "school": None if part.schools is None else frozenset(part.schools),
        "commune": None if part.schools is None else frozenset(part.communes),
        "province": None if part.schools is None else frozenset(part.provinces),
    }
    s = t.judged_series.c
    found = []
    for row in conn.execute(
        select(t.judged_series).where(s.measurement.in_((MEASUREMENT, PLAN_ITEM)))
    ).mappings():
        tags = tags_of(row["tags"])
        level = tags.get("level", "")
        is_other = row["measurement"] == MEASUREMENT and tags.get("indicator") not in part.indicators
        if level not in places or is_other:
            continue
        wanted = places[level]
        if wanted is None or int(tags[level]) in wanted:
            found.append(dict(row))
    return found


def refused(source: Engine, begin: float, end: float) -> Iterator[Change]:
    """Frames that were put in quarantine, without the frames."""
    q = t.quarantine.c
    query = select(q.id, q.received_at, q.reason).where(q.received_at >= begin, q.received_at <= end)
    with begin_read(source) as conn:
        rows = conn.execute(query.order_by(q.received_at, q.id)).all()
    nothing = {"topic": "", "device": None, "detail": "", "verified": False, "size": 0, "frame": b""}
    for id_, at, reason in rows:
        yield at, "refused", {"id": id_, "received_at": at, "reason": reason, **nothing}
