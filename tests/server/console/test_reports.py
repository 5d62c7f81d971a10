"""The pages of reports: frozen, handed in, returned, accepted; a digest tells nothing of whose it is."""

import json
import re
import time
from datetime import timedelta

from sqlalchemy import update

from databases import drop_trigger
from schoolwatch_server.database.tables import report
from schoolwatch_server.reports import calendar, content
from schoolwatch_server.scope import Scope
from shared import shared_site, shared_tree
from tree import Tree
from website import csrf

tree, site = shared_tree, shared_site


def freeze(client, code: str = "", level: str = "school", kind: str = "monthly", **more):
    data = {"csrf": csrf(client), "level": level, "code": code, "kind": kind, **more}
    return client.post("/reports", data=data)


def act(client, where: str, what: str, remark: str = ""):
    return client.post(f"{where}/{what}", data={"csrf": csrf(client), "remark": remark})


def test_a_head_freezes_and_hands_in_and_the_commune_returns_and_accepts(tree: Tree, site) -> None:
    school = tree.schools[0]
    head = site.somebody("school_head", Scope("school", school.id))
    officer = site.somebody("commune", Scope("commune", school.commune))
    so = site.somebody("so_admin")
    where = freeze(head, school.code).headers["location"]
    page = head.get(where).text
    assert f"Trường {school.mark}" in page
    assert "Nộp lên UBND xã, phường" in page
    assert act(officer, where, "hand-in").status_code == 422, "nobody hands in for another place"
    assert "Cần duyệt" not in officer.get("/reports").text
    assert act(head, where, "hand-in").status_code == 303
    assert "Cần duyệt" in officer.get("/reports").text
    assert "Cần duyệt" not in so.get("/reports").text, "the commune is its direct manager"
    refused = act(officer, where, "return")
    assert refused.status_code == 422
    assert "từ 5 đến 500 ký tự" in refused.text
    assert act(officer, where, "return", "thiếu <b>phòng 2</b>").status_code == 303
    assert "thiếu &lt;b&gt;phòng 2&lt;/b&gt;" in head.get(where).text
    again = freeze(head, school.code)
    assert again.status_code == 422
    assert freeze(head, "no\0code", note="mã có ký tự lạ").status_code == 422
    assert "lần chốt trước đã có" in again.text
    newer = freeze(head, school.code, note="đã bổ\0sung phòng 2").headers["location"]
    page = head.get(newer).text
    assert "Khác với lần chốt 1" in page or "Không giá trị nào khác lần chốt 1" in page
    assert "đã có lần chốt mới hơn" in head.get(where).text
    assert act(head, where, "hand-in").status_code == 422
    assert act(head, newer, "hand-in").status_code == 303
    assert act(officer, newer, "accept").status_code == 303
    assert "đã duyệt" in head.get(newer).text
    assert act(officer, newer, "accept").status_code == 422
    listed = head.get("/reports").text
    assert listed.count('class="chip bad">bị trả lại') == 1


def test_who_sees_a_report_is_who_sees_its_place(tree: Tree, site) -> None:
    school, other = tree.schools[1], tree.schools[4]
    so = site.somebody("so_admin")
    where = freeze(so, school.code).headers["location"]
    commune = freeze(so, "MarkC00X", "commune").headers["location"]
    away = site.somebody("school_head", Scope("school", other.id))
    head = site.somebody("school_head", Scope("school", school.id))
    assert away.get(where).status_code == head.get(commune).status_code == 404
    assert where not in away.get("/reports").text
    assert commune not in head.get("/reports").text
    assert freeze(away, school.code).status_code == 422
    for form in ("json", "csv"):
        assert head.get(f"{where}/file.{form}").status_code == 200
        assert away.get(f"{where}/file.{form}").status_code == 404
    assert head.get(f"{where}/file.exe").status_code == 404


def test_the_file_is_the_very_bytes_and_anybody_verifies_a_digest_without_learning_more(
    tree: Tree, site
) -> None:
    school = tree.schools[2]
    head = site.somebody("school_head", Scope("school", school.id))
    where = freeze(head, school.code).headers["location"]
    digest = where.rpartition("/")[2]
    file = head.get(f"{where}/file.json")
    assert content.digest(file.content) == digest
    assert json.loads(file.content)["code"] == school.code
    anyone = site.anyone()
    known = anyone.get(f"/verify/{digest}")
    assert known.status_code == 200
    assert "đang được lưu nguyên vẹn" in known.text
    assert school.mark not in known.text.replace(digest, "")
    assert anyone.get(f"/verify/{digest.upper()}").status_code == 200, "a reader of QR codes shouts"
    nothing = anyone.get(f"/verify/{'0' * 64}")
    assert nothing.status_code == 404
    assert "Không có báo cáo nào mang mã này" in nothing.text
    mistyped = anyone.get("/verify/short", headers={"Accept": "text/html"})
    assert mistyped.status_code == 422
    assert "đủ 64 ký tự" in mistyped.text
    assert "chỉ mở được trên chính máy chủ này" in head.get(where).text, "the QR code leads to 127.0.0.1"
    assert anyone.get(where).status_code in (303, 401)


def test_what_is_kept_and_was_altered_is_said_to_be(tree: Tree, site) -> None:
    head = site.somebody("school_head", Scope("school", tree.schools[3].id))
    where = freeze(head, tree.schools[3].code).headers["location"]
    with tree.engine.begin() as conn:
        drop_trigger(conn, "report_no_change", "report")
        conn.execute(update(report).where(report.c.sha256 == where.rpartition("/")[2]).values(body=b"x"))
    page = head.get(where)
    assert page.status_code == 200
    assert "không còn khớp mã kiểm chứng" in page.text
    refused = head.get(f"{where}/file.json")
    assert (refused.status_code, "restore a backup" in refused.text) == (500, True)
    verified = site.anyone().get(f"/verify/{where.rpartition('/')[2]}").text
    assert "không còn khớp mã kiểm chứng" in verified
    assert "nguyên vẹn" not in verified


