"""What a school declares goes its way through the console: head, direct manager, Sở, each in their place."""

import csv
import hashlib
import io
import re
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert, select, update

from declaring import PDF, put_claim
from schoolwatch_server import erasure, packs
from schoolwatch_server.access import Role
from schoolwatch_server.claims.evidence import BYTES_MAX
from schoolwatch_server.database import attachments, audit, claims, pages
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.reports import freeze
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import School, Tree
from website import RunningSite, csrf

DAY = "2026-01-05"


def save(client: httpx.Client, school: School, question: str, then: str = "save", **more) -> httpx.Response:
    files = more.pop("files", {})
    form = {"csrf": csrf(client), "code": school.code, "question": question, "as_of": DAY, "then": then}
    return client.post("/claims/save", data={**form, **more}, files=[("file", one) for one in files] or None)


def decide(client: httpx.Client, step: str, ids: list[int], decision: str = "take", **more) -> httpx.Response:
    form = {"csrf": csrf(client), "claim": list(map(str, ids)), "decision": decision, **more}
    return client.post(f"/claims/{step}", data=form)


def the_claim(tree: Tree, question: str, school: School) -> claims.ClaimRow:
    with begin_read(tree.engine) as conn:
        return claims.newest(conn, EVERYTHING, school.id)[question]


def test_a_claim_goes_from_the_technician_to_the_department_and_is_counted_on_the_way(
    tree: Tree, site: RunningSite
) -> None:
    school = tree.schools[0]
    own, commune = Scope("school", school.id), Scope("commune", school.commune)
    technician, head = site.somebody("technician", own), site.somebody("school_head", own)
    staff, admin = site.somebody("commune", commune), site.somebody("so_admin")
    sent = save(technician, school, "studio", "submit", value="yes", files=[("ảnh.pdf", PDF)])
    assert (sent.status_code, sent.headers["location"]) == (303, f"/schools/{school.code}/claims#studio")
    claim = the_claim(tree, "studio", school)
    reached = [claim.state]
    for client, step in ((head, "approve"), (staff, "accept"), (admin, "recognise")):
        page = client.get("/claims").text
        assert f'name="claim" value="{claim.id}"' in page
        assert "ảnh.pdf" in page
        assert decide(client, step, [claim.id]).headers["location"] == "/claims?done=1&missed=0"
        reached.append(the_claim(tree, "studio", school).state)
        with begin_read(tree.engine) as conn:
            counted = claims.recognised(conn, own)
        assert bool(counted) == (step != "approve")
    assert reached == ["submitted", "approved", "accepted", "recognised"]
    (found,) = counted[school.id].values()
    assert (found.question, found.value, found.state, found.as_of.isoformat()) == (
        "studio",
        1,
        "recognised",
        DAY,
    )
    shown = technician.get(f"/schools/{school.code}/claims/studio").text
    assert "Sở đã công nhận" in shown
    with begin_read(tree.engine) as conn:
        told = [(line.action, line.subject) for line in audit.newest(conn, 5)]
    steps = ("recognise", "accept", "approve", "submit", "save")
    assert told == [(f"claim.{step}", school.code) for step in steps]


def test_what_comes_back_says_why_and_the_next_answer_leaves_it_as_it_was(
    tree: Tree, site: RunningSite
) -> None:
    school = tree.schools[0]
    technician = site.somebody("technician", Scope("school", school.id))
    staff = site.somebody("commune", Scope("commune", school.commune))
    claim, _ = put_claim(tree.engine, school.id, "approved", now=tree.now)
    refused = decide(staff, "accept", [claim], "return", remark="  xem ")
    assert refused.status_code == 422
    assert "Chưa mục nào bị trả lại" in refused.text
    assert f'value="{claim}" checked' in refused.text, "what was chosen is still chosen"
    decide(staff, "accept", [claim], "return", remark="Ảnh mờ:\n chụp\0 lại <b>")
    for path in (f"/schools/{school.code}/claims", f"/schools/{school.code}/claims/studio"):
        page = technician.get(path).text
        assert "Ảnh mờ: chụp lại &lt;b&gt;" in page
        assert "(Cán bộ cấp xã)" in page
    assert "1 khai báo bị trả lại" in technician.get(f"/schools/{school.code}").text
    assert save(technician, school, "studio", "submit", value="yes").status_code == 303
    assert "bị trả lại: xem" not in technician.get(f"/schools/{school.code}").text
    with begin_read(tree.engine) as conn:
        new, old = claims.history(conn, EVERYTHING, school.id, "studio")
        files = attachments.of_claims(conn, [new.id, old.id])
        assert conn.scalar(select(t.attachment_body.c.id).offset(1)) is None, "the file lies there once"
    assert (old.id, old.state, new.state) == (claim, "returned", "submitted")
    assert [one.sha256 for one in files[new.id]] == [one.sha256 for one in files[old.id]]


