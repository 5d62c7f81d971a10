"""A place's indicators are the same however they are asked for: alone, after others, or with all places."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import Connection, Engine, Table, select, update

from databases import make_database
from parts.province import fill
from schoolwatch_server import lifecycle, needs, needs_kept, packs
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.counts import count
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.indicators import INDICATORS, series
from schoolwatch_server.indicators import current as judging
from schoolwatch_server.indicators.current import current, everywhere
from schoolwatch_server.indicators.limits import limits_here
from schoolwatch_server.scope import Scope

NOW = 1_800_000_000.0
DAY = 86400.0
SCHOOLS = 32
LOCAL = packs.Local(issued=("kaspersky",), systems=lifecycle.load())
PACKS = replace(packs.load(), local=LOCAL)
Places = dict[tuple[str, int], list[object]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_database(make_database(tmp_path_factory.mktemp("province")))
    with begin_write(engine) as conn:
        fill(conn, SCHOOLS, 6, NOW)
        shake(conn, random.Random(5))
    yield engine
    engine.dispose()


def shake(conn: Connection, chance: random.Random) -> None:
    """Makes neighbours differ in all that is counted, so that one's answer can't pass for another's."""

    def some(table: Table, column: str, *values: object) -> None:
        (key,) = table.primary_key.columns
        for id_ in conn.scalars(select(key)).all():
            if chance.random() < 0.4:
                conn.execute(update(table).where(key == id_).values({column: chance.choice(values)}))

    some(t.school, "is_public", True, False)
    some(t.school, "level", "TH&THCS", "THPT", "GDTX")
    some(t.device, "broken", True)
    some(t.device, "role", "student_lab", "office", None)
    some(t.membership, "room_id", None)
    some(t.membership, "valid_to", NOW - DAY, None)
    some(t.state, "taken_at", NOW - 5 * DAY, NOW - 90 * DAY)
    some(t.state, "is_server", True)
    some(t.room, "role", "student_lab", "office")
    some(t.room, "declared", 0, 3, 9)
    some(t.school_class, "school_year", "2025-2026", "2027-2028")
    some(t.school_class, "students", 0, 12, 55)
    some(t.line_contract, "starts", NOW - 1, NOW + 1)
    some(t.line_contract, "ends", NOW - 1, NOW + 1)
    some(t.asset, "name", "")
    some(t.claim, "value", 0.0, 1.0, None)
    some(t.claim, "state", "approved", "recognised")
    some(t.declaration, "value", 3.0, 8.0)
    some(t.hand_check, "checked_at", NOW - 91 * DAY, NOW + 1)
    some(t.room_use, "on_devices", 0, 5)
    some(t.generation, "clock_offset", 1e4, 0.0)


def places_of(conn: Connection, rules: packs.Packs, now: float) -> Places:
    found: Places = defaultdict(list)
    for _, value in everywhere(conn, rules, now):
        found[value.level, value.place_id].append(value)
    return found


def test_each_place_alone_is_what_it_is_among_all(engine: Engine) -> None:
    with begin_read(engine) as conn:
        every = places_of(conn, PACKS, NOW)
        assert len(every) > SCHOOLS
        assert all(len(values) == len(INDICATORS) for values in every.values())
        assert len({str(values) for values in every.values()}) == len(every)
        for (level, id_), values in every.items():
            assert current(conn, level, id_, PACKS, NOW) == tuple(values), (level, id_)


def test_another_instant_and_other_settings_are_asked_anew(engine: Engine) -> None:
    early, two = NOW - 40 * DAY, replace(PACKS, local=replace(LOCAL, issued=("kaspersky", "defender")))
    none = replace(PACKS, local=packs.Local())
    with begin_read(engine) as conn:
        first = places_of(conn, PACKS, NOW)
        for rules, now in ((PACKS, early), (two, NOW), (none, NOW)):
            every = places_of(conn, rules, now)
            assert {key: [v.numerator for v in values] for key, values in every.items()} != {
                key: [v.numerator for v in values] for key, values in first.items()
            }
            for key in (("school", 7), ("school", 9), ("commune", 2), ("province", 1)):
                assert current(conn, *key, rules, now) == tuple(every[key])
        assert current(conn, "school", 7, PACKS, NOW) == tuple(first["school", 7])


def test_what_changes_is_told_at_once(engine: Engine) -> None:
    def heard(conn: Connection) -> float | None:
        values = current(conn, "school", 8, PACKS, NOW)
        return next(value.numerator for value in values if value.indicator == "telemetry_coverage")

    with engine.connect() as conn, conn.begin() as transaction:
        before = heard(conn)
        conn.execute(update(t.membership).where(t.membership.c.school_id == 8).values(valid_to=NOW))
        assert before
        assert heard(conn) == 0
        transaction.rollback()


def test_a_large_province_is_the_same_out_of_its_series(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values, what schools declare beside them, and what they lack: as if it were counted on the spot."""
    place, scope, by = ("province", 1, PACKS), Scope("province", 1), needs.rules(PACKS, NOW)
    with begin_read(engine) as conn:
        counted = current(conn, *place, NOW)
        schools = count(conn, scope, limits_here(conn, scope, PACKS, NOW))
        lacking = needs.add_up([needs.of_school(school.counts, by) for school in schools], by)
        assert needs_kept.sums(conn, 1, by, NOW) is None
    monkeypatch.setattr(judging, "LARGE", SCHOOLS)
    monkeypatch.setattr(needs_kept, "LARGE", SCHOOLS)
    series.write(engine, PACKS, NOW, 300, {}, needs_kept.rows)
    with begin_read(engine) as conn:
        assert current(conn, *place, NOW + 60) == counted
        assert {value.declared_state for value in counted} == {"", "declared", "accepted"}
        assert needs_kept.sums(conn, 1, by, NOW + 60) == (lacking, NOW)
        assert any(one.least and one.unknown for one in lacking)
        assert needs_kept.sums(conn, 1, by, NOW + 5000) is None, "too old"
        newer = replace(PACKS, packs=tuple(_newer(pack) for pack in PACKS.packs))
        assert needs_kept.sums(conn, 1, needs.rules(newer, NOW), NOW + 60) is None, "other packs"
    with begin_write(engine) as conn:
        conn.execute(update(t.claim).values(state="returned"))
    series.write(engine, PACKS, NOW + 300, 300, {})
    with begin_read(engine) as conn:
        told = {value.indicator: value for value in current(conn, *place, NOW + 360)}
        assert told["studio"].declared is None, "what came back is declared no more"


def _newer(pack: packs.Pack) -> packs.Pack:
    return msgspec.structs.replace(pack, version=pack.version + 1)
