"""Writes judged indicators back as series: a point when something changed, and one now and then anyway.

1,500 schools every 5 minutes would be 15 million rows a day that mostly say the same. A value holds until
the next point of its series; of what nobody has ever told anything of a school there is no point.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

from schoolwatch_server.database import judged, registry
from schoolwatch_server.database.counts import SchoolCounts
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.by_plan import OfItem
from schoolwatch_server.indicators.current import Everywhere, count_all
from schoolwatch_server.indicators.indicator import IndicatorValue, Place
from schoolwatch_server.indicators.judge import is_asked
from schoolwatch_server.indicators.stored import (
    MEASUREMENT,
    PARTS,
    PLAN_ITEM,
    REACHED,
    SAID,
    STATES,
    item_tags,
)
from schoolwatch_server.indicators.total import OUT
from schoolwatch_server.packs import Packs
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store.series import Judged

REPEAT = 86400.0
"""Seconds after which a school's or commune's value is written again, unchanged."""

REPEAT_PROVINCE = 3600.0
"""The same of a province, which when large is shown as it was written last, and of the server's incidents."""

_BY_ID = {indicator.id: indicator for indicator in INDICATORS}

_CHUNK = 2000
"""Rows in one transaction, so that intake never waits long."""

_NOTHING = (None, None, None, None)

Written = dict[tuple[str, ...], Judged]
"""The newest point of each series that this process wrote."""


def write(
    engine: Engine,
    packs: Packs,
    now: float,
    every: float,
    written: Written,
    more: Callable[[Everywhere, float], Iterable[Judged]] | None = None,
) -> int:
    """Judges all places, writes what is new at the last multiple of `every` seconds, gives how many rows.

    `more` makes further points of what was counted, for the same instant.
    """
    at = now // every * every
    with begin_read(engine) as conn:
        found = count_all(conn, packs, now)
    rows = list(of_all(found.values(), at))
    rows += [row for school, item in found.items() for row in of_item(school, item, at)]
    rows += () if more is None else more(found, at)
    return put(engine, rows, written)


def put(engine: Engine, rows: Sequence[Judged], written: Written) -> int:
    """Writes those of the rows that are new, gives how many."""
    return put_all(engine, news(rows, written), written)


def put_all(engine: Engine, rows: Sequence[Judged], written: Written) -> int:
    """Writes all of the rows, gives how many."""
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        with begin_write(engine) as conn:
            judged.write(conn, part)
        written.update((series_of(row), row) for row in part)
    return len(rows)


@dataclass(slots=True)
class _Schools:
    """Schools of a place: of how many something is asked, of how many is known whether they reach it."""

    asked: int = 0
    known: int = 0
    reached: int = 0

    def add(self, value: IndicatorValue) -> None:
        if value.reason not in OUT:
            self.asked += 1
            self.known += value.meets is not None
            self.reached += value.meets is True


def of_all(judged_values: Iterable[tuple[SchoolCounts, IndicatorValue]], at: float) -> Iterator[Judged]:
    """The points of all values; schools come before the places that they are in, which count them."""
    schools: dict[tuple[str, int, str], _Schools] = defaultdict(_Schools)
    for school, value in judged_values:
        yield from of_value(school, value, at)
        if value.level == "school":
            if not is_asked(_BY_ID[value.indicator], school.counts):
                continue
            schools["commune", school.commune_id, value.indicator].add(value)
            schools["province", school.province_id, value.indicator].add(value)
            continue
        counted = schools[value.level, value.place_id, value.indicator]
        tags = place(school, value.level) | {"indicator": value.indicator}
        reached = float(counted.reached) if counted.known else None
        yield Judged(REACHED, tags, at, reached, counted.known, counted.asked, None, value.pack)


def of_value(school: SchoolCounts, value: IndicatorValue, at: float) -> Iterator[Judged]:
    """The points of one value; tags are internal ids, which never change."""
    tags = place(school, value.level) | {"indicator": value.indicator}
    yield Judged(
        MEASUREMENT, tags, at, value.value, value.numerator, value.denominator, value.coverage, value.pack
    )
    if value.level == "province":
        yield of_said(value, tags, at)
    if value.level != "school":
        for part, count in value.parts:
            yield Judged(PARTS, tags | {"part": part}, at, float(count), pack=value.pack)


