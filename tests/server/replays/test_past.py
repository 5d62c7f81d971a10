"""What watches find in the past is what they found while it went on: same looks, same incidents."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, update

from reports import NOW, World
from schoolwatch_contract.records import Reading
from schoolwatch_server import packs, rules, watching
from schoolwatch_server.config import of_data
from schoolwatch_server.database import hearings, journal, judged, registry, replaying, retention
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.past import open_past
from schoolwatch_server.database.past_rows import Part
from schoolwatch_server.intake.batch import take
from schoolwatch_server.replays import places
from schoolwatch_server.replays.histories import HISTORIES
from schoolwatch_server.replays.job import Larger, Place
from schoolwatch_server.replays.wanted import Wanted, prepare
from schoolwatch_server.replays.watched import Version, follow
from schoolwatch_server.rules.load import SHIPPED
from schoolwatch_server.school_time import DAY
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store.series import Judged

Happens = tuple[float, Callable[[], object]]
Incident = tuple[str, float, float, float | None]
BY_ID = {rule.id: rule for rule in rules.load()}
PACKS = packs.load()
HOUR = 3600.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.engine.dispose()


def lived(
    world: World, names: Sequence[str], happens: Sequence[Happens], instants: Sequence[float]
) -> dict[str, list[Incident]]:
    """What watches opened while things happened."""
    config, looked = of_data(world.folder), {}
    coming = sorted(happens, key=lambda one: one[0])
    for now in instants:
        while coming and coming[0][0] <= now:
            coming.pop(0)[1]()
        watching.look(world.engine, config, [BY_ID[name] for name in names], PACKS, (), looked, now)
    i = t.incident.c
    with begin_read(world.engine) as conn:
        rows = conn.execute(select(i.rule, i.subject, i.since, i.opened_at, i.closed_at)).all()
    return {name: sorted(tuple(row[1:]) for row in rows if row.rule == name) for name in names}


def replayed(
    world: World, name: str, instants: Sequence[float], place: Place | None = None
) -> list[Incident]:
    """What it finds there afterwards."""
    rule = BY_ID[name]
    part = places._part([rule], place or Place((world.school,), (1,), (1,)), PACKS)
    assert part.needs == HISTORIES[rule.id].needs
    with begin_read(world.engine) as conn:
        begin = min(journal.held_since(conn, NOW), instants[0])
        real = replaying.real(conn, rule.silenced_by, begin, instants[-1])
    larger = [Larger(one.rule, one.subject, one.opened_at, one.closed_at or 1e12) for one in real]
    past, version = open_past(world.engine, part, begin, instants[-1]), Version(rule)
    looks = follow(past, of_data(world.folder), PACKS, [version], instants, larger)
    assert len(list(looks)) == len(instants)
    past.close()
    return sorted((one.subject, one.since, one.at, one.until) for one in version.finds.found)


def every(seconds: float, hours: float) -> list[float]:
    return [NOW + n * seconds for n in range(int(hours * HOUR / seconds))]


def writing(world: World, do: Callable[[Connection], object]) -> Callable[[], None]:
    def write() -> None:
        with begin_write(world.engine) as conn:
            do(conn)

    return write


# --- sites -------------------------------------------------------------------------------------------------


def looks(world: World, *told: tuple[float, dict]) -> list[Happens]:
    """Looks at the school's site: hours from `NOW`, and what differs from one in order."""
    fine = {
        "is_up": True, "trouble": "", "trouble_v4": "", "status_v4": 200, "seconds_v4": 0.1, "https_v4": True,
        "trouble_v6": "", "status_v6": 200, "seconds_v6": 0.1, "https_v6": True, "has_ipv6": True,
        "is_trusted": True, "tls_trouble": "", "tls_version": "TLSv1.3", "issuer": "X",
        "expires_at": NOW + 300 * DAY, "leads_to_https": True,
    }  # fmt: skip
    site = {"school_id": world.school, "address": "https://truong.example/", "set_by": "a", "due_at": NOW}
    with begin_write(world.engine) as conn:
        made = conn.execute(insert(t.site).values(valid_from=NOW - 99 * DAY, **site)).inserted_primary_key
    rows = [{**fine, "site_id": made[0], "at": NOW + at * HOUR, **more} for at, more in told]
    return [
        (row["at"], writing(world, lambda conn, row=row: conn.execute(insert(t.site_look).values(**row))))
        for row in rows
    ]


