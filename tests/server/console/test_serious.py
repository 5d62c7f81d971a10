"""Serious incidents at the console: deadlines, marks, letters, forms, whom to call, recipients."""

import hashlib
import re
import time

import httpx
from sqlalchemy import event

from schoolwatch_server.database import audit, contacts, incidents, serious
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules.subject import Subject, device
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite, csrf

HOUR = 3600.0


def put(
    tree: Tree, about: Subject, *, hours: float = 1, rule: str = "malware_found", severity: str = "critical"
) -> int:
    """A serious incident that was found that many hours ago."""
    found = time.time() - hours * HOUR
    new = incidents.NewIncident(
        rule=rule,
        rule_version=1,
        severity=severity,
        subject=about,
        since=found - 5 * 86400,
        opened_at=found,
        late=True,
        evidence={
            "first": {
                "taken_at": found - 5 * 86400,
                "arrived_at": found,
                "readings": {'antivirus.detections{"product": "clamav"}': 2.0},
                "facts": {},
            },
            "last": {
                "taken_at": found,
                "arrived_at": found + 1,
                "sighting": "x.y",
                "subject": "00:11:22:33:44:55",
                "detail": {"a": "b<c"},
            },
        },
    )
    with begin_write(tree.engine) as conn:
        opened = incidents.open_incident(conn, new, found)
    assert opened is not None
    return opened.id


def of_first(tree: Tree, **more) -> int:
    return put(tree, device(tree.schools[0].devices[0].id), **more)


def post(client: httpx.Client, path: str, **data: str) -> httpx.Response:
    return client.post(path, data={"csrf": csrf(client), **data})


def told(tree: Tree) -> list[tuple[str, str]]:
    with begin_read(tree.engine) as conn:
        return [(one.action, one.subject) for one in audit.newest(conn, 20)]


def test_the_list_asks_the_database_as_often_for_many_as_for_one(tree: Tree) -> None:
    def asked() -> int:
        statements.clear()
        assert admin.get("/serious").status_code == 200
        return sum("FROM incident" in one for one in statements)

    statements: list[str] = []

    def note(_conn, _cursor, statement: str, *_: object) -> None:
        statements.append(statement)

    of_first(tree)
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        event.listen(site.engine, "before_cursor_execute", note)
        try:
            asked()  # the first look is written down
            one = asked()
            for school in tree.schools[1:]:
                put(tree, Subject("school", school.id))
            assert asked() == one
        finally:
            event.remove(site.engine, "before_cursor_execute", note)


def test_time_left_stands_in_words_and_overdue_is_plain(tree: Tree, site: RunningSite) -> None:
    near, late = of_first(tree, hours=21.5), put(tree, Subject("school", tree.schools[1].id), hours=30)
    who = site.somebody("so_admin")
    page = who.get("/serious").text
    assert re.search(r"còn 2 giờ (29|30) phút", page)
    assert "QUÁ HẠN 6 giờ" in page
    assert f"/incidents/{near}/serious" in page
    assert "QUÁ HẠN" in who.get(f"/incidents/{late}").text
    whole = who.get(f"/incidents/{late}/serious").text
    assert "V-2nd" in whole
    assert "điểm d khoản 2 Điều 31" in whole
    elsewhere = site.somebody("school_head", Scope("school", tree.schools[2].id))
    assert "Không có sự cố nghiêm trọng nào" in elsewhere.get("/serious").text
    assert elsewhere.get(f"/incidents/{late}/serious").status_code == 404


def test_a_letter_that_was_sent_ends_its_deadline(tree: Tree, site: RunningSite) -> None:
    made, who = of_first(tree, hours=2), site.somebody("so_admin")
    path = f"/incidents/{made}/sent"
    assert "Cần ghi số văn bản" in post(who, path, step="notice").text
    assert (
        "Thời điểm gửi không đúng"
        in post(who, path, step="notice", reference="1", when="2020-01-01T00:00").text
    )
    kept = post(who, path, step="notice", reference="12/SGDĐT", when="2020-01-01T00:00").text
    assert 'value="12/SGDĐT"' in kept, "what was typed is not lost"
    assert 'value="2020-01-01T00:00"' in kept
    assert "Thời điểm gửi không đúng" in post(who, path, step="notice", reference="1", when="x").text
    assert post(who, path, step="notice", reference=" 12/SGDĐT-VP ").status_code == 303
    refused = post(who, path, step="notice", reference="13/SGDĐT-VP")
    assert (refused.status_code, "Đã có người ghi nhận" in refused.text) == (422, True)
    page = who.get(f"/incidents/{made}/serious").text
    assert "văn bản số 12/SGDĐT-VP" in page
    assert told(tree).count(("incident.sent", str(made))) == 1