def test_a_newer_answer_never_takes_the_place_of_one_that_counts_before_it_counts_itself(
    tree: Tree, site: RunningSite
) -> None:
    school = tree.schools[0]
    technician = site.somebody("technician", Scope("school", school.id))
    put_claim(tree.engine, school.id, "recognised", "expenditure_share", now=tree.now, value=0.02)
    assert (
        save(technician, school, "expenditure_share", value="1,5", files=[("a.pdf", PDF)]).status_code == 303
    )
    page = technician.get(f"/schools/{school.code}/claims").text
    assert "1,5%" in page
    assert "đang dùng: 2%" in page
    with begin_read(tree.engine) as conn:
        assert claims.recognised(conn, EVERYTHING)[school.id]["expenditure_share"].value == 0.02


def test_nobody_takes_the_place_of_another(tree: Tree, site: RunningSite) -> None:
    school = tree.schools[0]
    own, commune = Scope("school", school.id), Scope("commune", school.commune)
    people: dict[Role, Scope] = {
        "technician": own,
        "school_head": own,
        "commune": commune,
        "so_admin": EVERYTHING,
    }
    clients = {role: site.somebody(role, scope) for role, scope in people.items()}
    turns = (("approve", "submitted", "school_head"), ("accept", "approved", "commune"),
             ("recognise", "accepted", "so_admin"))  # fmt: skip
    for step, state, its in turns:
        for role, client in clients.items():
            claim, _ = put_claim(tree.engine, school.id, state, now=tree.now)
            assert decide(client, step, [claim]).status_code == (303 if role == its else 403), (step, role)
    claim, _ = put_claim(tree.engine, school.id, "submitted", now=tree.now)
    early = decide(clients["so_admin"], "recognise", [claim])
    assert early.headers["location"] == "/claims?done=0&missed=1"
    assert the_claim(tree, "studio", school).state == "submitted"


def test_a_school_of_the_department_is_accepted_by_the_department(tree: Tree, site: RunningSite) -> None:
    school = tree.schools[0]
    with begin_write(tree.engine) as conn:
        conn.execute(update(t.school).where(t.school.c.id == school.id).values(level="THCS&THPT"))
    claim, _ = put_claim(tree.engine, school.id, "approved", now=tree.now)
    staff = site.somebody("commune", Scope("commune", school.commune))
    admin = site.somebody("so_admin")
    assert f'value="{claim}"' not in staff.get("/claims").text
    assert decide(staff, "accept", [claim]).status_code == 403
    assert f'value="{claim}"' in admin.get("/claims").text
    assert decide(admin, "accept", [claim]).status_code == 303


def test_the_list_of_a_manager_and_the_decision_on_each_school_agree(tree: Tree) -> None:
    """The condition of the query and the rule are two ways to say one thing."""
    wanted = {}
    with begin_write(tree.engine) as conn:
        columns = [t.school.c.level, t.school.c.is_specialised, t.school.c.is_boarding, t.school.c.manager]
        for level in ("MN", "THCS", "TH,THCS&THPT", "GDTX", "", "TH&THCS"):
            for special in (False, True):
                for boarding in (False, True):
                    for chosen in ("", "so", "xa"):
                        values = dict(
                            zip((c.name for c in columns), (level, special, boarding, chosen), strict=True)
                        )
                        row = {"commune_id": tree.schools[0].commune, "name": "x", "created_at": tree.now}
                        made = conn.execute(insert(t.school).values(**row, **values).returning(t.school.c.id))
                        wanted[made.scalar_one()] = values
        for number, id_ in enumerate(wanted):
            conn.execute(insert(t.school_code).values(school_id=id_, code=f"X{number}", valid_from=tree.now))
    for id_ in wanted:
        put_claim(tree.engine, id_, "approved", now=tree.now)
    with begin_read(tree.engine) as conn:
        for by in ("so", "xa"):
            rows = claims.waiting(conn, EVERYTHING, "manager", by=by, limit=1000)
            assert {row.manager for row in rows} == ({"xa"} if by == "xa" else {"so", None})
            assert claims.count_waiting(conn, EVERYTHING, "manager", by=by) == len(rows)
            wanted = {id_: v for id_, v in wanted.items() if id_ not in {row.school_id for row in rows}}
    assert wanted == {}, "each school is on exactly one list"


