"""A list of schools in the browser: looked through, imported as it was seen, and only by who may."""

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from schoolwatch_server import handed_in
from schoolwatch_server.database import audit, pages, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite, csrf, led

HEAD = "Mã trường;Tên trường;Cấp học;Mã xã;Tên xã\n"


def look(client: httpx.Client, text: str, roster: str = "school") -> httpx.Response:
    name, form = f"{roster}.csv", {"csrf": csrf(client), "roster": roster}
    return client.post("/imports/look", data=form, files={"file": (name, text.encode())})


def take_in(client: httpx.Client, seen: httpx.Response, roster: str = "school") -> httpx.Response:
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', seen.text)
    assert digest is not None, seen.text
    form = {"csrf": csrf(client), "digest": digest[1], "name": "x", "roster": roster}
    return led(client, client.post("/imports/take-in", data=form))


def schools(tree: Tree) -> set[str]:
    with begin_read(tree.engine) as conn:
        return {school.code for school in registry.schools(conn, EVERYTHING)}


def test_a_list_is_seen_before_it_is_imported_and_imported_as_it_was_seen(tree: Tree) -> None:
    before = schools(tree)
    with begin_read(tree.engine) as conn:
        commune = registry.communes(conn, EVERYTHING)[0]
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        seen = look(admin, HEAD + f"N-1;Trường Mới <b>;TH;{commune.code};\n")
        assert seen.status_code == 200
        assert "Sẽ thêm 1 trường, sửa 0 trường" in seen.text
        assert "dòng 2: thêm N-1 Trường Mới &lt;b&gt;" in seen.text
        assert schools(tree) == before
        done = take_in(admin, seen)
        assert (done.status_code, "Đã thêm 1 trường" in done.text) == (200, True)
        assert (
            "Đã thêm 0 trường, sửa 0 trường, thêm 0 xã/phường; 1 trường giữ nguyên"
            in take_in(admin, seen).text
        )
        assert 'href="/language/en?next=/imports"' in seen.text
    assert schools(tree) == before | {"N-1"}


def test_a_fault_is_in_a_table_and_nothing_is_kept(tree: Tree) -> None:
    before = schools(tree)
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        seen = look(admin, HEAD + "N-2;Trường Mới;lớp;;Không Đâu\n")
        assert seen.status_code == 422
        assert "Có 2 chỗ cần sửa; chưa nhập gì" in seen.text
        assert '<th scope="row">2</th><td>C <small class="muted">Cấp học</small></td>' in seen.text
        assert 'name="digest"' not in seen.text
        for text, said in (("", "không có dòng nào"), ("x", "không tìm thấy dòng tiêu đề")):
            answer = look(admin, text)
            assert (answer.status_code, said in answer.text) == (422, True)
        assert (
            "Chưa chọn tệp" in admin.post("/imports/look", data={"csrf": csrf(admin)}, files={"x": b""}).text
        )
        big = admin.post(
            "/imports/look",
            data={"csrf": csrf(admin), "roster": "school"},
            files={"file": ("x.csv", b"x" * (8 << 20) + b"x")},
        )
        assert (big.status_code, "Tệp quá lớn" in big.text) == (422, True)
    assert schools(tree) == before
    assert not (tree.config.folder / "run" / "imports").exists()


def test_a_list_that_no_longer_fits_or_is_gone_is_not_imported(tree: Tree) -> None:
    with begin_read(tree.engine) as conn:
        commune = registry.communes(conn, EVERYTHING)[0]
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        seen = look(admin, HEAD + f"N-3;Trường Ba;TH;{commune.code};\n")
        take_in(admin, look(admin, HEAD + f"N-4;Trường Ba;TH;{commune.code};\n"))
        answer = take_in(admin, seen)
        assert (answer.status_code, "đã có với mã N-4" in answer.text) == (422, True)
        for path in (tree.config.folder / "run" / "imports").iterdir():
            os.utime(path, (0, 0))
        assert "không còn ở máy chủ" in take_in(admin, seen).text
    assert "N-3" not in schools(tree)


def test_an_administrator_of_a_province_imports_there_alone(tree: Tree) -> None:
    with begin_read(tree.engine) as conn:
        mine, other = registry.provinces(conn, EVERYTHING)[:2]
        there = registry.communes(conn, Scope("province", other.id))[0]
        here = registry.communes(conn, Scope("province", mine.id))[0]
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin", Scope("province", mine.id))
        assert (
            f"{there.code} không thuộc phạm vi"
            in look(admin, HEAD + f"N-5;A;TH;{there.code};{there.name}\n").text
        )
        assert "Sẽ thêm 1 trường" in look(admin, HEAD + f"N-5;A;TH;{here.code};{here.name}\n").text
        assert admin.get("/imports/template.xlsx").content.startswith(b"PK")