def of_said(value: IndicatorValue, tags: Mapping[str, str], at: float) -> Judged:
    """What is declared of a value, also that nothing is: what held before must not go on."""
    if value.declared is None:
        return Judged(SAID, tags, at, None, pack=value.pack)
    state = float(STATES.index(value.declared_state))
    since = None if value.declared_at == value.at else value.declared_at
    return Judged(SAID, tags, at, value.declared, state, since, None, value.pack)


def of_item(school: SchoolCounts, item: OfItem, at: float) -> Iterator[Judged]:
    """The point of an item of a plan at a commune or province, where it is about some of the schools."""
    value = item.value
    if value is not None:
        yield Judged(
            PLAN_ITEM,
            place(school, value.level) | item_tags(item.plan, item.item),
            at, value.value, value.numerator, value.denominator, value.coverage, value.pack,
        )  # fmt: skip


def place(school: SchoolCounts, level: str) -> dict[str, str]:
    """The tags of the place of that level which the school is in."""
    tags = {"level": level, "province": str(school.province_id)}
    if level != "province":
        tags["commune"] = str(school.commune_id)
    if level == "school":
        tags["school"] = str(school.school_id)
    return tags


def seed(conn: Connection, measurement: str, written: Written) -> None:
    """Makes known what was written of a measurement before: by whoever led before, or before a restart."""
    written.update((series_of(row), row) for row in judged.latest(conn, measurement, {}))


def without_idle(rows: Iterable[Judged], written: Written) -> Iterator[Judged]:
    """The rows without zeros of series of schools that said nothing else, or whose zero is written already.

    Of 1,500 schools most have no incident of most rules: such a zero says what the whole of the place says.
    """
    for row in rows:
        last = written.get(series_of(row))
        if row.value or row.tags.get("level") != "school" or (last is not None and last.value):
            yield row


def places(conn: Connection) -> dict[tuple[Place, int], dict[str, str]]:
    """Every place in which there is a school, with the tags by which its series are told."""
    tags: dict[tuple[Place, int], dict[str, str]] = {}
    for school in registry.schools(conn, EVERYTHING):
        province = {"province": str(school.province_id)}
        commune = province | {"commune": str(school.commune_id)}
        tags["province", school.province_id] = province | {"level": "province"}
        tags["commune", school.commune_id] = commune | {"level": "commune"}
        tags["school", school.id] = commune | {"level": "school", "school": str(school.id)}
    return tags


def news(rows: Sequence[Judged], written: Written) -> list[Judged]:
    """The rows that differ from the newest one of their series, or come long after it.

    Without any number a row is no point in an InfluxDB, and what was known before would hold there. So a row
    of a school then says that nothing (0) is known of it. What is above a school tells by what it has not why
    it has no value: there a row of its own says so, right before.
    """
    found = []
    for row in rows:
        last = written.get(series_of(row))
        is_over = last is not None and _is_nothing(row) and not _is_nothing(last)
        told = replace(row, coverage=0.0) if is_over and row.tags.get("level") == "school" else row
        if _is_new(told, last):
            found += [replace(row, at=row.at - 1, coverage=0.0), row] if is_over and told is row else [told]
    return found


def _is_nothing(row: Judged) -> bool:
    return _numbers(row)[:-1] == _NOTHING


def _is_new(row: Judged, last: Judged | None) -> bool:
    level = row.tags.get("level")
    if last is None:
        return level != "school" or any(part is not None for part in _numbers(row)[:-1])
    repeat = REPEAT if level in ("commune", "school") else REPEAT_PROVINCE
    return row.at - last.at >= repeat or _numbers(row) != _numbers(last)


def _numbers(row: Judged) -> tuple[object, ...]:
    return row.value, row.numerator, row.denominator, row.coverage, row.pack


def series_of(row: Judged) -> tuple[str, ...]:
    """What tells a series apart in `Written`."""
    return (row.measurement, *(f"{name}={row.tags[name]}" for name in sorted(row.tags)))
