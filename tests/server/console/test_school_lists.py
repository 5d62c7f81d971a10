"""A school's lists in the browser: shown, corrected, counted by hand; each look at contacts is logged."""

import io
from datetime import date

from openpyxl import load_workbook
from sqlalchemy import select

from schoolwatch_server import fleet, rosters, sealing
from schoolwatch_server.database import audit, registry, simulated
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.vietnam import begins, day_of
from tree import School, Tree
from website import RunningSite, csrf

SECRET = {"name": "Đỗ Thị Lan", "phone": "0912 345 678", "email": "lan@truong.edu.vn"}


def imported(tree: Tree, name: rosters.Name, text: str) -> None:
    found = rosters.take_in(tree.engine, name, text.encode(), EVERYTHING, by="test", now=tree.now)
    assert found.plan.problems == ()


def actions(tree: Tree) -> list[tuple[str, str, str]]:
    with begin_read(tree.engine) as conn:
        return [(line.actor, line.action, line.subject) for line in audit.newest(conn, 30)]


def test_the_newest_classes_are_shown_and_the_file_is_the_list_again(tree: Tree) -> None:
    school = tree.schools[0]
    head = "Mã trường,Năm học,Lớp,Cấp học,Sĩ số\n"
    rows = (
        f"{school.code},2025-2026,9C <cũ>,THCS,31\n",
        f"{school.code},2026-2027,=1+1,THCS,41\n",
        f"{school.code},2026-2027,6B,THCS,0\n",
    )
    imported(tree, "class", head + "".join(rows))
    with RunningSite(tree.config) as site:
        who = site.somebody("technician", Scope("school", school.id))
        page = who.get(f"/schools/{school.code}/lists").text
        assert "=1+1" in page
        assert "9C" not in page
        assert "Còn 1 lớp của các năm học trước" in page
        assert f'href="/schools/{school.code}/lists"' in who.get(f"/schools/{school.code}").text
        file = who.get(f"/imports/template.xlsx?roster=class&school={school.code}")
        other = who.get(f"/imports/template.xlsx?roster=class&school={tree.schools[-1].code}")
        assert (file.status_code, other.status_code) == (200, 404)
        (sheet, _) = load_workbook(io.BytesIO(file.content)).worksheets
        assert [cell.data_type for cell in sheet["C"][:4]] == ["s", "s", "s", "s"], "a name is no formula"
        assert "simulated-" not in file.headers["content-disposition"]
    with begin_write(tree.engine) as conn:
        simulated.mark(conn)
    with RunningSite(tree.config) as site:
        made_up = site.somebody("so_admin").get(f"/imports/template.xlsx?roster=class&school={school.code}")
        assert '"simulated-lop.xlsx"' in made_up.headers["content-disposition"]
        (sheet, _) = load_workbook(io.BytesIO(made_up.content)).worksheets
        assert sheet["A1"].value.startswith("DỮ LIỆU MÔ PHỎNG")
        assert rosters.look(tree.engine, "class", made_up.content, EVERYTHING, tree.now).plan.same == 3
    again = rosters.look(tree.engine, "class", file.content, EVERYTHING, tree.now)
    assert (again.plan.problems, again.plan.changes, again.plan.same) == ((), (), 3)


def test_a_contact_is_shown_to_who_asks_and_each_look_is_in_the_log(tree: Tree) -> None:
    school, address = tree.schools[0], f"/schools/{tree.schools[0].code}"
    with RunningSite(tree.config) as site:
        head = site.somebody("school_head", Scope("school", school.id))
        form = {"csrf": csrf(head), "kind": "it_contact"}
        assert head.post(f"{address}/contacts", data={**form, **SECRET}).status_code == 303
        page = head.get(f"{address}/lists").text
        assert not [word for word in SECRET.values() if word in page]
        seen = head.post(f"{address}/contacts/look", data=form)
        assert [word for word in SECRET.values() if word in seen.text] == list(SECRET.values())
        assert 'href="tel:0912345678"' in seen.text
        assert seen.headers["cache-control"] == "no-store"
        viewer = site.somebody("so_viewer")
        assert viewer.post(f"{address}/contacts/look", data={"csrf": csrf(viewer)}).status_code == 403
        assert "không được xem đầu mối" in viewer.get(f"{address}/lists").text
        for field, text, said in (
            ("phone", "gọi Lan", "không phải là số điện thoại"),
            ("name", "", "ô trống, cần có"),
            ("kind", "boss", "one of"),
        ):
            answer = head.post(f"{address}/contacts", data={**form, **SECRET, field: text})
            assert (answer.status_code, said in answer.text) == (422, True), field
        assert head.post(f"{address}/contacts/remove", data=form).status_code == 303
    with begin_read(tree.engine) as conn:
        assert conn.execute(select(t.contact)).all() == []
        log = str([(line.subject, line.detail) for line in audit.newest(conn, 50)])
    assert not [word for word in SECRET.values() if word in log]
    done = [action for _, action, subject in actions(tree) if subject == school.code]
    assert done[::-1][-3:] == ["contact.change", "contact.look", "contact.remove"]


