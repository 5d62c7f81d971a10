"""Packs in the browser: read by everybody, typed in and changed by the department's administrators alone."""

import html
import re
from datetime import date, timedelta

import httpx
import yaml

from schoolwatch_server.database import audit
from schoolwatch_server.database import packs as versions
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.packs import examples, load
from schoolwatch_server.sheets import packs_in_force, today
from tree import Tree
from website import RunningSite, csrf

FORM = {
    "shape": "plan", "pack": "", "base": "0",
    "vi": "Kế hoạch chuyển đổi số năm 2027", "number": "12/KH-SGDĐT",
    "date": "2027-01-05", "issuer": "Sở GDĐT", "do": "look",
    "items.0.vi": "Phần mềm diệt virus", "items.0.measured": "i:antivirus_coverage", "items.0.target": "95",
    "items.0.unit": "ratio", "items.0.better": "higher", "items.0.deadline": "2027-12-31",
    "items.0.clause": "mục II.3", "items.0.confidence": "V-law",
}  # fmt: skip


def look(client: httpx.Client, **other: str) -> httpx.Response:
    return client.post(
        "/packs/typed/look", data={"csrf": csrf(client), "valid_from": today().isoformat(), **FORM, **other}
    )


def save(client: httpx.Client, seen: httpx.Response) -> httpx.Response:
    """What the button under the changes sends."""
    form = seen.text[seen.text.index('action="/packs/typed/save"') :]
    names = ("base", "valid_from", "text")
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', form) for name in names}
    fields = {name: html.unescape(match[1]) for name, match in found.items() if match}
    return client.post("/packs/typed/save", data={"csrf": csrf(client), **fields})


def stored(tree: Tree) -> list[tuple[str, int, bool]]:
    with begin_read(tree.engine) as conn:
        return [(one.name, one.version, one.is_end) for one in versions.stored(conn)]


def test_a_plan_is_typed_in_seen_saved_and_holds_everywhere_without_a_restart(tree: Tree) -> None:
    evaluating = packs_in_force(tree.config, tree.engine)
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        seen = look(admin)
        assert seen.status_code == 200, seen.text
        assert "95%" in seen.text
        assert stored(tree) == [], "nothing is saved before it was seen"
        done = save(admin, seen)
        assert (done.status_code, done.headers["location"]) == (303, "/packs/plan_12_kh_sgddt_2027")
        page = admin.get("/packs/plan_12_kh_sgddt_2027").text
        assert "95%" in page
        assert "31/12/2027" in page
        assert site.app.state.context.packs.plans[0].name == "plan_12_kh_sgddt_2027@1"
    evaluating.look()
    assert [plan.name for plan in evaluating.now().plans] == ["plan_12_kh_sgddt_2027@1"]
    with begin_read(tree.engine) as conn:
        told = audit.newest(conn, 1)[0]
    assert (told.action, told.subject, told.detail["version"]) == ("pack.save", "plan_12_kh_sgddt_2027", 1)


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        wrong = look(site.somebody("so_admin"), **{"items.0.deadline": "cuối năm", "items.0.target": "120"})
        assert wrong.status_code == 422
        assert 'id="fault-items.0.deadline">không phải ngày' in wrong.text
        assert 'id="fault-items.0.target">tỉ lệ không quá' in wrong.text
        assert 'value="Phần mềm diệt virus"' in wrong.text
        assert "còn 2 chỗ cần sửa" in wrong.text
    assert stored(tree) == []


