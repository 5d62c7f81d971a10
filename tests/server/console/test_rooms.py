"""Rooms, devices and declared numbers as people change them: what doesn't fit is refused as a whole."""

import re

import httpx
import msgspec
import pytest

from schoolwatch_server.config import Antivirus
from schoolwatch_server.database import audit, credentials, pages, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.scope import EVERYTHING
from tree import Tree
from website import RunningSite, csrf


def _send(head: httpx.Client, path: str, **form: str) -> int:
    return head.post(path, data={**form, "csrf": csrf(head)}).status_code


def test_a_device_moves_into_a_room_and_takes_its_role(tree: Tree, head: httpx.Client) -> None:
    school, device = tree.schools[0], tree.schools[0].devices[0]
    assert _send(head, f"/schools/{school.code}/rooms", name="  Phòng   máy 1 ", role="student_lab") == 303
    with begin_read(tree.engine) as conn:
        room = next(room for room in pages.rooms(conn, school.id) if room.name == "Phòng máy 1")
    form = {"label": "Máy 07", "room": str(room.id), "broken": "yes"}
    assert _send(head, f"/devices/{device.device}/manage", **form) == 303
    with begin_read(tree.engine) as conn:
        row = registry.device(conn, device.device, EVERYTHING)
    assert row is not None
    assert (row.label, row.room, row.role, row.broken) == ("Máy 07", "Phòng máy 1", "student_lab", True)


def test_a_device_is_made_a_gateway_and_no_longer_is_one(tree: Tree, head: httpx.Client) -> None:
    device = tree.schools[0].devices[0].device
    done = []
    for role in ("gateway", "gateway", "office", ""):
        assert _send(head, f"/devices/{device}/manage", label="Máy 07", role=role) == 303
        with begin_read(tree.engine) as conn:
            done.append(device in credentials.gateways(conn))
            said = [line.action for line in audit.newest(conn, 10) if line.subject == device]
    assert done == [True, True, False, False]
    assert [one for one in said if "gateway" in one] == ["device.no_gateway", "device.gateway"]
    assert _send(head, f"/schools/{tree.schools[0].code}/rooms", name="Phòng 8", role="gateway") == 422


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "role": "office"},
        {"name": " \t ", "role": "office"},
        {"name": "A\x07", "role": "office"},
        {"name": "A", "role": "kitchen"},
        {"name": "A", "role": ""},
        {"name": "x" * 81, "role": "office"},
    ],
)
def test_a_room_needs_a_name_and_a_known_role(tree: Tree, head: httpx.Client, form: dict[str, str]) -> None:
    before = _rooms(tree)
    assert _send(head, f"/schools/{tree.schools[0].code}/rooms", **form) == 422
    assert _rooms(tree) == before


def test_two_rooms_of_a_school_have_two_names(tree: Tree, head: httpx.Client) -> None:
    path = f"/schools/{tree.schools[0].code}/rooms"
    assert _send(head, path, name="Phòng 9", role="office") == 303
    assert _send(head, path, name="Phòng 9", role="studio") == 422


@pytest.mark.parametrize(
    ("path", "form", "says"),
    [
        ("rooms", {"name": "Phòng Mark000X", "role": "office"}, "Tên phòng : từ 1 đến 80 ký tự, khác tên"),
        ("rooms", {"name": "A", "role": "kitchen"}, "Loại phòng : phải chọn trong danh sách"),
        ("declare", {"students": "1.000"}, "Số học sinh : số nguyên không âm, chỉ gồm chữ số"),
        ("declare", {"line_mbps": "0"}, "Tốc độ đường truyền theo hợp đồng : số nguyên từ 1 trở lên"),
        ("declare", {"student_devices": "9"}, "Máy tính cho học sinh : số nguyên, chỉ gồm chữ số, không lớn"),
    ],
)
def test_what_is_not_right_is_named_with_what_would_be(
    tree: Tree, head: httpx.Client, path: str, form: dict[str, str], says: str
) -> None:
    address, sent = f"/schools/{tree.schools[0].code}/{path}", {**form, "csrf": csrf(head)}
    answer = head.post(address, data=sent, headers={"accept": "text/html"})
    assert answer.status_code == 422
    assert says in " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_a_device_stays_out_of_another_schools_room(tree: Tree, head: httpx.Client) -> None:
    device = tree.schools[0].devices[0].device
    with begin_read(tree.engine) as conn:
        before = registry.device(conn, device, EVERYTHING)
    assert _send(head, f"/devices/{device}/manage", label="A", room="999999") == 422
    with begin_read(tree.engine) as conn:
        assert registry.device(conn, device, EVERYTHING) == before


def test_student_computers_are_a_part_of_all(tree: Tree, head: httpx.Client) -> None:
    path = f"/schools/{tree.schools[0].code}/declare"
    assert _send(head, path, devices="40", student_devices="41") == 422
    assert _send(head, path, devices="40", student_devices="40") == 303
    assert _send(head, path, devices="39") == 422


def _rooms(tree: Tree) -> tuple[pages.RoomRow, ...]:
    with begin_read(tree.engine) as conn:
        return pages.rooms(conn, tree.schools[0].id)


ISSUED = ("phần mềm diệt vi-rút do tỉnh cấp", "không chạy phần mềm diệt vi-rút do tỉnh cấp")


@pytest.mark.parametrize(
    ("names", "count", "chips", "verdicts"),
    [
        (("ClamAV",), "1/2", set(ISSUED), {True, False}),
        (("Kaspersky",), "0/2", {ISSUED[1]}, {False}),
        ((), None, set(), {None}),
    ],
)
def test_a_school_and_its_devices_say_whether_the_issued_antivirus_runs(
    tree: Tree, names: tuple[str, ...], count: str | None, chips: set[str], verdicts: set[bool | None]
) -> None:
    """In the tree one device of each school runs ClamAV, the other one nothing."""
    school = tree.schools[0]
    config = msgspec.structs.replace(tree.config, antivirus=Antivirus(issued=names))
    with RunningSite(config) as site:
        client = site.somebody("so_viewer")
        page = client.get(f"/schools/{school.code}").text
        found = re.search(r'id="issued">[^<]*?(\d+/\d+)', page)
        assert (found[1] if found else None) == count
        assert page.count(">không do tỉnh cấp<") == {"1/2": 1, "0/2": 2, None: 0}[count]
        seen = " ".join(client.get(f"/devices/{device.device}").text for device in school.devices)
        assert {chip for chip in ISSUED if f">{chip}<" in seen} == chips
        told = site.ask().get("/api/v1/devices", params={"school": school.code}).json()["devices"]
        assert {device["posture"]["issued_antivirus"] for device in told} == verdicts