def test_who_manages_a_school_is_shown_and_chosen_by_the_department(tree: Tree) -> None:
    school = tree.schools[0]
    address = f"/schools/{school.code}"
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        form = {"csrf": csrf(admin), "owned": "public"}
        more = {"manager": "", "specialised": "yes", "former_place": "tỉnh Hà Nam"}
        more["position"] = "20,2543; 105,975"
        assert admin.post(f"{address}/status", data={**form, **more}).status_code == 303
        assert "Sở GDĐT" in admin.get(address).text
        page = admin.get(f"{address}/lists").text
        assert "theo Thông tư 45/2026/TT-BGDĐT" in page
        assert "tỉnh Hà Nam" in page
        admin.post(f"{address}/status", data={**form, **more, "manager": "xa"})
        assert "do Sở chọn; theo quy định: Sở GDĐT" in admin.get(f"{address}/lists").text
        assert admin.post(f"{address}/status", data={**form, "manager": "bo"}).status_code == 422
        for typed, said in (
            ("0, 0", "nằm ngoài Việt Nam: vĩ độ từ 6 đến 24"),
            ("105.975, 20.2543", "ghi kinh độ trước"),
            ("gần chợ", "không phải là vị trí: ghi vĩ độ rồi kinh độ"),
        ):
            put = {**form, **more, "position": typed}
            wrong = admin.post(f"{address}/status", data=put, headers={"Accept": "text/html"})
            assert wrong.status_code == 422
            assert "<strong>Tọa độ" in wrong.text
            assert f"“{typed}” {said}" in wrong.text
        head = site.somebody("school_head", Scope("school", school.id))
        assert 'name="manager"' not in head.get(f"{address}/lists").text
    with begin_read(tree.engine) as conn:
        row = registry.school(conn, school.id, EVERYTHING)
    assert row is not None
    assert (row.managed_by, row.is_specialised, row.former_place) == ("xa", True, "tỉnh Hà Nam")
    assert row.position == "20.25430, 105.97500"
    assert [a for _, a, _ in actions(tree)].count("school.status") == 2


def test_a_former_code_stands_on_the_page_and_still_leads_there(tree: Tree) -> None:
    school = tree.schools[0]
    with begin_write(tree.engine) as conn:
        registry.change_code(conn, school.id, "NEW-1", tree.now + 2 * 86400)
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        for code in (school.code, "NEW-1"):
            page = admin.get(f"/schools/{code}/lists").text
            assert f"<code>{school.code}</code>" in page
            assert f"đến trước {day_of(tree.now + 2 * 86400):%d/%m/%Y}" in page


def test_a_slip_in_a_form_of_lists_names_the_field_and_what_is_right(tree: Tree) -> None:
    school, other = tree.schools[0], tree.schools[1]
    address = f"/schools/{school.code}"
    with begin_write(tree.engine) as conn:
        room = conn.scalar(select(t.room.c.id).where(t.room.c.school_id == school.id))
        conn.execute(t.room.update().where(t.room.c.id == room).values(declared=10))
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        form = {"csrf": csrf(admin)}
        for path, sent, told in (
            ("merge", {"into": "NOPE", "confirm": school.code}, "Mã trường nhận sáp nhập"),
            ("merge", {"into": other.code, "confirm": "x"}, "Gõ lại mã để xác nhận"),
            ("split", {"new": "T-1", "name": "Trường Tách", "room": "999999"}, "Các phòng tách ra"),
            ("split", {"new": other.code, "name": "Tách", "room": str(room)}, "đang hoặc đã dùng"),
            ("contacts", {"kind": "deputy", "name": "Lan", "phone": "sau 5 giờ"}, "máy lẻ 12"),
            ("checks", {"room": str(room), "working": "11", "day": "2026-11-10"}, "số máy đã khai của phòng"),
        ):
            answer = admin.post(f"{address}/{path}", data={**form, **sent}, headers={"accept": "text/html"})
            assert answer.status_code == 422, path
            assert told in answer.text, path
        assert admin.get(f"{address}/lists").status_code == 200, "still there"