def test_what_is_kept_is_private_sealed_bounded_and_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handed_in, "FILES_MAX", 20)
    digests = [
        handed_in.keep(tmp_path, tmp_path, b"0912 345 %d" % number, 1000.0 + number) for number in range(25)
    ]
    folder = tmp_path / "run" / "imports"
    assert (folder.stat().st_mode & 0o777, len(list(folder.iterdir()))) == (0o700, handed_in.FILES_MAX)
    assert handed_in.find(tmp_path, tmp_path, digests[0], 1025.0) is None
    assert handed_in.find(tmp_path, tmp_path, digests[-1], 1025.0) == b"0912 345 24"
    assert (folder / digests[-1]).stat().st_mode & 0o777 == 0o600
    assert [one for one in folder.iterdir() if b"0912" in one.read_bytes()] == []
    (folder / digests[-1]).write_bytes(b"another")
    assert handed_in.find(tmp_path, tmp_path, digests[-1], 1025.0) is None


def test_what_is_kept_has_a_size_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed_in, "BYTES_MAX", 5000)
    kept = [handed_in.keep(tmp_path, tmp_path, bytes([n]) * 2000, 1100.0 + n) for n in range(3)]
    assert {one.name for one in (tmp_path / "run" / "imports").iterdir()} == set(kept[1:])


def test_many_hand_in_the_same_form_at_once(tmp_path: Path) -> None:
    handed_in.keep(tmp_path, tmp_path, b"the key is there", 1000.0)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: handed_in.keep(tmp_path, tmp_path, b"form", 1000.0 + n), range(60)))
    assert set(done) == {hashlib.sha256(b"form").hexdigest()}
    assert handed_in.find(tmp_path, tmp_path, done[0], 1060.0) == b"form"
    assert len(list((tmp_path / "run" / "imports").iterdir())) == 2


def test_rooms_are_imported_into_the_schools_one_sees(tree: Tree) -> None:
    mine, other = tree.schools[0], tree.schools[-1]
    head = "Mã trường,Tên phòng,Loại phòng,Số máy tính\n"
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        seen = look(
            admin,
            head + f"{mine.code},Phòng Tin 9,Phòng Tin học,40\n{other.code},Lớp 1A,phòng học,\n",
            "room",
        )
        assert "Sẽ thêm 2 phòng, sửa 0 phòng; 0 phòng giữ nguyên" in seen.text
        assert "Đã thêm 2 phòng" in take_in(admin, seen, "room").text
        seen = look(admin, head + f"{mine.code},phòng tin 9,,35\n{other.code},Lớp 1A,phòng học,\n", "room")
        assert "dòng 2: sửa" in seen.text
        assert "Số máy tính: 40 → 35" in seen.text
        take_in(admin, seen, "room")
        assert (
            admin.get("/imports/template.xlsx?roster=room")
            .headers["content-disposition"]
            .endswith('"phong.xlsx"')
        )
    with begin_read(tree.engine) as conn:
        (room,) = [room for room in pages.rooms(conn, mine.id) if room.name == "Phòng Tin 9"]
        assert (room.role, room.declared) == ("student_lab", 35)
        assert audit.newest(conn, 1)[0].action == "room.import"


def test_who_declares_for_a_school_imports_what_it_has_and_no_schools(tree: Tree) -> None:
    mine, other = tree.schools[0], tree.schools[-1]
    head = "Mã trường,Năm học,Tên lớp,Cấp học,Sĩ số\n"
    with RunningSite(tree.config) as site:
        technician = site.somebody("technician", Scope("school", mine.id))
        page = technician.get("/imports").text
        assert ("Lớp, sĩ số" in page, 'value="school"' in page) == (True, False)
        assert look(technician, HEAD).status_code == 403
        answer = look(technician, head + f"{other.code},2026-2027,6A,THCS,40\n", "class")
        assert f"không có trường nào mang mã {other.code} trong phạm vi của tài khoản này" in answer.text
        seen = look(technician, head + f"{mine.code},2026-2027,6A,THCS,40\n", "class")
        assert "Sẽ thêm 1 lớp" in seen.text
        assert take_in(technician, seen, "school").status_code == 403
        assert "Đã thêm 1 lớp" in take_in(technician, seen, "class").text
        assert look(technician, head, "thing").status_code == 422
        assert technician.get("/imports/template.xlsx?roster=class").content.startswith(b"PK")