def test_a_province_sets_its_own_dates_with_the_document(tree: Tree, site) -> None:
    school = tree.schools[0]
    so = site.somebody("so_admin", Scope("province", school.province))
    head = site.somebody("school_head", Scope("school", school.id))
    assert "Kế hoạch 27/KH-SGDĐT" in head.get("/reports/calendar").text
    form = {"csrf": csrf(so), "province": "MarkP0X", "kind": "year", "level": "school", "before": "6/12"}
    assert so.post("/reports/calendar", data=form).status_code == 422, "a date needs its document"
    form |= {"document": "Kế hoạch 99/KH-SGDĐT ngày 05/01/2026"}
    assert so.post("/reports/calendar", data={**form, "before": "31/2"}).status_code == 422
    assert so.post("/reports/calendar", data={**form, "province": "MarkP1X"}).status_code == 404
    assert so.post("/reports/calendar", data=form).status_code == 303
    page = head.get("/reports/calendar").text
    assert "Kế hoạch 99/KH-SGDĐT ngày 05/01/2026" in page
    where = freeze(head, school.code, kind="year").headers["location"]
    year = calendar.day_of(time.time()).year
    assert f"05/12/{year}" in head.get(where).text, "before the 6th: the 5th is the last day"
    assert so.post("/reports/calendar", data={**form, "reset": "true"}).status_code == 303
    assert "Kế hoạch 99" not in head.get("/reports/calendar").text


def test_a_schools_own_page_says_what_it_owes_within_a_week(tree: Tree, site) -> None:
    school, so = tree.schools[6], site.somebody("so_admin")
    head = site.somebody("school_head", Scope("school", school.id))
    today = calendar.day_of(time.time())
    form = {"csrf": csrf(so), "province": "MarkP1X", "kind": "year", "level": "school"}
    form |= {"document": "Kế hoạch 98/KH-SGDĐT ngày 05/01/2026"}
    for days, is_near in ((9, False), (5, True)):
        day = today + timedelta(days=days + 1)  # "trước ngày": the last day is the one before
        so.post("/reports/calendar", data={**form, "before": f"{day.day}/{day.month}"})
        page = head.get(f"/schools/{school.code}").text
        assert ("Chưa nộp Báo cáo năm" in page) is is_near
    assert f"còn {5} ngày" in page
    assert "Chưa nộp Báo cáo năm" not in site.somebody("auditor").get(f"/schools/{school.code}").text
    year = day.year - (day.month < 7)  # what is due by June is a report on the year before
    where = freeze(head, school.code, kind="year", period=str(year)).headers["location"]
    assert act(head, where, "hand-in").status_code == 303
    assert "Chưa nộp Báo cáo năm" not in head.get(f"/schools/{school.code}").text


def test_programs_read_reports_and_their_very_bytes(tree: Tree, site) -> None:
    school, other = tree.schools[5], tree.schools[6]
    head = site.somebody("school_head", Scope("school", school.id))
    digest = freeze(head, school.code, kind="quarterly").headers["location"].rpartition("/")[2]
    program = site.ask(Scope("school", school.id))
    (row,) = program.get("/api/v1/reports", params={"kind": "quarterly"}).json()["reports"]
    assert (row["sha256"], row["code"], row["state"]) == (digest, school.code, "frozen")
    lines = program.get("/api/v1/reports.ndjson").text.splitlines()
    assert digest in {json.loads(line)["sha256"] for line in lines}
    whole = program.get(f"/api/v1/reports/{digest}/content")
    assert content.digest(whole.content) == digest
    assert whole.headers["etag"] == f'"{digest}"'
    values = program.get(f"/api/v1/reports/{digest}/values.ndjson").text.splitlines()
    assert len(values) == len(content.decode(whole.content).values)
    assert json.loads(values[-1])["value"]["code"] == "I-30"
    assert program.get(f"/api/v1/reports/{digest}").json()["events"][0]["event"] == "freeze"
    elsewhere = site.ask(Scope("school", other.id))
    assert elsewhere.get(f"/api/v1/reports/{digest}/content").status_code == 404
    assert digest not in elsewhere.get("/api/v1/reports").text
    assert program.get("/api/v1/reports", params={"period": "x' OR 1=1"}).status_code == 422
    assert program.post("/reports", data={"code": school.code}).status_code == 403, "a token never writes"


def test_the_list_says_who_owes_what_and_by_when(tree: Tree, site) -> None:
    school, so = tree.schools[4], site.somebody("so_admin")
    page = so.get("/reports").text
    links = re.findall(r'href="(/reports/due\?[^"]+)"', page)
    monthly = next(link for link in links if "kind=monthly" in link and "MarkP1X" in link)
    monthly = monthly.replace("&amp;", "&")
    assert f"Trường {school.mark}" in so.get(monthly).text
    period = re.search(r"period=([^&]+)", monthly)[1]
    head = site.somebody("school_head", Scope("school", school.id))
    if period == calendar.period_of("monthly", calendar.day_of(time.time())):
        where = freeze(head, school.code, period=period).headers["location"]
        act(head, where, "hand-in")
        page = so.get(monthly).text
        assert "1 / 4" in page
        assert "đúng hạn" in page
    assert f"Trường {tree.schools[5].mark}" not in head.get(monthly).text
    assert so.get(monthly.replace("MarkP1X", "nowhere")).status_code == 404