def test_what_the_head_hands_in_is_approved_with_it(tree: Tree, head: httpx.Client) -> None:
    school = tree.schools[0]
    assert save(head, school, "network_zones", "submit", value="no").status_code == 303
    assert the_claim(tree, "network_zones", school).state == "approved"


def test_what_lacks_evidence_is_kept_and_does_not_leave_the_school(tree: Tree, head: httpx.Client) -> None:
    school = tree.schools[0]
    kept = save(head, school, "studio", "submit", value="yes")
    assert (kept.status_code, "còn thiếu tệp minh chứng" in kept.text) == (422, True)
    assert the_claim(tree, "studio", school).state == "draft"
    assert "thiếu minh chứng" in head.get(f"/schools/{school.code}/claims").text


def test_what_is_wrong_is_said_and_what_was_typed_stays(tree: Tree, head: httpx.Client) -> None:
    school = tree.schools[0]
    score = save(head, school, "qd4725.1.3", value="30,5", text="xem phiếu")
    assert (score.status_code, "từ 0 đến 30," in score.text) == (422, True)
    assert 'value="30,5"' in score.text
    assert "xem phiếu" in score.text
    for name, body, says in (
        ("a.pdf", b"MZ", "không phải PDF"),
        ("a.pdf", b"", "tệp rỗng"),
        ("lớn.pdf", PDF + b"\0" * BYTES_MAX, "lớn hơn 10 MB"),
    ):
        answer = save(head, school, "studio", value="yes", files=[(name, body)])
        assert (answer.status_code, f"{name}: " in answer.text, says in answer.text) == (422, True, True)
    with begin_read(tree.engine) as conn:
        assert claims.newest(conn, EVERYTHING, school.id) == {}, "nothing half done"
    assert save(head, school, "nonsense", value="yes").status_code == 404


def test_a_file_is_downloaded_as_it_came_by_who_may_and_each_look_is_written_down(
    tree: Tree, site: RunningSite
) -> None:
    school, other = tree.schools[0], tree.schools[1]
    _, file = put_claim(tree.engine, school.id, "submitted", now=tree.now)
    auditor = site.somebody("auditor")
    answer = auditor.get(f"/claims/files/{file}")
    assert answer.content == PDF
    assert answer.headers["content-type"] == "application/pdf"
    disposition = answer.headers["content-disposition"]
    assert re.fullmatch(
        r"attachment; filename=\"minh ch_ng \d+\.pdf\"; filename\*=UTF-8''minh%20ch%E1%BB%A9ng%20\d+\.pdf",
        disposition,
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]
    with begin_read(tree.engine) as conn:
        (line,) = audit.newest(conn, 1)
    assert (line.action, line.subject.split()[:2]) == ("claim.file", [school.code, "studio"])
    beside = site.somebody("school_head", Scope("school", other.id))
    for path in (
        f"/claims/files/{file}",
        f"/schools/{school.code}/claims",
        f"/schools/{school.code}/claims/studio",
    ):
        assert beside.get(path).status_code == 404
    assert school.code not in beside.get("/claims").text
    assert site.ask().get(f"/claims/files/{file}").status_code == 403, "no token reads evidence"


def test_a_file_of_a_draft_is_removed_and_gone_one_that_was_handed_in_stays(
    tree: Tree, head: httpx.Client
) -> None:
    school = tree.schools[0]
    _, draft = put_claim(tree.engine, school.id, "draft", now=tree.now)
    assert head.post("/claims/remove-file", data={"csrf": csrf(head), "file": draft}).status_code == 303
    with begin_read(tree.engine) as conn:
        assert attachments.bytes_of_school(conn, school.id) == 0
    _, sent = put_claim(tree.engine, school.id, "accepted", now=tree.now)
    assert head.post("/claims/remove-file", data={"csrf": csrf(head), "file": sent}).status_code == 404