def test_marks_have_a_reason_and_are_in_the_record(tree: Tree, site: RunningSite) -> None:
    made, who = (
        of_first(tree, severity="low"),
        site.somebody("school_head", Scope("school", tree.schools[0].id)),
    )
    assert "Không có sự cố nghiêm trọng nào còn phải báo cáo" in who.get("/serious").text
    refused = post(who, f"/incidents/{made}/mark", serious="true", reason="vì")
    assert (refused.status_code, 'value="vì"' in refused.text) == (422, True)
    assert post(who, f"/incidents/{made}/mark", serious="true", reason="lây sang cả phòng").status_code == 303
    page = who.get(f"/incidents/{made}/serious").text
    assert "lây sang cả phòng" in page
    assert "Thông báo ban đầu (24 giờ)" in page
    assert post(who, f"/incidents/{made}/mark", serious="false", reason="máy thử nghiệm").status_code == 303
    assert "Không thuộc diện nghiêm trọng" in who.get(f"/incidents/{made}/serious").text
    assert post(who, f"/incidents/{made}/forms", step="notice").status_code == 422
    assert {("incident.serious", str(made)), ("incident.not_serious", str(made))} <= set(told(tree))


def test_a_form_is_downloaded_as_it_was_made(tree: Tree, site: RunningSite) -> None:
    made, who = of_first(tree), site.somebody("so_admin")
    assert "Chưa có nơi nhận" in who.get(f"/incidents/{made}/serious").text
    assert post(who, f"/incidents/{made}/forms", step="notice").status_code == 303
    links = re.findall(
        rf"/incidents/{made}/forms/[0-9a-f]{{64}}/\w+", who.get(f"/incidents/{made}/serious").text
    )
    assert [link.rpartition("/")[2] for link in links] == ["docx", "json"]
    letter, body = (who.get(link) for link in links)
    assert letter.content[:2] == b"PK"
    page = who.get(f"/incidents/{made}/serious").text
    for file in (letter, body):
        assert hashlib.sha256(file.content).hexdigest() in page, "whoever holds the file can compare it"
    assert f'filename="su-co-{made}-bao-cao-nhanh-r1.docx"' in letter.headers["Content-Disposition"]
    assert body.json()["incident"] == made
    with begin_read(tree.engine) as conn:
        row = serious.forms(conn, made)[0]
        assert serious.form(conn, made, row.sha256) == (body.content, letter.content)
    other = of_first(tree, rule="other_rule")
    assert who.get(links[0].replace(f"/{made}/", f"/{other}/")).status_code == 404
    elsewhere = site.somebody("school_head", Scope("school", tree.schools[1].id))
    assert elsewhere.get(links[0]).status_code == 404


def test_recipients_are_typed_in_by_the_department(tree: Tree, site: RunningSite) -> None:
    made, who = of_first(tree), site.somebody("so_admin")
    assert who.get("/recipients").text.count("Chưa có.") >= 2
    bad = post(who, "/recipients", province="MarkP0X", level="province", name="TT", email="x")
    assert (bad.status_code, "không đúng dạng" in bad.text, 'value="TT"' in bad.text) == (422, True, True)
    assert post(who, "/recipients", province="MarkP0X", level="province", address="1 phố").status_code == 422
    values = {"province": "MarkP0X", "level": "province", "name": "Trung tâm <A>", "email": "a@b.gov.vn"}
    assert post(who, "/recipients", **values).status_code == 303
    assert "Trung tâm &lt;A&gt;" in who.get(f"/incidents/{made}/serious").text
    assert post(who, f"/incidents/{made}/forms", step="notice", recipient="province").status_code == 303
    with begin_read(tree.engine) as conn:
        kept = serious.form(conn, made, serious.forms(conn, made)[0].sha256)
    assert kept is not None
    assert b"Trung t\xc3\xa2m <A>" in kept[0]
    assert post(who, "/recipients", province="MarkP0X", level="province").status_code == 303
    assert "Chưa có nơi nhận" in who.get(f"/incidents/{made}/serious").text
    head = site.somebody("school_head", Scope("school", tree.schools[0].id))
    assert post(head, "/recipients", **values).status_code == 403


# --- whom to call --------------------------------------------------------------------------------------


def furnish(tree: Tree) -> None:
    school = tree.schools[0].id
    with begin_write(tree.engine) as conn:
        values = {"name": "Lê Thị Bích", "phone": "0912 345 678", "email": "bich@thcs.edu.vn"}
        contacts.write(conn, school, "it_contact", values, tree.now)
        row = {"school_id": school, "isp": "VNPT", "subscriber": "FTTH-77", "hotline": "1800 1166"}
        conn.execute(t.line_contract.insert().values(**row))


