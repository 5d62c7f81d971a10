"""A school's website at the console and on the API: its address, how it stands, and which need somebody."""

import csv
import io

import httpx
import msgspec
import pytest
from openpyxl import load_workbook
from sqlalchemy import update

from declaring import put_claim
from schoolwatch_server import rosters
from schoolwatch_server.config import ServerConfig, Sites
from schoolwatch_server.database import audit, sites
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.sites.look import OUR_LINE, Look, Tls, Way
from tree import Tree
from website import RunningSite, csrf

DAY = 86400.0


def switched_on(tree: Tree) -> ServerConfig:
    return msgspec.structs.replace(tree.config, sites=Sites(enabled=True, references=("vidu.vn:443",)))


def look(tree: Tree, number: int, address: str, *found: Look) -> None:
    """The school's site, and what looks a day apart found, the newest first."""
    with begin_write(tree.engine) as conn:
        sites.change(conn, tree.schools[number].id, address, tree.now - 20 * DAY, "test")
        [ids] = [ids for text, ids in sites.due(conn, tree.now, 99).items() if text == address]
        for days, one in enumerate(reversed(found)):
            at = tree.now - (len(found) - 1 - days) * DAY
            sites.put(conn, ids, one, at, dict.fromkeys(ids, at + DAY))


def set_address(client: httpx.Client, code: str, address: str) -> httpx.Response:
    return client.post(f"/schools/{code}/site", data={"csrf": csrf(client), "address": address})


def good(tree: Tree, days: float) -> Look:
    tls = Tls(
        is_trusted=True, issuer="Let's <Encrypt>", expires_at=tree.now + (days + 0.5) * DAY, version="TLSv1.3"
    )
    return Look(Way("", 200, 0.25, is_https=True), Way("", 200, 0.3, is_https=True), tls, True)


def test_a_technician_gives_the_address_and_it_is_looked_at_next(tree: Tree) -> None:
    school = tree.schools[0]
    with RunningSite(switched_on(tree)) as site:
        who = site.somebody("technician", Scope("school", school.id))
        assert "Chưa có địa chỉ trang của trường" in who.get(f"/schools/{school.code}").text
        assert set_address(who, school.code, " THCS-A.edu.vn ").status_code == 303
        page = who.get(f"/schools/{school.code}").text
        assert 'href="http://thcs-a.edu.vn/"' in page
        assert "máy chủ sẽ xem trong vài phút tới" in page
        assert set_address(who, school.code, "http://thcs-a.edu.vn").status_code == 303, "the same again"
        assert set_address(who, tree.schools[1].code, "http://b.vn").status_code == 404
        assert set_address(who, school.code, "").status_code == 303
        assert "Chưa có địa chỉ trang của trường" in who.get(f"/schools/{school.code}").text
        viewer = site.somebody("so_viewer")
        assert set_address(viewer, school.code, "http://b.vn").status_code == 403
        assert f'action="/schools/{school.code}/site"' not in viewer.get(f"/schools/{school.code}").text
    with begin_read(tree.engine) as conn:
        told = [line for line in audit.newest(conn, 20) if line.action == "site.change"]
        assert sites.due(conn, tree.now + DAY, 9) == {}
    assert [line.detail for line in reversed(told)] == [
        {"before": "", "after": "http://thcs-a.edu.vn/"},
        {"before": "http://thcs-a.edu.vn/", "after": ""},
    ]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://thay:bi-mat@thcs-a.edu.vn", "Không ghi tên đăng nhập"),
        ("http://192.168.1.1/", "không ghi địa chỉ IP"),
        ("http://2130706433/", "không ghi địa chỉ IP"),
        ("http://localhost/", "ghi tên miền đầy đủ"),
        ("ftp://thcs-a.edu.vn", "phải bắt đầu bằng http"),
        ("http://thcs-a.edu.vn:22/", "ở các cổng 80, 443, 8080, 8443"),
        ("http://thcs-a.edu.vn/" + "x" * 400, "quá dài"),
    ],
)
def test_what_is_no_address_is_refused_in_words(
    tree: Tree, head: httpx.Client, address: str, said: str
) -> None:
    school = tree.schools[0]
    answer = set_address(head, school.code, address)
    assert answer.status_code == 422
    assert said in answer.text
    assert "bi-mat" not in answer.text
    with begin_read(tree.engine) as conn:
        assert sites.addresses(conn, EVERYTHING) == {}


def test_the_box_says_what_was_found_and_when(tree: Tree) -> None:
    school = tree.schools[0]
    down = Look(Way("timeout"), Way("no_record"))
    look(tree, 0, "https://xn--trnga-grb7933c.vn/", good(tree, 12), good(tree, 13), down, good(tree, 15))
    with RunningSite(switched_on(tree)) as site:
        page = site.somebody("technician", Scope("school", school.id)).get(f"/schools/{school.code}").text
        english = site.somebody("so_viewer", language="en").get(f"/schools/{school.code}").text
    for said in (
        "https://trườnga.vn/",
        "Đang hoạt động",
        "còn 12 ngày",
        "Let&#39;s &lt;Encrypt&gt;",
        "3 trên 4",
    ):
        assert said.lower() in page.lower(), said
    assert "trả lời 200" in page
    assert "12 days left" in english


