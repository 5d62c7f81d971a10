"""Who is where, since when; what was declared; and who may see it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, exc, select

from databases import make_database
from schoolwatch_server.database import credentials, declarations, pages, registry
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.database.tables import membership
from schoolwatch_server.scope import EVERYTHING, Scope

NOW = 1_790_000_000.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(make_database(tmp_path), tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    with begin_write(engine) as conn:
        yield conn


@pytest.fixture
def tree(conn: Connection) -> dict[str, int]:
    """Two provinces; the first with two communes; three schools."""
    a, b = registry.create_province(conn, "A", "Tỉnh A"), registry.create_province(conn, "B", "Tỉnh B")
    a1, a2 = registry.create_commune(conn, a, "A1", "Xã A1"), registry.create_commune(conn, a, "A2", "Xã A2")
    b1 = registry.create_commune(conn, b, "B1", "Xã B1")
    return {
        "A": a, "B": b, "A1": a1, "A2": a2, "B1": b1,
        "s1": registry.create_school(conn, a1, "S1", "Trường Một", "THCS", NOW),
        "s2": registry.create_school(conn, a2, "S2", "Trường Hai", "TH", NOW),
        "s3": registry.create_school(conn, b1, "S3", "Trường Ba", "THPT", NOW),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("level", "place", "schools", "communes", "provinces"),
    [
        ("all", None, {"S1", "S2", "S3"}, {"A1", "A2", "B1"}, {"A", "B"}),
        ("province", "A", {"S1", "S2"}, {"A1", "A2"}, {"A"}),
        ("commune", "A2", {"S2"}, {"A2"}, {"A"}),
        ("school", "s3", {"S3"}, {"B1"}, {"B"}),
    ],
)
def test_a_scope_sees_its_part_and_no_more(
    conn: Connection, tree: dict[str, int], level, place, schools, communes, provinces
) -> None:
    scope = Scope(level, None if place is None else tree[place])
    for school in ("s1", "s2", "s3"):
        registry.create_device(conn, tree[school], None, f"máy {school}", NOW)
    assert {row.code for row in registry.schools(conn, scope)} == schools
    assert {row.code for row in registry.communes(conn, scope)} == communes
    assert {row.code for row in registry.provinces(conn, scope)} == provinces
    assert {row.school_code for row in registry.devices(conn, scope)} == schools
    every = registry.devices(conn, EVERYTHING)
    assert {d.school_code for d in every if registry.device(conn, d.device, scope)} == schools
    assert {c for c in ("S1", "S2", "S3") if registry.school_by_code(conn, c, scope)} == schools


def test_a_move_closes_the_old_membership(conn: Connection, tree: dict[str, int]) -> None:
    device = registry.create_device(conn, tree["s1"], None, "máy", NOW)
    room = registry.create_room(conn, tree["s2"], "Phòng tin", "student_lab")
    registry.move_device(conn, device.id, tree["s2"], room, NOW + 10)
    registry.move_device(conn, device.id, tree["s2"], room, NOW + 20)
    m = membership.c
    held = conn.execute(select(m.school_id, m.valid_from, m.valid_to).order_by(m.id)).all()
    assert [tuple(row) for row in held] == [(tree["s1"], NOW, NOW + 10), (tree["s2"], NOW + 10, None)]
    moved = registry.device(conn, device.device, EVERYTHING)
    assert moved is not None
    assert (moved.school_code, moved.room, moved.role) == ("S2", "Phòng tin", "student_lab")


def test_a_devices_role_overrides_its_rooms(conn: Connection, tree: dict[str, int]) -> None:
    room = registry.create_room(conn, tree["s1"], "Phòng tin", "student_lab")
    of_room = registry.create_device(conn, tree["s1"], room, "máy 1", NOW)
    of_teacher = registry.create_device(conn, tree["s1"], room, "máy 2", NOW, role="office")
    nowhere = registry.create_device(conn, tree["s1"], None, "máy 3", NOW)
    assert (of_room.role, of_teacher.role, nowhere.role) == ("student_lab", "office", None)
    registry.set_device(conn, of_room.id, label="máy 1b", role="studio", broken=True)
    changed = registry.device(conn, of_room.device, EVERYTHING)
    assert changed is not None
    assert (changed.label, changed.role, changed.broken) == ("máy 1b", "studio", True)


def test_an_old_code_still_finds_its_school_until_another_takes_it(
    conn: Connection, tree: dict[str, int]
) -> None:
    registry.change_code(conn, tree["s1"], "S1-NEW", NOW + 5)
    for code in ("S1", "S1-NEW"):
        found = registry.school_by_code(conn, code, EVERYTHING)
        assert found is not None
        assert (found.id, found.code) == (tree["s1"], "S1-NEW")
    registry.change_code(conn, tree["s2"], "S1", NOW + 6)
    found = registry.school_by_code(conn, "S1", EVERYTHING)
    assert found is not None
    assert found.id == tree["s2"]
    assert registry.school_by_code(conn, "NONE", EVERYTHING) is None


def test_a_code_in_use_is_refused(conn: Connection, tree: dict[str, int]) -> None:
    with pytest.raises(RegistryError, match="already in use"):
        registry.create_school(conn, tree["A1"], "S3", "Trường khác", "TH", NOW)


def test_the_newest_declared_number_counts_and_zero_is_a_number(
    conn: Connection, tree: dict[str, int]
) -> None:
    declarations.declare(conn, tree["s1"], "students", 500, NOW, "admin")
    declarations.declare(conn, tree["s1"], "students", 620, NOW + 1, "admin")
    declarations.declare(conn, tree["s1"], "student_devices", 0, NOW, "admin")
    by_code = {row.code: row.declared for row in registry.schools(conn, EVERYTHING)}
    assert by_code == {"S1": {"students": 620, "student_devices": 0}, "S2": {}, "S3": {}}


@pytest.mark.parametrize(
    ("quantity", "value"), [("teachers", 1), ("students", -1), ("students", float("nan"))]
)
def test_what_cannot_be_declared_is_refused(conn: Connection, tree, quantity: str, value: float) -> None:
    with pytest.raises(RegistryError):
        declarations.declare(conn, tree["s1"], quantity, value, NOW, "admin")


def test_a_role_or_room_that_does_not_fit_is_refused(conn: Connection, tree: dict[str, int]) -> None:
    room = registry.create_room(conn, tree["s1"], "Phòng tin", "student_lab")
    with pytest.raises(RegistryError, match="none of"):
        registry.create_room(conn, tree["s1"], "Kho", "storage")
    with pytest.raises(RegistryError, match="is not of school"):
        registry.create_device(conn, tree["s2"], room, "máy", NOW)


def test_a_device_is_in_one_place_only(conn: Connection, tree: dict[str, int]) -> None:
    device = registry.create_device(conn, tree["s1"], None, "máy", NOW)
    row = {"device_id": device.id, "school_id": tree["s2"], "valid_from": NOW}
    with pytest.raises(exc.IntegrityError):
        conn.execute(membership.insert().values(**row))


def test_credentials_are_set_found_replaced_and_revoked(engine: Engine, conn: Connection, tree) -> None:
    device = registry.create_device(conn, tree["s1"], None, "máy", NOW)
    assert credentials.find(conn, [device.device]) == {}
    credentials.set_credential(conn, device.id, b"k" * 32, "$7$101$a$b", NOW)
    credentials.set_credential(conn, device.id, b"l" * 32, "$7$101$c$d", NOW + 1)
    found = credentials.find(conn, [device.device, "f" * 32])[device.device]
    assert (found.device_id, found.frame_key, found.revoked) == (device.id, b"l" * 32, False)
    assert "llll" not in repr(found)
    assert credentials.passwords(conn) == {device.device: "$7$101$c$d"}
    registry.retire_device(conn, device.id, NOW + 2)
    assert credentials.find(conn, [device.device])[device.device].revoked
    assert credentials.passwords(conn) == {}
    assert registry.devices(conn, EVERYTHING) == ()


def test_a_reader_sees_one_snapshot(engine: Engine) -> None:
    with begin_read(engine) as reader:
        assert registry.provinces(reader, EVERYTHING) == ()
        with begin_write(engine) as writer:
            registry.create_province(writer, "A", "Tỉnh A")
        assert registry.provinces(reader, EVERYTHING) == ()
    with begin_read(engine) as reader:
        assert len(registry.provinces(reader, EVERYTHING)) == 1


def test_places_rooms_and_devices_stand_as_people_look_for_them(conn: Connection) -> None:
    """Numbers count as numbers, and đ comes after d: not as the database's bytes would have it."""
    province = registry.create_province(conn, "P", "Tỉnh")
    names = ["Xã 10", "Xã Đông", "Xã 2", "Xã Dân"]
    communes = [registry.create_commune(conn, province, name, name) for name in names]
    schools = [
        registry.create_school(conn, communes[0], name, name, "", NOW)
        for name in ("Tiểu học 10", "Tiểu học 9", "Tiểu học Ấp Bắc", "Tiểu học An")
    ]
    for name in ("Máy 10", "Máy 9"):
        registry.create_room(conn, schools[0], f"Phòng {name}", "office")
        registry.create_device(conn, schools[0], None, name, NOW)
    assert [c.name for c in registry.communes(conn, EVERYTHING)] == ["Xã 2", "Xã 10", "Xã Dân", "Xã Đông"]
    assert [s.name.removeprefix("Tiểu học ") for s in registry.schools(conn, EVERYTHING)] == [
        "9", "10", "An", "Ấp Bắc",
    ]  # fmt: skip
    assert [d.label for d in registry.devices(conn, EVERYTHING)] == ["Máy 9", "Máy 10"]
    assert [r.name for r in pages.rooms(conn, schools[0])] == ["Phòng Máy 9", "Phòng Máy 10"]