def test_who_may_see_numbers_taps_them_and_is_in_the_record(tree: Tree, site: RunningSite) -> None:
    furnish(tree)
    made = of_first(tree)
    page = site.somebody("technician", Scope("school", tree.schools[0].id)).get(f"/incidents/{made}").text
    assert 'href="tel:+84912345678"' in page
    assert 'href="tel:18001166"' in page
    assert "FTTH-77" in page
    assert page.index("Lê Thị Bích") < page.index("VNPT")
    assert "Chưa có: Người thay thế" in page
    assert ("contact.look", tree.schools[0].code) in told(tree)


def test_others_know_that_there_is_somebody(tree: Tree, site: RunningSite) -> None:
    furnish(tree)
    made = of_first(tree)
    for client in (site.somebody("so_viewer"), site.ask(EVERYTHING)):
        page = client.get(f"/incidents/{made}").text
        assert "có liên hệ, không có quyền xem" in page
        assert "Bích" not in page
        assert "912" not in page
        assert "tel:18001166" in page, "the provider's hotline is nobody's own"
    assert ("contact.look", tree.schools[0].code) not in told(tree)


def test_of_what_is_over_nobody_is_called(tree: Tree, site: RunningSite) -> None:
    furnish(tree)
    made = of_first(tree)
    with begin_write(tree.engine) as conn:
        conn.execute(t.incident.update().values(closed_at=time.time()))
    page = site.somebody("so_admin").get(f"/incidents/{made}").text
    assert "Bích" not in page
    assert "sự cố đã đóng nên không hiện số" in page


def test_of_a_lines_trouble_the_provider_is_first_also_for_a_commune(tree: Tree, site: RunningSite) -> None:
    furnish(tree)
    of_school = put(tree, Subject("school", tree.schools[0].id), rule="line_down")
    of_commune = put(tree, Subject("commune", tree.schools[0].commune), rule="isp_outage")
    who = site.somebody("so_admin")
    page = who.get(f"/incidents/{of_school}").text
    assert page.index("VNPT") < page.index("Lê Thị Bích")
    page = who.get(f"/incidents/{of_commune}").text
    assert "tel:18001166" in page
    assert "FTTH-77" not in page, "a subscriber's code is one school's"
    assert "Bích" not in page
    assert "Chưa có tài khoản nào phụ trách" in page
    site.somebody("commune", Scope("commune", tree.schools[0].commune))
    assert "Tài khoản phụ trách" in who.get(f"/incidents/{of_commune}").text


# --- evidence ------------------------------------------------------------------------------------------


def test_what_came_late_says_both_times(tree: Tree, site: RunningSite) -> None:
    page = site.somebody("so_admin").get(f"/incidents/{of_first(tree)}").text
    assert "Số lần phát hiện mã độc" in page
    assert "phát hiện muộn" in page
    assert re.search(r"Về máy chủ lúc \d\d/\d\d/\d{4} [\d:]+, sau 5 ngày", page)
    assert "00:11:22:33:44:55" in page
    assert "b&lt;c" in page


def test_a_technician_raises_it_and_only_who_answers_for_the_place_takes_it_back(
    tree: Tree, site: RunningSite
) -> None:
    made = of_first(tree, severity="low")
    who = site.somebody("technician", Scope("school", tree.schools[0].id))
    assert post(who, f"/incidents/{made}/mark", serious="true", reason="lây sang cả phòng").status_code == 303
    assert post(who, f"/incidents/{made}/mark", serious="false", reason="không sao đâu").status_code == 403
    with begin_read(tree.engine) as conn:
        assert serious.gravities(conn, [made])[made].is_serious


def test_what_is_owed_stands_above_the_list_and_in_the_api(tree: Tree, site: RunningSite) -> None:
    made = of_first(tree, hours=25)
    page = site.somebody("so_admin").get("/incidents").text
    assert page.count("Sự cố nghiêm trọng còn phải báo cáo: 1") == 1
    told = site.ask().get(f"/api/v1/incidents/{made}").json()
    assert told["gravity"]["serious"] is True
    notice, report = told["gravity"]["deadlines"]
    assert (notice["step"], notice["standing"], notice["sent_at"]) == ("notice", "overdue", None)
    assert (report["step"], report["standing"]) == ("report", "running")
    first, last = told["witnesses"]
    assert first["measured"] == [
        {"name": "antivirus.detections", "labels": {"product": "clamav"}, "value": 2.0, "unit": "count"}
    ]
    assert first["measured_at"] < first["arrived_at"]
    assert last["sighting"] == {"kind": "x.y", "subject": "00:11:22:33:44:55", "detail": {"a": "b<c"}}