def test_a_site_that_is_down_and_one_that_nobody_knows_of(tree: Tree) -> None:
    look(tree, 0, "https://a.vn/", Look(Way("no_name"), Way("no_name")))
    look(tree, 1, "https://b.vn/", OUR_LINE)
    with RunningSite(tree.config) as site:
        viewer = site.somebody("so_viewer")
        first, second = (viewer.get(f"/schools/{school.code}").text for school in tree.schools[:2])
    assert "Tên miền không tồn tại" in first
    assert "Sở chưa bật việc kiểm tra" in first
    assert "đường truyền của chính máy chủ" in second
    assert "không mở được" not in second


def test_the_list_is_narrowed_and_each_sees_their_own(tree: Tree) -> None:
    look(tree, 0, "https://khoe.vn/", good(tree, 200))
    look(tree, 1, "https://sap-het.vn/", good(tree, 10))
    look(tree, 2, "https://hong.vn/", Look(Way("status", 503), Way("no_record")))
    with RunningSite(switched_on(tree)) as site:
        viewer = site.somebody("so_viewer")

        def listed(show: str) -> list[str]:
            page = viewer.get(f"/sites?show={show}").text
            return [name for name in ("hong.vn", "sap-het.vn", "khoe.vn") if f"https://{name}/" in page]

        assert listed("all") == ["hong.vn", "sap-het.vn", "khoe.vn"]
        assert listed("nonsense") == ["hong.vn", "sap-het.vn", "khoe.vn"]
        assert listed("down") == listed("no_ipv6") == ["hong.vn"]
        assert listed("expiring_30") == listed("expiring_14") == ["sap-het.vn"]
        assert listed("expiring_7") == listed("unknown") == listed("without") == []
        page = viewer.get("/sites").text
        assert (
            page.index("https://hong.vn/")
            < page.index("https://sap-het.vn/")
            < page.index("https://khoe.vn/")
        )
        assert tree.schools[4].mark in viewer.get("/sites?show=without").text
        assert 'href="/sites"' in viewer.get("/").text
        commune = site.somebody("commune", Scope("commune", tree.schools[0].commune))
        seen = commune.get("/sites").text
        assert "khoe.vn" in seen
        assert "hong.vn" not in seen


def test_programs_read_the_same(tree: Tree) -> None:
    look(tree, 0, "https://khoe.vn/", good(tree, 200), Look(Way("timeout"), Way("no_record")))
    look(tree, 2, "https://hong.vn/", Look(Way("status", 503, 0.1), Way("our_line")))
    look(tree, 3, "https://moi.vn/")
    codes = [school.code for school in tree.schools]
    with RunningSite(switched_on(tree)) as site:
        ask = site.ask()
        first = ask.get("/api/v1/sites?limit=2").json()
        rest = ask.get(f"/api/v1/sites?cursor={first['next']}").json()
        found = {one["school"]["code"]: one for one in first["sites"] + rest["sites"]}
        assert list(found) == [codes[0], codes[2], codes[3]]
        assert rest["next"] is None
        assert first["checked"] is True
        good_one, bad, new = found.values()
        assert (good_one["state"], good_one["days_left"], good_one["look"]["has_ipv6"]) == ("up", 200, True)
        assert good_one["look"]["certificate"]["protocol"] == "TLSv1.3"
        assert (bad["state"], bad["look"]["trouble"], bad["look"]["ipv4"]["status"]) == (
            "down",
            "status",
            503,
        )
        assert bad["look"]["has_ipv6"] is None
        assert (new["state"], new["look"]) == ("unknown", None)
        down = ask.get("/api/v1/sites?show=down").json()["sites"]
        assert [one["school"]["code"] for one in down] == [codes[2]]
        looks = ask.get(f"/api/v1/sites/looks?school={codes[0]}").json()["looks"]
        assert [one["is_up"] for one in looks] == [True, False]
        older = ask.get("/api/v1/sites/looks", params={"school": codes[0], "before": looks[0]["at"]}).json()
        assert older["looks"] == looks[1:]
        assert ask.get(f"/api/v1/sites/looks?school={codes[5]}").json()["address"] is None
        other = site.ask(Scope("school", tree.schools[2].id))
        assert other.get(f"/api/v1/sites?school={codes[0]}").status_code == 404
        assert [one["address"] for one in other.get("/api/v1/sites").json()["sites"]] == ["https://hong.vn/"]