def test_sites(world: World) -> None:
    down, untrusted = {"is_up": False, "trouble": "refused"}, {"is_trusted": False, "tls_trouble": "expired"}
    soon, bare = {"expires_at": NOW + 14 * DAY}, {"has_ipv6": False}
    happens = looks(
        world, (-30 * 24, {}), (1, {}), (2, down), (3, down), (5, {}), (6, untrusted), (20, untrusted),
        (22, {}), (23, soon), (30, {}), (31, bare), (60, bare), (61, {"is_up": None, "trouble": "our_line"}),
        (62, down), (70, {}),
    )  # fmt: skip
    instants = every(3600, 75)
    found = lived(
        world, ("site_down", "site_untrusted", "site_certificate", "site_ipv6_lost"), happens, instants
    )
    for name, its in found.items():
        assert its, name
        assert replayed(world, name, instants) == its, name
    with begin_read(world.engine) as conn:
        assert replaying.looked_since(conn) == NOW - 30 * DAY


# --- indicators --------------------------------------------------------------------------------------------


def test_indicators_of_schools_and_of_places(world: World) -> None:
    name, target = next(
        (name, one.target)
        for pack in PACKS.packs
        for name, one in pack.indicators.items()
        if one.target is not None and not one.target.applies_to and one.better == "higher"
    )
    good, bad = target.value, target.value / 2

    def value(at: float, told: float | None, **tags: str) -> Happens:
        row = Judged("indicator", {"indicator": name, **tags}, NOW + at * DAY, told, None, None, None, "p")
        return NOW + at * DAY, writing(world, lambda conn: judged.write(conn, [row]))

    school = {"level": "school", "school": str(world.school), "commune": "1", "province": "1"}
    happens = [value(at, good, **school) for at in (-40, -20, 0)]
    happens += [value(at, bad, **school) for at in (1, 2, 3, 5)]
    happens += [value(at, good, **school) for at in (7, 8)] + [
        value(9, None, **school),
        value(11, bad, **school),
    ]
    for level in ("commune", "province"):
        tags = {"level": level, "commune": "1", "province": "1"}
        tags = tags if level == "commune" else {"level": level, "province": "1"}
        happens += [value(at, good if at < 4 else bad, **tags) for at in range(-2, 20)]
    instants = every(DAY, 20 * 24)
    found = lived(world, ("indicator_fell", "indicator_fell_widely"), happens, instants)
    for rule, its in found.items():
        assert its, rule
        assert replayed(world, rule, instants) == its, rule


# --- what computers report ---------------------------------------------------------------------------------


def rungs(top: int) -> tuple[Reading, ...]:
    return (
        *(Reading("ipv6.rung", float(n <= top), {"rung": str(n)}) for n in range(9)),
        Reading("probe.ok", 1.0, {"probe": "ipv6"}),
    )


def test_ipv6_that_a_school_lost(world: World) -> None:
    happens: list[Happens] = []
    for n, pc in enumerate(world.enrol(5)):
        for seq in range(1, 80):
            at = NOW + seq * 900 + n * 60
            lost = 20 <= seq < 50 and n < 4
            late = 40 * 900 if n == 3 and 30 <= seq < 35 else 0
            message = pc.message(seq, at=at + late, taken_at=at, readings=rungs(0 if lost else 8))
            happens.append((at + late, lambda m=message: take(world.engine, [m], Rules())))
    instants = every(900, 22)
    found = lived(world, ["ipv6_lost"], happens, instants)["ipv6_lost"]
    assert len(found) == 1
    assert replayed(world, "ipv6_lost", instants) == found