def test_while_somebody_decides_the_school_does_not_answer_anew_but_may_take_it_back(
    tree: Tree, head: httpx.Client
) -> None:
    school = tree.schools[0]
    claim, _ = put_claim(tree.engine, school.id, "approved", now=tree.now)
    assert "đang chờ người khác xem xét" in save(head, school, "studio", value="no").text
    assert head.post("/claims/withdraw", data={"csrf": csrf(head), "claim": claim}).status_code == 303
    assert save(head, school, "studio", value="no").status_code == 303
    with begin_read(tree.engine) as conn:
        states = [row.state for row in claims.history(conn, EVERYTHING, school.id, "studio")]
    assert states == ["draft", "withdrawn"]


def test_a_school_has_only_so_much_room_for_evidence(
    tree: Tree, head: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = tree.schools[0]
    monkeypatch.setattr(attachments, "SCHOOL_BYTES_MAX", len(PDF) + 10)
    assert save(head, school, "studio", value="yes", files=[("a.pdf", PDF)]).status_code == 303
    full = save(head, school, "firewall_ips", value="yes", files=[("b.pdf", PDF + b" ")])
    assert (full.status_code, "đã đạt 200 MB" in full.text) == (422, True)
    assert save(head, school, "firewall_ips", value="yes", files=[("c.pdf", PDF)]).status_code == 303


def test_the_four_numbers_stay_what_they_are_and_their_page_goes_on(tree: Tree, head: httpx.Client) -> None:
    school = tree.schools[0]
    form = {"csrf": csrf(head), "students": "321"}
    assert head.post(f"/schools/{school.code}/declare", data=form).status_code == 303
    with begin_read(tree.engine) as conn:
        assert {row.quantity: row.value for row in pages.declarations(conn, school.id)}["students"] == 321


def test_a_school_that_is_deleted_leaves_no_evidence(tree: Tree, tmp_path: Path) -> None:
    school, other = tree.schools[:2]
    mark = PDF + b"only this school's " * 9 + b"%%EOF"
    for one in (school, other):
        put_claim(tree.engine, one.id, "recognised", now=tree.now)
    with begin_write(tree.engine) as conn:
        row = {"school_id": school.id, "sha256": "0" * 64, "body": mark}
        conn.execute(insert(t.attachment_body).values(**row))
    erasure.delete_school(
        tree.engine, tree.folder, school.code, "trường giải thể", lambda _: None, by="l", wait=0
    )
    with begin_read(tree.engine) as conn:
        left = set(conn.scalars(select(t.claim.c.school_id)))
        assert left == {other.id}
        assert set(conn.scalars(select(t.attachment_body.c.school_id))) == {other.id}
    tree.engine.dispose()
    assert not [path for path in tree.folder.glob("schoolwatch.db*") if mark in path.read_bytes()]


def test_what_was_accepted_is_a_table_to_publish_without_notes(tree: Tree, site: RunningSite) -> None:
    school = tree.schools[0]
    put_claim(tree.engine, school.id, "recognised", "expenditure_share", now=tree.now, value=0.015)
    put_claim(tree.engine, school.id, "accepted", "studio", now=tree.now)
    put_claim(tree.engine, school.id, "approved", "network_zones", now=tree.now)
    with begin_write(tree.engine) as conn:
        conn.execute(update(t.claim).values(text="cô Lan, 0912 345 678"))
    answer = site.ask().get("/api/v1/tables/declared.csv", params={"school": school.code})
    head, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    ids = [one.rpartition("[")[2].rstrip("]") for one in head]
    rows = {row["question"]: row for row in (dict(zip(ids, line, strict=True)) for line in lines)}
    share = rows["expenditure_share"]
    assert (share["declared_value"], share["unit"], share["as_of"]) == ("0.015", "ratio", DAY)
    assert (share["claim_state"], share["claim_files"]) == ("Sở đã công nhận", "1")
    assert (rows["studio"]["declared_value"], rows["studio"]["question_title"][:16]) == (
        "có",
        "Trường có phòng ",
    )
    assert rows["network_zones"]["claim_state"] == "chưa có khai báo được chấp nhận"
    assert rows["qd4725.1.7.1"]["question_title"].startswith("1.7.1: ")
    assert "Lan" not in answer.text


def test_a_report_can_name_the_files_behind_what_counts(tree: Tree) -> None:
    school = tree.schools[0]
    put_claim(tree.engine, school.id, "recognised", now=tree.now)
    put_claim(tree.engine, school.id, "returned", now=tree.now)
    put_claim(tree.engine, tree.schools[1].id, "recognised", now=tree.now)
    with begin_read(tree.engine) as conn:
        ((question, file),) = attachments.counted(conn, Scope("school", school.id))
        where = freeze.place(conn, "school", school.code, EVERYTHING)
        content = freeze.fill(conn, where, "monthly", "2026-11", freeze.Judged(packs.load()), tree.now)
    assert (question, file.sha256, file.size) == ("studio", hashlib.sha256(PDF).hexdigest(), len(PDF))
    assert [(one.question, one.sha256) for one in content.evidence] == [("studio", file.sha256)]


def test_what_a_head_vouches_for_is_written_down_as_it_stood(tree: Tree, head: httpx.Client) -> None:
    school = tree.schools[0]
    form = {"csrf": csrf(head), "students": "321", "devices": "40"}
    head.post(f"/schools/{school.code}/declare", data=form)
    save(head, school, "lists_confirmed", value="yes", text="đã đối chiếu")
    assert (
        'maxlength="500">đã đối chiếu</textarea>'
        in head.get(f"/schools/{school.code}/claims/lists_confirmed").text
    )
    head.post(f"/schools/{school.code}/declare", data={**form, "students": "322"})
    save(head, school, "lists_confirmed", "submit", value="yes", text="đã đối chiếu")
    head.post(f"/schools/{school.code}/declare", data={**form, "students": "999"})
    kept = the_claim(tree, "lists_confirmed", school).text
    assert kept.startswith("đã đối chiếu Số liệu lúc khai: học sinh 322; thiết bị 40; lớp 0; phòng 1;")
    assert "999" not in kept


def test_whoever_has_to_decide_is_told_where_they_come_in(tree: Tree, site: RunningSite) -> None:
    school = tree.schools[0]
    for state in ("submitted", "approved", "approved"):
        put_claim(tree.engine, school.id, state, now=tree.now)
    at = f"/schools/{school.code}"
    own, commune = Scope("school", school.id), Scope("commune", school.commune)
    assert "1 khai báo chờ quyết định" in site.somebody("school_head", own).get(at).text
    assert "2 khai báo chờ quyết định" in site.somebody("commune", commune).get("/").text
    assert "chờ quyết định" not in site.somebody("technician", own).get(at).text
    assert "chờ quyết định" not in site.somebody("auditor").get("/").text, "who only reads decides nothing"


def test_what_is_too_large_to_take_in_is_told_so(tree: Tree, head: httpx.Client) -> None:
    form = {"csrf": csrf(head), "code": tree.schools[0].code, "question": "studio", "value": "yes"}
    files = {"file": ("to.pdf", PDF + b"\0" * (12 << 20))}
    answer = head.post("/claims/save", data=form, files=files, headers={"Accept": "text/html"})
    assert (answer.status_code, "mỗi lần gửi tối đa 10 MB" in answer.text) == (413, True)


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999999", "1.5", "x", ""])
def test_a_number_that_no_answer_has_is_refused_in_words(head: httpx.Client, number: str) -> None:
    for step in ("approve", "submit", "withdraw"):
        sent = head.post(f"/claims/{step}", data={"csrf": csrf(head), "claim": number})
        assert sent.status_code in (404, 422), (step, sent.text)
    assert head.post("/claims/remove-file", data={"csrf": csrf(head), "file": number}).status_code == 422
    assert head.get(f"/claims/files/{number or '-'}").status_code == 422


def test_more_photos_than_an_answer_takes_are_refused_in_words_and_so_is_what_cannot_be_read(
    tree: Tree, head: httpx.Client
) -> None:
    school = tree.schools[0]
    photos = [(f"{n}.pdf", PDF + b"%d" % n) for n in range(6)]
    answer = save(head, school, "studio", value="yes", files=photos)
    assert answer.status_code == 422
    assert "5 tệp" in answer.text.split('role="alert"')[1][:300]
    head.headers["accept"] = "text/html"
    answer = save(head, school, "studio", value="yes", files=[(f"{n}.pdf", PDF) for n in range(30)])
    assert answer.status_code == 400
    assert "quá nhiều tệp" in answer.text
