"""What lists, checks by hand, contracts and claims say of schools, out of a real database; by hand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, Engine, insert, update

from databases import make_database
from schoolwatch_server import lifecycle, packs
from schoolwatch_server.database import declarations, registry, reorganised
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.counts import count
from schoolwatch_server.database.engine import begin_write, open_database
from schoolwatch_server.indicators import current
from schoolwatch_server.indicators.indicator import Counts, IndicatorValue
from schoolwatch_server.indicators.limits import limits_here
from schoolwatch_server.line_history import SpeedTest
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.use import newest_settled

NOW = datetime(2026, 11, 29, 3, tzinfo=UTC).timestamp()
DAY = 86400.0
PACKS = packs.load()


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[Connection]:
    engine: Engine = open_database(make_database(tmp_path), tmp_path)
    with begin_write(engine) as conn:
        yield conn
    engine.dispose()


def school(conn: Connection, level: str = "THCS", code: str = "S1") -> int:
    provinces = registry.provinces(conn, EVERYTHING)
    if provinces:
        commune = registry.communes(conn, EVERYTHING)[0].id
    else:
        commune = registry.create_commune(conn, registry.create_province(conn, "P", "Tỉnh"), "C", "Xã")
    return registry.create_school(conn, commune, code, f"Trường {code}", level, 0.0)


def computer(conn: Connection, school: int, room: int | None, *, broken: bool = False, **seen) -> int:
    device = registry.create_device(conn, school, room, "", 0.0, role=seen.pop("role", None)).id
    row = {"device_id": device, "seq": 1, "agent": "1", "taken_at": NOW - DAY, "heard_at": NOW - DAY, **seen}
    conn.execute(insert(t.state).values(**row))
    if broken:
        conn.execute(update(t.device).where(t.device.c.id == device).values(broken=True))
    return device


def class_of(conn: Connection, school: int, name: str, students: int, room: int | None, **more) -> None:
    row = {"school_year": "2026-2027", "stage": "THCS", "year_ends": NOW + 200 * DAY, **more}
    values = {"school_id": school, "name": name, "students": students, "room_id": room}
    conn.execute(insert(t.school_class).values(**values, **row))


def counted(conn: Connection, of: int, rules: packs.Packs = PACKS, now: float = NOW) -> Counts:
    limits = limits_here(conn, EVERYTHING, rules, now)
    (found,) = [each.counts for each in count(conn, EVERYTHING, limits) if each.school_id == of]
    return found


def value(conn: Connection, of: int, name: str, now: float = NOW, rules=PACKS) -> IndicatorValue:
    return {v.indicator: v for v in current.current(conn, "school", of, rules, now)}[name]


def test_a_lab_of_two_campuses_serves_one_class_at_a_time(conn: Connection) -> None:
    of = school(conn)
    main, second = (
        conn.execute(insert(t.campus).values(school_id=of, name=name)).inserted_primary_key[0]
        for name in ("Chính", "Lẻ")
    )
    lab = registry.create_room(conn, of, "Phòng máy", "student_lab", 12)
    conn.execute(update(t.room).where(t.room.c.id == lab).values(campus_id=main))
    room = registry.create_room(conn, of, "Lớp lẻ", "classroom")
    conn.execute(update(t.room).where(t.room.c.id == room).values(campus_id=second))
    for _ in range(10):
        computer(conn, of, lab)
    computer(conn, of, lab, broken=True)
    computer(conn, of, lab, broken=True)
    computer(conn, of, lab, role="office")  # the teacher's
    class_of(conn, of, "6A", 18, lab)
    class_of(conn, of, "6B của điểm lẻ", 20, lab)
    class_of(conn, of, "6C", 0, lab)
    # 10 of 12 work, the 11th of the room is the teacher's; the worst class has 20: 20 / 10
    got = value(conn, of, "students_per_computer_in_lesson")
    assert (got.value, got.denominator, got.coverage, got.meets) == (2.0, 10, 1.0, True)
    assert value(conn, of, "informatics_rooms").value == 1


def test_all_computers_broken_is_no_ratio_and_not_met(conn: Connection) -> None:
    of = school(conn)
    lab = registry.create_room(conn, of, "Phòng máy", "student_lab", 2)
    declarations.declare(conn, of, "students", 90, NOW, "test")
    declarations.declare(conn, of, "student_devices", 2, NOW, "test")
    computer(conn, of, lab, broken=True)
    computer(conn, of, lab, broken=True)
    class_of(conn, of, "6A", 18, lab)
    lesson = value(conn, of, "students_per_computer_in_lesson")
    assert (lesson.value, lesson.reason, lesson.meets, lesson.declared) == (None, "none_working", False, 9.0)
    whole = value(conn, of, "students_per_computer")
    assert (whole.value, whole.reason, whole.declared) == (None, "none_working", 45.0)


@pytest.mark.parametrize(
    ("declared", "checked", "days", "by_hand"),
    [
        # 12 of 20 have an agent, 10 of these work; a person counted 16: 16 - 10 = 6 without one work
        (20, 16, 10, 6),
        # 20 - 12 = 8 have none, so no more than these are added
        (20, 20, 10, 8),
        # agents tell of more than were counted: nothing is added
        (20, 9, 10, 0),
        # the number of the room is not declared: of 16 the 12 with an agent were counted
        (None, 16, 10, 4),
        (20, 16, 89, 6),
        # a check of 91 days ago says nothing any more
        (20, 16, 91, None),
    ],
)
def test_computers_without_an_agent_count_by_a_check_for_90_days(
    conn: Connection, declared: int | None, checked: int, days: float, by_hand: int | None
) -> None:
    of = school(conn)
    lab = registry.create_room(conn, of, "Phòng máy", "student_lab", declared)
    for number in range(12):
        computer(conn, of, lab, broken=number >= 10)
    row = {"room_id": lab, "computers_working": checked, "checked_by": "test"}
    conn.execute(insert(t.hand_check).values(checked_at=NOW - days * DAY, **row))
    conn.execute(insert(t.hand_check).values(checked_at=NOW - 200 * DAY, **(row | {"computers_working": 1})))
    (found,) = counted(conn, of).labs
    assert (found.working, found.known, found.by_hand) == (10, 12, by_hand)


def test_summer_and_tet_break_no_lab(conn: Connection) -> None:
    of = school(conn)
    lab = registry.create_room(conn, of, "Phòng máy", "student_lab", 1)
    late_may = datetime(2026, 5, 20, 3, tzinfo=UTC).timestamp()
    computer(conn, of, lab, taken_at=late_may, heard_at=late_may)
    # 11 days of May and 4 of September: 15 of school, though 107 have passed
    assert counted(conn, of, now=datetime(2026, 9, 4, 3, tzinfo=UTC).timestamp()).labs[0].working == 1
    # 11 days of May and 21 of September are 32, one of them National Day
    assert counted(conn, of, now=datetime(2026, 9, 21, 3, tzinfo=UTC).timestamp()).labs[0].working == 0
    january = datetime(2027, 1, 10, 3, tzinfo=UTC).timestamp()
    computer(conn, of, lab, taken_at=january, heard_at=january)
    # 38 days later, 9 of them Tết
    assert counted(conn, of, now=datetime(2027, 2, 17, 3, tzinfo=UTC).timestamp()).labs[0].working == 1


def test_a_school_merged_in_july_2025_is_counted_once(conn: Connection) -> None:
    gone, stays = school(conn, "TH", "OLD"), school(conn, "TH&THCS", "NEW")
    old_lab = registry.create_room(conn, gone, "Phòng máy cũ", "student_lab", 5)
    new_lab = registry.create_room(conn, stays, "Phòng máy", "student_lab", 10)
    for room, of, number in ((old_lab, gone, 5), (new_lab, stays, 10)):
        for _ in range(number):
            computer(conn, of, room, firewall=True)
    class_of(conn, gone, "5A", 30, old_lab, stage="TH")
    class_of(conn, stays, "6A", 15, new_lab)
    for of, number in ((gone, 5), (stays, 10)):
        declarations.declare(conn, of, "devices", number, NOW, "test")
    july = datetime(2025, 7, 1, tzinfo=UTC).timestamp()
    reorganised.merge_schools(conn, gone, stays, july, "test")
    assert current.current(conn, "school", gone, PACKS, NOW) == ()
    declarations.declare(conn, stays, "devices", 15, NOW, "test")
    province = registry.provinces(conn, EVERYTHING)[0].id
    commune = {v.indicator: v for v in current.current(conn, "province", province, PACKS, NOW)}
    # the 5 computers of the old school are the new one's: 15 of 15, and one school instead of two
    assert (commune["host_firewall"].numerator, commune["host_firewall"].denominator) == (15, 15)
    assert commune["informatics_rooms"].denominator == 1


def test_classes_are_those_of_the_school_year_in_force(conn: Connection) -> None:
    of = school(conn)
    lab = registry.create_room(conn, of, "Phòng máy", "student_lab", 10)
    class_of(conn, of, "6A", 30, lab, school_year="2025-2026")
    class_of(conn, of, "6A", 25, lab, group_students=13)
    class_of(conn, of, "6A", 99, lab, school_year="2027-2028")
    assert [(c.students, c.taught) for c in counted(conn, of).classes] == [(25, 13)]
    june = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
    assert [(c.students, c.taught) for c in counted(conn, of, now=june).classes] == [(30, 30)]


def test_contracts_count_while_they_hold(conn: Connection) -> None:
    of = school(conn)
    row = {"school_id": of, "technology": "fibre", "download_mbps": 100.0}
    for isp, starts, ends in (("Cũ", None, NOW - DAY), ("Nay", NOW - DAY, None), ("Sau", NOW + DAY, None)):
        conn.execute(insert(t.line_contract).values(isp=isp, starts=starts, ends=ends, **row))
    assert [c.provider for c in counted(conn, of).contracts] == ["Nay"]
    second = value(conn, of, "several_providers")
    assert (second.meets, second.encouraged) == (False, True)  # documents only recommend a second line
    assert not value(conn, of, "fibre").encouraged


def test_rooms_show_their_network_by_a_computer_or_a_person(conn: Connection) -> None:
    of = school(conn)
    lab = registry.create_room(conn, of, "Phòng máy", "student_lab")
    stick = registry.create_room(conn, of, "Không mạng", "classroom")
    for room, by_stick in ((lab, False), (stick, True)):
        device = computer(conn, of, room)
        row = {"device_id": device, "spool": "s", "heard_at": NOW - DAY, "clock_offset": 0.0}
        conn.execute(insert(t.generation).values(at_its_word=by_stick, **row))
    rows = [
        (stick, "tv", True, None, True),  # what came on a stick shows no network: unknown
        # projects and is connected by a computer: equipped
        (lab, "projector", True, None, True),
        (None, "tv", True, NOW - 10 * DAY, True),  # equipped, by hand
        (None, "tv", True, NOW - 91 * DAY, True),  # the look was too long ago: unknown
        (None, "projector", False, NOW - DAY, True),  # broken: known not to be
        (None, "none", None, None, True),  # known not to be
        (None, "", None, NOW - DAY, True),  # nobody said whether it projects: unknown
        (None, "tv", True, NOW - DAY, False),  # not in use
    ]
    for number, (room, projection, ok, seen_at, in_use) in enumerate(rows):
        id_ = room or registry.create_room(conn, of, f"P{number}", "classroom")
        made = {"projection": projection, "projection_ok": ok, "internet_by_hand_at": seen_at}
        conn.execute(update(t.room).where(t.room.c.id == id_).values(in_use=in_use, **made))
    registry.create_room(conn, of, "Văn phòng", "office")
    found = counted(conn, of).classrooms
    assert (found.rooms, found.connected, found.connected_by_hand) == (7, 4, 3)
    assert (found.equipped, found.equipped_known) == (2, 4)


def test_assets_claims_tests_and_use_are_read_by_school(conn: Connection) -> None:
    of = school(conn)
    other = school(conn, code="S2")
    lab = registry.create_room(conn, of, "Phòng máy", "student_lab")
    first, second = computer(conn, of, lab), computer(conn, of, lab)
    whole = {
        "school_id": of,
        "tag": "TS1",
        "name": "Máy 1",
        "room_id": lab,
        "purpose": "Dạy học",
        "status": "in_use",
        "has_serial": True,
        "support_ends": NOW + DAY,
        "responsible": "Giáo viên Tin học",
        "device_id": first,
    }
    conn.execute(insert(t.asset).values(**whole))
    conn.execute(insert(t.asset).values(**(whole | {"tag": "TS2", "responsible": "", "device_id": None})))
    tests = [SpeedTest(NOW - n * DAY, speed, 5e6) for n, speed in ((1, 8e7), (2, 6e7), (3, None), (40, 1e6))]
    conn.execute(
        update(t.state).where(t.state.c.device_id == second).values(line_tests=msgspec.msgpack.encode(tests))
    )
    conn.execute(insert(t.line_tester).values(school_id=of, device_id=second))
    claim = {"school_id": of, "question": "studio", "text": "", "created_by": "x", "created_at": 1.0}
    for revision, answer, state in ((1, 1.0, "accepted"), (2, 0.0, "submitted")):
        conn.execute(
            insert(t.claim).values(
                revision=revision, value=answer, state=state, as_of="2026-10-01", changed_at=2.0, **claim
            )
        )
    use = {f"{q}_{p}": 0 for q in ("active", "boots") for p in ("devices", "device_days")}
    for room, devices, total in (
        (lab, 6, 6 * 5 * 7200.0),
        (registry.create_room(conn, of, "B", "student_lab"), 2, None),
    ):
        conn.execute(
            insert(t.room_use).values(
                room_id=room, week=newest_settled(NOW), days=5, on_devices=devices,
                on_device_days=devices * 5, on_total=total, **use,
            )
        )  # fmt: skip
    found = counted(conn, of)
    # one complete record of two, and one computer without any
    assert (found.assets.records, found.assets.complete, found.assets.devices_without) == (2, 1, 1)
    # three tests in 30 days of school, the median of the two that were not held back is 70 Mbit/s
    assert (found.line.tests, found.line.download, found.line.upload) == (3, 7e7, 5e6)
    # what was submitted and not accepted does not count yet
    assert (found.said["studio"].value, found.said["studio"].state) == (1.0, "accepted")
    # two hours a day in the lab that may be told, the other has too few computers
    assert (found.use.labs, found.use.told, found.use.seconds_on, found.use.device_days) == (
        2,
        1,
        216000.0,
        30,
    )
    assert value(conn, of, "lab_use").value is None  # half of the labs is not enough
    assert counted(conn, other).assets.records == 0
    assert current.current(conn, "school", other, PACKS, NOW)


def test_the_issued_antivirus_must_run_guard_and_be_young(conn: Connection) -> None:
    of = school(conn)
    fine = {"antivirus": "kav kaspersky endpoint", "realtime": True, "signature_age": 13 * DAY}
    for seen in (
        fine,
        fine | {"signature_age": 15 * DAY},  # out of date: known
        fine | {"realtime": False},  # known
        fine | {"realtime": None},  # unknown
        fine | {"signature_age": None},  # unknown
        fine | {"antivirus": "defender"},  # another one: known
        fine | {"antivirus": "?\ndefender"},  # there may be more: unknown
        fine | {"antivirus": ""},  # none: known
        fine | {"antivirus": None},  # unknown
    ):
        computer(conn, of, None, **seen)
    rules = replace(PACKS, local=packs.Local(issued=("Kaspersky  ENDPOINT",)))
    got = counted(conn, of, rules).issued
    assert (got.yes, got.known) == (1, 5)
    assert counted(conn, of).issued_named is False
    odd = replace(PACKS, local=packs.Local(issued=("%",)))
    assert counted(conn, of, odd).issued.yes == 0  # a sign of LIKE is a sign of the name


def test_safeguards_and_age_are_yes_no_or_unknown(conn: Connection) -> None:
    of = school(conn)
    rules = replace(PACKS, local=packs.Local(systems=lifecycle.load()))
    sound = {
        "patch_age": 30 * DAY,
        "least_length": 14.0,
        "lock_after": 900.0,
        "accounts_closed": True,
        "bios_date": "2024-01-01",
        "memory": 8e9,
        "os": "Windows 11\t25H2\tProfessional",
        "server_latency": 0.02,
        "server_jitter": 0.005,
        "server_loss": 0.0,
        "is_server": True,
        "backup_age": 6 * DAY,
    }
    computer(conn, of, None, **sound)
    computer(conn, of, None)  # tells nothing: in no pair
    for seen in (
        {"patch_age": 32 * DAY},
        {"least_length": 8.0},
        {"lock_after": 0.0},
        {"lock_after": 901.0},
        {"bios_date": "2021-01-01"},
        {"memory": 2e9},
        {"disk_failing": True},
        {"os": "Windows 7\t\tProfessional"},
        {"server_loss": 0.05},
        {"is_server": True, "backup_age": 8 * DAY},
    ):
        computer(conn, of, None, **seen)
    found = counted(conn, of, rules)
    pairs = {
        name: (getattr(found, name).yes, getattr(found, name).known)
        for name in ("patched", "accounts", "due", "supported", "quality", "backed_up")
    }
    assert pairs == {
        "patched": (1, 2),
        "accounts": (1, 4),
        "due": (4, 5),  # old, small, failing, unsupported; the sound one is known not to be
        "supported": (1, 2),
        "quality": (1, 2),
        "backed_up": (1, 2),
    }
    assert found.servers == 2


def test_clocks_are_right_wrong_or_unmeasured(conn: Connection) -> None:
    of = school(conn)
    for offsets, live in (
        ((5.0,), True),
        ((-59.0,), True),
        ((3600.0,), True),
        ((3600.0, 2.0), True),  # the newest counts: it was set right
        ((3600.0,), False),  # at its word: nobody has measured it
        ((), True),
    ):
        device = computer(conn, of, None)
        for number, offset in enumerate(offsets):
            row = {"device_id": device, "spool": f"s{number}", "heard_at": NOW}
            conn.execute(insert(t.generation).values(clock_offset=offset, at_its_word=not live, **row))
    found = counted(conn, of).clocks
    assert (found.yes, found.known) == (3, 4)
    declarations.declare(conn, of, "devices", 5, NOW, "test")  # the 4 that were measured are 80 %
    assert ("L8_no", 1) in value(conn, of, "lan_standard").parts  # 3 of 4 are not 90 %


def test_a_scope_reads_its_own_lists(conn: Connection) -> None:
    first, second = school(conn), school(conn, code="S2")
    for of in (first, second):
        room = registry.create_room(conn, of, "A", "student_lab", 3)
        class_of(conn, of, "6A", 30, room)
    limits = limits_here(conn, Scope("school", first), PACKS, NOW)
    (one,) = count(conn, Scope("school", first), limits)
    assert (one.school_id, len(one.counts.labs), len(one.counts.classes)) == (first, 1, 1)