def test_a_slow_line(world: World) -> None:
    (pc,) = world.enrol()
    with begin_write(world.engine) as conn:
        conn.execute(insert(t.line_contract).values(school_id=world.school, isp="VNPT", download_mbps=100.0))
        conn.execute(insert(t.line_tester).values(school_id=world.school, device_id=pc.id))
    happens: list[Happens] = []
    for seq in range(1, 70):
        at, speed = NOW + seq * 6 * HOUR, 20e6 if 20 <= seq < 45 else 95e6
        readings = (Reading("bandwidth.download", speed, {"family": "4"}), Reading("bandwidth.upload", 9e7))
        message = pc.message(seq, at=at, readings=readings)
        happens.append((at, lambda m=message: take(world.engine, [m], Rules())))
    instants = every(6 * HOUR, 70 * 6)
    found = lived(world, ["line_slow"], happens, instants)["line_slow"]
    assert len(found) == 1
    seen = [now for now in instants if now > NOW + 10 * 6 * HOUR]  # the newest 60 tests are kept
    again = replayed(world, "line_slow", seen)
    assert again == found


def test_refused_frames(world: World) -> None:
    nothing = {"topic": "", "reason": "mac", "detail": "", "verified": False, "size": 1, "frame": b""}
    happens = [
        (
            at,
            writing(
                world,
                lambda conn, at=at: conn.execute(insert(t.quarantine).values(received_at=at, **nothing)),
            ),
        )
        for at in (NOW + 2 * HOUR + n * 10 for n in range(160))
    ]
    instants = every(300, 8)
    found = lived(world, ["quarantine_growth"], happens, instants)["quarantine_growth"]
    assert len(found) == 1
    assert replayed(world, "quarantine_growth", instants, Place(None)) == found


# --- what a pruned journal still tells ---------------------------------------------------------------------


def test_of_a_pruned_journal_it_is_remembered_who_was_heard_on_which_days(world: World) -> None:
    (pc,) = world.enrol()
    for seq in range(1, 40):
        at = NOW + (seq - 1) * DAY
        take(world.engine, [pc.message(seq, at=at)], Rules())
        with begin_write(world.engine) as conn:
            hearings.note(conn, at)
    with begin_write(world.engine) as conn:
        journal.create_cursor(conn, "rules", NOW)
        conn.execute(update(t.cursor).values(position=1 << 40))
        conn.execute(t.dirty.delete())
    retention.prune(world.engine, NOW + 39 * DAY)
    with begin_read(world.engine) as conn:
        begin = journal.held_since(conn, NOW)
        assert begin > NOW + 20 * DAY, "the rest is gone"
    text = (SHIPPED / "line_down.yaml").read_text(encoding="utf-8")
    prepared = prepare(
        world.engine, of_data(world.folder), "line_down", [text], Wanted(), EVERYTHING, NOW + 39 * DAY
    )
    assert prepared.since == prepared.job.start == begin + DAY, "until then nobody knows who was heard last"
    assert prepared.job.begin == begin
    past = open_past(world.engine, Part((world.school,), needs=frozenset({"hearing"})), begin, NOW + 39 * DAY)
    past.to(begin + 1)
    ((one,),) = hearings.of_schools(past.conn, [world.school]).values()
    assert one.days.bit_count() >= 24
    past.to(NOW + 38 * DAY + 1)
    ((after,),) = hearings.of_schools(past.conn, [world.school]).values()
    assert after.at == NOW + 38 * DAY
    past.close()


def test_a_computer_is_in_the_school_where_it_was(world: World) -> None:
    (pc,) = world.enrol()
    with begin_write(world.engine) as conn:
        commune = conn.scalar(select(t.school.c.commune_id).where(t.school.c.id == world.school))
        other = registry.create_school(conn, commune, "E", "Trường", "TH", NOW)
        registry.move_device(conn, pc.id, other, None, NOW + 10 * DAY)
    part = Part((world.school, other), needs=frozenset())
    past = open_past(world.engine, part, NOW + DAY, NOW + 20 * DAY)
    past.to(NOW + 2 * DAY)
    assert set(hearings.of_schools(past.conn, [world.school, other])) == {world.school}
    past.to(NOW + 11 * DAY)
    assert set(hearings.of_schools(past.conn, [world.school, other])) == {other}
    past.close()