def test_a_commune_is_named_or_refused(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        assert "không có xã, phường này" in look(admin, **{"items.0.communes": "Xã Không Có"}).text
        commune = next(m for m in tree.schools[0].above if "P" not in m)
        seen = look(admin, **{"items.0.communes": commune})
        assert seen.status_code == 200, seen.text


def test_a_version_of_tomorrow_waits_and_the_present_one_stays(tree: Tree) -> None:
    tomorrow = (today() + timedelta(days=1)).isoformat()
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        save(admin, look(admin))
        again = {"pack": "plan_12_kh_sgddt_2027", "base": "1", "items.0.id": "phan_mem_diet_virus"}
        seen = look(admin, **again, **{"valid_from": tomorrow, "items.0.target": "99"})
        assert "<del>95%</del>" in seen.text
        assert "<ins>99%</ins>" in seen.text
        assert save(admin, seen).status_code == 303
        assert site.app.state.context.packs.plans[0].items[0].target == 0.95
        page = admin.get("/packs/plan_12_kh_sgddt_2027").text
        assert "chờ đến ngày" in page
        assert "đang dùng" in page


def test_who_saves_on_top_of_what_he_has_not_seen_is_refused(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        item = {"id": "a", "vi": "A", "clause": "I", "confidence": "P", "deadline": date(2027, 1, 1)}
        plan = {"kind": "plan", "id": "so_2027", "vi": "Kế hoạch", "issuer": "Sở", "items": [item]}
        text = yaml.safe_dump(plan, allow_unicode=True)
        post = {"csrf": csrf(admin), "valid_from": today().isoformat(), "text": text}
        assert admin.post("/packs/typed/save", data={**post, "base": "0"}).status_code == 303
        refused = admin.post("/packs/typed/save", data={**post, "base": "0"})
        assert refused.status_code == 422
        assert "đã có người lưu phiên bản khác" in refused.text
        assert look(admin, base="²").status_code == 200, "a digit that is no number"
    assert stored(tree) == [("so_2027", 1, False)]


def test_numbers_of_indicators_are_changed_as_yaml_with_errors_in_vietnamese(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        page = admin.get("/packs/network/edit").text
        text = html.unescape(page[page.index('class="yaml">') + 13 : page.index("</textarea>")])
        post = {"csrf": csrf(admin), "pack": "network", "base": "1", "valid_from": today().isoformat()}
        bad = admin.post(
            "/packs/typed/look", data={**post, "text": text.replace("value: 0.9", "value: nhiều", 1)}
        )
        assert bad.status_code == 422
        assert "phải là số, đang là chữ" in bad.text
        assert "indicators" in bad.text
        good = admin.post(
            "/packs/typed/look", data={**post, "text": text.replace("value: 0.9", "value: 0.7", 1)}
        )
        assert "<ins>0.7</ins>" in good.text
        assert save(admin, good).status_code == 303
        assert admin.get("/packs/network/versions/2").text.startswith("# The school")
        assert site.app.state.context.packs.of("ipv6_ladder").name == "network@2"
        ended = admin.post(
            "/packs/network/end", data={"csrf": csrf(admin), "valid_from": today().isoformat()}
        )
        assert ended.status_code == 303
        assert site.app.state.context.packs.of("ipv6_ladder").name == "network@1"
    assert stored(tree) == [("network", 2, False), ("network", 3, True)]


def test_an_example_is_taken_as_a_model(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        assert "chưa áp dụng" in admin.get("/packs/ninh_binh_2025").text
        page = admin.get("/packs/ninh_binh_2025/edit").text
        assert 'value="27/KH-SGDĐT"' in page
        assert 'value="31/12/2025"' in page


def test_everybody_reads_and_only_administrators_of_the_whole_change(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        for role in ("so_viewer", "auditor"):
            reader = site.somebody(role)
            page = reader.get("/packs")
            assert page.status_code == 200
            assert "/packs/plans/new" not in page.text
            assert reader.get("/packs/plans/new").status_code == 403
            assert look(reader).status_code == 403
    assert stored(tree) == []


def test_every_pack_and_example_can_be_read_and_opened_in_both_languages(tree: Tree) -> None:
    names = [held.sheet.id for held in (*load().held, *examples())]
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        for language in ("vi", "en"):
            admin.get(f"/language/{language}")
            for name in names:
                for path in (f"/packs/{name}", f"/packs/{name}/edit", f"/packs/{name}/edit?as_text=true"):
                    assert admin.get(path).status_code == 200, (language, path)
