"""A school that merged in July 2025, and one that was split: devices, rooms, lists, codes, credentials."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from reports import World
from schoolwatch_server import fleet, packs, rosters
from schoolwatch_server.database import audit, contacts, declarations, pages, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.counts import count
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.indicators.limits import limits
from schoolwatch_server.schools import Named
from schoolwatch_server.scope import EVERYTHING, Scope

NOW = datetime(2025, 7, 1, 3, tzinfo=UTC).timestamp()

LISTS: dict[rosters.Name, str] = {
    "campus": "Mã trường,Điểm trường\nS,Điểm Núi\nN,Điểm Núi\n",
    "room": "Mã trường,Phòng,Loại phòng,Số máy,Điểm trường,Trình chiếu\n"
    "S,Phòng Tin,Phòng máy,30,,\nN,Phòng Tin,Phòng máy,20,,Tivi\nN,Lớp 6A,Phòng học,,Điểm Núi,Máy chiếu\n",
    "class": "Mã trường,Năm học,Lớp,Cấp học,Sĩ số,Phòng máy\nS,2025-2026,6A,THCS,40,Phòng Tin\n"
    "N,2025-2026,6A,THCS,35,Phòng Tin\nN,2023-2024,6A,THCS,33,\n",
    "contract": "Mã trường,Nhà mạng,Đến ngày\nS,VNPT,\nN,VNPT,31/12/2026\nN,FPT,31/12/2024\n",
    "asset": "Mã trường,Mã tài sản,Tên tài sản,Phòng\nS,TS-1,Máy in,\nN,TS-1,Máy chiếu,Lớp 6A\n",
    "contact": "Mã trường,Vai trò,Họ tên,SĐT\nS,Đầu mối CNTT,Lan,0912345678\nN,Đầu mối CNTT,Nam,0987654321\n",
    "check": "Mã trường,Phòng,Ngày kiểm tra,Số máy hoạt động\nN,Phòng Tin,20/06/2025,17\n",
}


@pytest.fixture
def two(world: World) -> int:
    """The school S, another one N with a lab and a class, and a device in the lab of each."""
    with begin_write(world.engine) as conn:
        commune = registry.communes(conn, EVERYTHING)[0].id
        other = registry.create_school(conn, commune, "N", "Trường THCS Núi", "THCS", NOW - 9e6)
        conn.execute(t.school.update().values(level="THCS"))
    for name, text in LISTS.items():
        found = rosters.take_in(world.engine, name, text.encode(), EVERYTHING, by="lan", now=NOW - 100)
        assert found.plan.problems == (), name
    return other


def place(world: World, device: str, code: str, room: str) -> None:
    fleet.move(world.engine, device, code, room, EVERYTHING, by="lan", now=NOW - 50)


def keys(world: World) -> list[tuple[bytes, str]]:
    with begin_read(world.engine) as conn:
        c = t.credential.c
        return [
            (row.frame_key, row.password_hash) for row in conn.execute(select(c.frame_key, c.password_hash))
        ]


def test_a_merged_school_brings_its_rooms_lists_and_devices_along(world: World, two: int) -> None:
    mine, theirs = world.enrol(2)
    place(world, mine.device, "S", "Phòng Tin")
    place(world, theirs.device, "N", "Phòng Tin")
    before = keys(world)
    assert fleet.merge(world.engine, "N", "S", by="lan", now=NOW) == 1
    assert keys(world) == before
    with begin_read(world.engine) as conn:
        rooms = {
            row["name"]: row
            for row in conn.execute(select(t.room).where(t.room.c.school_id == world.school)).mappings()
        }
        campuses = dict(
            conn.execute(
                select(t.campus.c.id, t.campus.c.name).where(t.campus.c.school_id == world.school)
            ).all()
        )
        classes = conn.execute(select(t.school_class).order_by(t.school_class.c.id)).mappings().all()
        lines = conn.execute(select(t.line_contract).order_by(t.line_contract.c.id)).mappings().all()
        assets = conn.execute(select(t.asset).order_by(t.asset.c.id)).mappings().all()
        (check,) = conn.execute(select(t.hand_check)).mappings()
        row = registry.device(conn, theirs.device, EVERYTHING)
        former = registry.school_by_code(conn, "N", EVERYTHING)
        people = contacts.opened(conn, EVERYTHING)
    assert row is not None
    assert (row.school_code, row.room) == ("S", "Phòng Tin (N)"), "two labs are not one"
    assert set(rooms) >= {"Phòng Tin", "Phòng Tin (N)", "Lớp 6A"}
    lab, room = rooms["Phòng Tin (N)"], rooms["Lớp 6A"]
    assert (lab["declared"], lab["projection"], campuses[lab["campus_id"]]) == (20, "tv", "Trường THCS Núi")
    assert (room["projection"], campuses[room["campus_id"]]) == ("projector", "Điểm Núi (N)")
    assert rooms["Phòng Tin"]["campus_id"] is None
    assert [(c["school_id"], c["name"], c["students"]) for c in classes] == [
        (world.school, "6A", 40),
        (world.school, "6A (N)", 35),
        (two, "6A", 33),  # of a year that is over
    ]
    assert classes[1]["room_id"] == lab["id"]
    assert [(c["school_id"], c["isp"]) for c in lines] == [
        (world.school, "VNPT"),
        (world.school, "VNPT (N)"),
        (two, "FPT"),
    ]
    assert [(a["school_id"], a["tag"], a["room_id"]) for a in assets] == [
        (world.school, "TS-1", None),
        (world.school, "TS-1 (N)", room["id"]),
    ]
    assert (check["room_id"], check["computers_working"]) == (lab["id"], 17)
    assert list(people) == [world.school], "whom to call of a school that is no more is forgotten"
    assert former is not None
    assert (former.id, former.code) == (two, "")


def test_a_split_takes_rooms_with_their_devices_and_leaves_the_code_its_history(
    world: World, two: int
) -> None:
    mine, other = world.enrol(2)
    place(world, mine.device, "N", "Phòng Tin")
    place(world, other.device, "N", "Lớp 6A")
    before = keys(world)
    new = Named("M", "Trường THCS Mới")
    assert fleet.split(world.engine, "N", new, "THCS", ["Phòng Tin"], by="lan", now=NOW) == 1
    assert keys(world) == before
    with begin_read(world.engine) as conn:
        made = registry.school_by_code(conn, "M", EVERYTHING)
        whole = registry.school_by_code(conn, "N", EVERYTHING)
        rows = [registry.device(conn, one.device, EVERYTHING) for one in (mine, other)]
        codes = conn.execute(select(t.school_code).where(t.school_code.c.school_id == two)).mappings().all()
        assert made is not None
        assert [room.name for room in pages.rooms(conn, made.id)] == ["Phòng Tin"]
        moved = (
            conn.execute(select(t.school_class).where(t.school_class.c.school_id == made.id)).mappings().all()
        )
        log = audit.newest(conn, 1)[0]
    assert [(row.school_code, row.room) for row in rows if row] == [("M", "Phòng Tin"), ("N", "Lớp 6A")]
    assert whole is not None
    assert (whole.id, whole.code, [code["valid_to"] for code in codes]) == (two, "N", [None])
    assert made.commune_id == whole.commune_id
    assert [(one["name"], one["students"]) for one in moved] == [("6A", 35)]
    assert (log.action, log.subject, log.detail["new"], log.detail["devices"]) == (
        "school.split",
        "N",
        "M",
        1,
    )


def test_after_a_split_the_counts_of_both_are_asked_anew(world: World, two: int) -> None:
    with begin_write(world.engine) as conn:
        for quantity, number in (("students", 800), ("devices", 40), ("line_mbps", 100)):
            declarations.declare(conn, two, quantity, number, NOW - 60, "lan")
    fleet.split(world.engine, "N", Named("M", "Trường Mới"), "THCS", ["Phòng Tin"], by="lan", now=NOW)
    with begin_write(world.engine) as conn:
        school = registry.school_by_code(conn, "N", EVERYTHING)
        assert school is not None
        assert school.declared == {"line_mbps": 100}, "the line is still that of the school"
        (counts,) = [each.counts for each in count(conn, Scope("school", two), limits(packs.load(), NOW))]
        assert (counts.students_declared, counts.devices_declared) == (None, None)
        assert {row.quantity for row in pages.declarations(conn, two) if row.value < 0} == {
            "students",
            "devices",
        }
        declarations.declare(conn, two, "students", 500, NOW + 60, "lan")
        again = registry.school_by_code(conn, "N", EVERYTHING)
    assert again is not None
    assert again.declared["students"] == 500


def test_a_device_takes_its_asset_along_where_its_school_goes_and_leaves_it_where_it_alone_goes(
    world: World, two: int
) -> None:
    (one,) = world.enrol(1)
    place(world, one.device, "N", "Phòng Tin")

    def asset() -> tuple[int, int | None]:
        with begin_read(world.engine) as conn:
            a = t.asset.c
            row = conn.execute(select(a.school_id, a.device_id).where(a.name == "Máy của phòng")).one()
            return row.school_id, row.device_id

    with begin_write(world.engine) as conn:
        row = registry.device(conn, one.device, EVERYTHING)
        assert row is not None
        conn.execute(
            t.asset.insert().values(school_id=two, tag="TS-9", name="Máy của phòng", device_id=row.id)
        )
    fleet.split(world.engine, "N", Named("M", "Trường Mới"), "THCS", ["Phòng Tin"], by="lan", now=NOW)
    with begin_read(world.engine) as conn:
        made = registry.school_by_code(conn, "M", EVERYTHING)
    assert made is not None
    assert asset() == (made.id, row.id), "the record goes with the room's computer"
    fleet.merge(world.engine, "M", "S", by="lan", now=NOW + 1)
    assert asset() == (world.school, row.id)
    fleet.move(world.engine, one.device, "N", "", EVERYTHING, by="lan", now=NOW + 2)
    assert asset() == (world.school, None), "the record stays in the register of the school that owns it"


@pytest.mark.parametrize(
    ("code", "new", "rooms", "why"),
    [
        ("N", "S", ["Phòng Tin"], "already"),
        ("N", "M", ["Phòng Không Có"], "no room"),
        ("N", "M", [], "name one at least"),
        ("X", "M", ["Phòng Tin"], "no school"),
        ("N", "M M", ["Phòng Tin"], "code has"),
    ],
)
def test_a_split_that_cannot_be_leaves_all_as_it_was(
    world: World, two: int, code: str, new: str, rooms: list[str], why: str
) -> None:
    with pytest.raises(RegistryError, match=why):
        fleet.split(world.engine, code, Named(new, "Trường Mới"), "", rooms, by="lan", now=NOW)
    with pytest.raises(RegistryError, match="no school"):
        fleet.split(
            world.engine, "N", Named("M", "Mới"), "", ["Phòng Tin"], Scope("school", 999), by="lan", now=NOW
        )
    with begin_read(world.engine) as conn:
        assert {school.code for school in registry.schools(conn, EVERYTHING)} == {"S", "N"}
        assert len(pages.rooms(conn, two)) == 2


def test_a_code_that_a_school_had_is_no_other_schools(world: World, two: int) -> None:
    fleet.merge(world.engine, "S", "N", by="lan", now=NOW)
    with begin_read(world.engine) as conn:
        room = pages.rooms(conn, two)[0].name
    with pytest.raises(RegistryError, match="was the code of"):
        fleet.split(world.engine, "N", Named("S", "Trường Mới"), "", [room], by="lan", now=NOW + 1)
    with begin_read(world.engine) as conn:
        assert {school.code for school in registry.schools(conn, EVERYTHING)} == {"N"}