def test_a_look_again_is_asked_for_when_the_last_one_is_old_enough(tree: Tree) -> None:
    school = tree.schools[0]
    with begin_write(tree.engine) as conn:
        sites.change(conn, school.id, "https://a.vn/", tree.now - DAY, "test")
        [ids] = sites.due(conn, tree.now, 9).values()
        sites.put(conn, ids, OUR_LINE, tree.now - 3600.0, dict.fromkeys(ids, tree.now + DAY))
    with RunningSite(switched_on(tree)) as site:
        who = site.somebody("technician", Scope("school", school.id))
        again = f"/schools/{school.code}/site/look"
        assert f'action="{again}"' in who.get(f"/schools/{school.code}").text
        assert who.post(again, data={"csrf": csrf(who)}).status_code == 303
    with begin_read(tree.engine) as conn:
        assert len(sites.due(conn, tree.now + 3600.0, 9)) == 1
        assert "site.look" in {line.action for line in audit.newest(conn, 5)}


def test_the_address_that_was_declared_is_offered(tree: Tree) -> None:
    school = tree.schools[0]
    claim, _ = put_claim(tree.engine, school.id, "accepted", "website", now=tree.now)
    with begin_write(tree.engine) as conn:
        conn.execute(update(t.claim).where(t.claim.c.id == claim).values(text="https://khai-bao.vn/"))
    with RunningSite(tree.config) as site:
        page = site.somebody("technician", Scope("school", school.id)).get(f"/schools/{school.code}").text
    assert "Lấy từ khai báo đã được chấp nhận" in page
    assert 'value="https://khai-bao.vn/"' in page


def test_the_list_of_schools_brings_addresses(tree: Tree) -> None:
    codes = [school.code for school in tree.schools]
    with begin_read(tree.engine) as conn:
        known = rosters.roster.known(conn, EVERYTHING)
    names = {code: one.name for code, one in known.schools.items()}
    head = "Mã trường,Tên trường,Trang thông tin điện tử\n"

    def took(*rows: tuple[str, str]) -> rosters.Preview:
        text = head + "".join(f"{code},{names[code]},{address}\n" for code, address in rows)
        return rosters.take_in(tree.engine, "school", text.encode(), EVERYTHING, by="test", now=tree.now)

    found = took((codes[0], "thcs-a.edu.vn"), (codes[1], ""))
    assert (found.plan.problems, len(found.plan.changes), found.plan.same) == ((), 1, 1)
    with begin_read(tree.engine) as conn:
        assert sites.addresses(conn, EVERYTHING) == {tree.schools[0].id: "http://thcs-a.edu.vn/"}
    assert took((codes[0], "http://thcs-a.edu.vn/"), (codes[1], "")).plan.changes == ()
    refused = took((codes[0], "http://10.0.0.1/"), (codes[1], "https://a:b@c.vn"), (codes[2], "chưa có"))
    assert [(one.row, one.column, one.reason) for one in refused.plan.problems] == [
        (2, "C", "website_number"),
        (3, "C", "website_credentials"),
        (4, "C", "website_host"),
    ]
    with RunningSite(tree.config) as site:
        file = site.somebody("so_admin").get("/imports/template.xlsx")
    sheet = load_workbook(io.BytesIO(file.content)).worksheets[0]
    assert "Trang thông tin điện tử" in [cell.value for cell in sheet[1]]


def test_the_list_is_a_file_and_says_when_it_is_our_own_line(tree: Tree) -> None:
    look(tree, 0, "https://khoe.vn/", good(tree, 20))
    look(tree, 2, "https://hong.vn/", Look(Way("no_name"), Way("no_name")))
    with RunningSite(switched_on(tree)) as site:
        viewer = site.somebody("so_viewer")
        assert "Đường truyền của máy chủ không hoạt động" not in viewer.get("/sites").text
        raw = site.ask().get("/api/v1/tables/sites.csv")
        with begin_write(tree.engine) as conn:
            row = sites.of_school(conn, EVERYTHING, tree.schools[2].id)
            assert row is not None
            sites.put(conn, [row.id], OUR_LINE, tree.now + 1, {row.id: tree.now + DAY})
        assert "Đường truyền của máy chủ không hoạt động" in viewer.get("/sites").text
    lines = list(csv.DictReader(io.StringIO(raw.content.decode("utf-8-sig"))))
    told = [{name.rpartition("[")[2].rstrip("]"): value for name, value in line.items()} for line in lines]
    found = {line["school_code"]: line for line in told}
    assert set(found) == {school.code for school in tree.schools}
    first, second, none = (found[tree.schools[number].code] for number in (0, 2, 5))
    assert (first["site_address"], first["site_state"]) == ("https://khoe.vn/", "đang hoạt động")
    assert (first["site_days"], first["site_trouble"]) == ("20", "")
    assert (second["site_state"], second["site_trouble"][:24]) == (
        "không mở được",
        "Tên miền không tồn tại: ",
    )
    assert none["site_state"] == "Chưa có địa chỉ trang của trường."