def test_a_count_by_hand_is_dated_and_the_last_of_a_day_counts(tree: Tree) -> None:
    school: School = tree.schools[0]
    with begin_read(tree.engine) as conn:
        mine, theirs = (
            conn.scalar(select(t.room.c.id).where(t.room.c.school_id == one.id))
            for one in (school, tree.schools[-1])
        )
    with RunningSite(tree.config) as site:
        who = site.somebody("technician", Scope("school", school.id))
        form = {"csrf": csrf(who), "room": str(mine), "day": "2026-11-10"}
        for working in ("20", "18"):
            answer = who.post(f"/schools/{school.code}/checks", data={**form, "working": working})
            assert answer.status_code == 303
        for wrong, status in (
            ({"room": str(theirs)}, 404),
            ({"day": "2199-01-01"}, 422),
            ({"day": "2026-02-30"}, 422),
            ({"working": "1001"}, 422),
            ({"working": ""}, 422),
        ):
            answer = who.post(f"/schools/{school.code}/checks", data={**form, "working": "1", **wrong})
            assert answer.status_code == status, wrong
        assert "10/11/2026" in who.get(f"/schools/{school.code}/lists").text
    with begin_read(tree.engine) as conn:
        (row,) = conn.execute(select(t.hand_check)).mappings()
    assert (row["room_id"], row["computers_working"], row["checked_at"]) == (
        mine,
        18,
        begins(date(2026, 11, 10)),
    )


def test_the_page_of_a_merged_school_and_of_a_merged_commune_lead_on(tree: Tree) -> None:
    gone, into = tree.schools[0], tree.schools[1]
    with begin_read(tree.engine) as conn:
        codes = {one.id: one.code for one in registry.communes(conn, EVERYTHING)}
    here, there = codes[into.commune], next(c for id_, c in codes.items() if id_ != into.commune)
    fleet.merge(tree.engine, gone.code, into.code, by="lan", now=tree.now)
    text = f"Mã xã,Tên xã,Sáp nhập vào xã (mã)\n{here},Xã Cũ,{there}\n"
    found = rosters.take_in(tree.engine, "commune", text.encode(), EVERYTHING, by="lan", now=tree.now)
    assert found.plan.problems == ()
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        for page in ("", "/lists"):
            told = admin.get(f"/schools/{gone.code}{page}").text
            assert f'Đã sáp nhập vào <a href="/schools/{into.code}">' in told
        assert f'href="/schools/{gone.code}"' in admin.get(f"/schools/{into.code}/lists").text
        told = admin.get(f"/communes/{here}").text
        assert f'Các trường của xã nay thuộc <a href="/communes/{there}">' in told
        assert "Xã Cũ" in admin.get(f"/communes/{there}").text
        ranking = admin.get("/provinces/MarkP0X/ranking").text
        assert "Xã Cũ" not in ranking, "what became part of another is no commune without data"
        assert f"/communes/{there}/progress" in ranking


def test_of_a_school_that_was_merged_nothing_is_changed_any_more(tree: Tree) -> None:
    gone, into = tree.schools[0], tree.schools[1]
    fleet.merge(tree.engine, gone.code, into.code, by="lan", now=tree.now)
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        for path, form in (
            ("contacts", {"kind": "deputy", "name": "Vũ Văn Nam"}),
            ("contacts/remove", {"kind": "deputy"}),
            ("status", {"manager": "so"}),
            ("checks", {"room": "1", "working": "1"}),
            ("declare", {"students": "5"}),
            ("rooms", {"name": "Phòng mới", "role": "student_lab"}),
            ("line", {"device": ""}),
            ("site", {"address": ""}),
            ("site/look", {}),
            ("split", {"new": "NEW", "name": "X"}),
            ("merge", {"into": into.code, "confirm": ""}),
            ("enrolment", {"days": "1", "uses": "1"}),
        ):
            answer = admin.post(f"/schools/{gone.code}/{path}", data={"csrf": csrf(admin), **form})
            assert answer.status_code == 404, path


def test_without_the_master_key_contacts_say_so_and_no_other_key_is_made(tree: Tree) -> None:
    school = tree.schools[0]
    address = f"/schools/{school.code}/contacts"
    key = sealing.key_path(tree.config.master_key)
    form = {"kind": "deputy", "name": "Lan", "phone": "0912345678"}
    with RunningSite(tree.config) as site:
        head = site.somebody("school_head", Scope("school", school.id))
        form["csrf"] = csrf(head)
        head.headers["accept"] = "text/html"
        assert head.post(address, data=form).status_code == 303
        kept = key.read_bytes()
        key.unlink()
        answer = head.post(address, data={**form, "name": "Mai"})
        assert (answer.status_code, "Khóa chủ" in answer.text) == (503, True)
        assert not key.exists()
        file = {"file": ("phong.csv", f"Mã trường,Tên phòng,Loại phòng\n{school.code},A1,Phòng học\n")}
        data = {"csrf": form["csrf"], "roster": "room"}
        assert head.post("/imports/look", data=data, files=file).status_code == 503
        assert head.get(f"/schools/{school.code}/lists").status_code == 200, "the rest goes on"
        key.write_bytes(kept)
        key.chmod(0o600)
        assert "Lan" in head.post(f"{address}/look", data={"csrf": form["csrf"]}).text
