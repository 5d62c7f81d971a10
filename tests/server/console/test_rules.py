"""Rules in the browser: read by everybody, changed by the department's administrators alone."""

import html
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from schoolwatch_server import rule_versions
from schoolwatch_server.console.rule_editor import instant
from schoolwatch_server.database import audit, rules
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules import Held, Stored, book
from schoolwatch_server.rules.load import SHIPPED
from schoolwatch_server.scope import Scope
from schoolwatch_server.sheets import rules_in_force
from tree import Tree
from website import RunningSite, csrf

TEXT = (SHIPPED / "antivirus_off.yaml").read_text(encoding="utf-8")
CLOCK = "%H:%M %d/%m/%Y"
AHEAD = timedelta(hours=7)


def fields(page: str, action: str) -> dict[str, str]:
    """What a form of the page would send, as it stands."""
    form = page[page.index(f'action="{action}"') :]
    form = form[: form.index("</form>")]
    found = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form))
    found |= dict(re.findall(r'<textarea name="([^"]+)"[^>]*>([^<]*)</textarea>', form))
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found[name] = re.findall(r'value="([^"]+)" selected', options)[0]
    return {name: html.unescape(value) for name, value in found.items()} | {"f.only.levels": ""}


def look(client: httpx.Client, rule: str = "antivirus_off", query: str = "", **other: str) -> httpx.Response:
    form = fields(client.get(f"/rules/{rule}/edit{query}").text, "/rules/typed/look")
    return client.post("/rules/typed/look", data=form | {"reason": "phòng máy mới"} | other)


def save(client: httpx.Client, seen: httpx.Response) -> httpx.Response:
    """What the button under the changes sends."""
    assert seen.status_code == 200, seen.text
    return client.post("/rules/typed/save", data=fields(seen.text, "/rules/typed/save"))


def over(client: httpx.Client, started: httpx.Response) -> httpx.Response:
    """The page of a replay once it is over."""
    assert started.status_code == 303, started.text
    until = time.monotonic() + 60
    while 'http-equiv="refresh"' in (page := client.get(started.headers["location"])).text:
        assert time.monotonic() < until
        time.sleep(0.1)
    return page


def stored(tree: Tree) -> tuple[Stored, ...]:
    with begin_read(tree.engine) as conn:
        return rules.stored(conn)


def test_a_rule_is_changed_by_form_seen_saved_and_acts_everywhere_from_its_minute(tree: Tree) -> None:
    evaluating = rules_in_force(tree.config, tree.engine)
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        seen = look(
            admin, **{"f.open_after": "30", "f.severity": "critical", "f.only.communes": "Xã MarkC00X"}
        )
        assert "<h1>Sửa: Phần mềm diệt vi-rút không chạy hoặc không có</h1>" in seen.text
        assert "<del>10 phút</del>" in seen.text
        assert "<ins>30 phút</ins>" in seen.text
        assert "<ins>MarkC00X</ins>" in seen.text
        assert "liên tục từ 30 phút" in seen.text
        assert stored(tree) == (), "nothing is saved before it was seen"
        done = save(admin, seen)
        assert (done.status_code, done.headers["location"]) == (303, "/rules/antivirus_off")
        page = admin.get("/rules/antivirus_off").text
        assert "chờ đến giờ" in page
        assert "phòng máy mới" in page
        assert site.app.state.context.rules["antivirus_off"].version == 1
        assert "bản 1001 áp dụng từ" in admin.get("/rules").text
        listed = {one["id"]: one for one in admin.get("/api/v1/rules").json()["rules"]}
        told = listed["antivirus_off"]
        assert (told["version"], told["origin"], told["since"]) == (1, "shipped", None)
        assert [one["version"] for one in told["versions"]] == [1001]
    (one,) = stored(tree)
    evaluating.look()
    (rule,) = (rule for rule in evaluating.now().at(one.valid_from) if rule.id == "antivirus_off")
    assert (rule.name, rule.open_after, rule.severity) == ("antivirus_off@1001", 1800, "critical")
    assert rule.only.communes == ("MarkC00X",)
    assert rule.why.vi == next(r for r in evaluating.now().at(0) if r.id == rule.id).why.vi
    with begin_read(tree.engine) as conn:
        line = next(line for line in audit.newest(conn, 5) if line.action == "rule.save")
    assert (line.detail["before"], line.detail["version"]) == ("antivirus_off@1", 1001)


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        wrong = look(admin, **{"f.open_after": "mười", "f.title.vi": " "})
        assert wrong.status_code == 422
        assert 'id="fault-f.open_after">' in wrong.text
        assert 'id="fault-f.title.vi">' in wrong.text
        assert 'value="mười"' in wrong.text
        past = f"{datetime.now(UTC) + AHEAD - timedelta(hours=1):{CLOCK}}"
        for told, given in (
            ("ghi lý do", {"reason": " "}),
            ("đã qua hoặc quá gần", {"valid_from": past}),
            ("không đọc được", {"valid_from": "mai"}),
            ("không có xã, phường", {"f.only.communes": "Xã Không Có"}),
        ):
            refused = look(admin, **given)
            assert refused.status_code == 422, told
            assert told in refused.text
        assert look(admin, base="²").status_code != 500, (
            "what no page of ours sends is no fault of the server"
        )
        text = look(admin, query="?as_text=true", text=TEXT.replace("severity: high", "severity: dire"))
        assert text.status_code == 422
        assert "Mức độ (severity)" in text.text
        both = look(admin, query="?as_text=true", text=TEXT.replace("equals: false", "above: 1\n  below: 3"))
        assert both.status_code == 422
        assert "Điều kiện (condition)" in both.text
    assert stored(tree) == ()


def test_rules_that_would_silence_each_other_are_refused_whenever_they_would(tree: Tree) -> None:
    def typed(admin: httpx.Client, rule: str, silencer: str, valid_from: str = "") -> httpx.Response:
        text = (SHIPPED / f"{rule}.yaml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^silenced_by:.*$", "", text) + f"silenced_by: [{silencer}]\n"
        sent = {"text": text, "reason": "thử", "base": "1000", "valid_from": valid_from, "csrf": csrf(admin)}
        return admin.post("/rules/typed/save", data=sent)

    tomorrow = f"{datetime.now(UTC) + AHEAD + timedelta(days=1):{CLOCK}}"
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        for silencer in ("line_down", "no_such_rule", "antivirus_off"):
            refused = typed(admin, "line_down", silencer)
            assert refused.status_code == 422, silencer
            assert "(silenced_by)" in refused.text
        assert typed(admin, "line_down", "outage_commune", tomorrow).status_code == 303
        circle = typed(admin, "outage_commune", "line_down")
        assert circle.status_code == 422, "it would hold when that of tomorrow begins"
        assert "outage_commune -&gt; line_down -&gt; outage_commune" in circle.text
    assert [one.name for one in stored(tree)] == ["line_down"]


def test_a_version_of_later_is_taken_back_and_what_acts_is_ended(tree: Tree) -> None:
    tomorrow = f"{datetime.now(UTC) + AHEAD + timedelta(days=1):{CLOCK}}"
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        save(admin, look(admin, valid_from=tomorrow, **{"f.open_after": "5"}))
        back = admin.post("/rules/antivirus_off/take-back", data={"csrf": csrf(admin), "version": "1001"})
        assert back.status_code == 303
        page = admin.get("/rules/antivirus_off").text
        assert "đã rút lại" in page
        again = admin.post("/rules/antivirus_off/take-back", data={"csrf": csrf(admin), "version": "1001"})
        assert again.status_code == 422
        now = time.time() - 3600
        folder = tree.folder / "rules"
        rule_versions.save(tree.engine, folder, [], TEXT, None, base=1001, reason="thử", by="so", now=now)
        site.app.state.context.rule_sheets.look()
        assert site.app.state.context.rules["antivirus_off"].version == 1002
        form = {"csrf": csrf(admin), "reason": "lại như cũ"}
        assert admin.post("/rules/antivirus_off/end", data=form).status_code == 303
    assert [(one.version, one.is_end, one.is_back) for one in stored(tree)] == [
        (1001, False, True), (1002, False, False), (1003, True, False),
    ]  # fmt: skip


def test_a_newer_version_of_the_program_is_said_and_compared(tree: Tree) -> None:
    old = rule_versions.shipped_version("antivirus_off")
    text = TEXT.replace("open_after: 600", "open_after: 60")
    rule_versions.save(
        tree.engine, tree.folder / "rules", [], text, None, base=1000, reason="thử", by="so",
        now=time.time() - 3600,
    )  # fmt: skip
    with RunningSite(tree.config) as site:
        viewer = site.somebody("so_viewer")
        assert "có phiên bản mới hơn" not in viewer.get("/rules/antivirus_off").text
        (one,) = stored(tree)
        assert one.shipped == old
        with tree.engine.begin() as conn:
            conn.exec_driver_sql("UPDATE rule_version SET shipped = 0")
        page = viewer.get("/rules/antivirus_off").text
        assert "có phiên bản mới hơn" in page
        assert "<del>1 phút</del>" in page
        assert "<ins>10 phút</ins>" in page
        assert "Sửa từ bản phát hành mới" not in page, "a viewer reads"
        assert "có phiên bản mới hơn" in viewer.get("/rules").text


def test_a_new_rule_is_a_copy_under_a_name_of_its_own(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        assert look(admin, query="?copy=true", new_id="antivirus_off").status_code == 422
        done = save(admin, look(admin, query="?copy=true", new_id="Diệt vi-rút THPT"))
        assert done.headers["location"] == "/rules/diet_vi_rut_thpt"
        assert "chờ đến giờ" in admin.get("/rules/diet_vi_rut_thpt").text
        assert "diet_vi_rut_thpt" in admin.get("/rules").text
    (one,) = stored(tree)
    assert (one.name, one.version) == ("diet_vi_rut_thpt", 1001)


def test_a_draft_is_tried_on_the_past_before_it_is_saved(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        seen = look(admin, **{"f.open_after": "120"})
        form = fields(seen.text, "/rules/typed/replay") | {"schools": "8"}
        done = over(admin, admin.post("/rules/typed/replay", data=form))
        assert "Mọi trường (8)" in done.text
        assert "đã xem hết" in done.text
        assert "16/16 máy" in done.text
        assert "Dữ liệu lưu ngắn hơn yêu cầu" in done.text
        mark = tree.schools[0].devices[0].device
        assert f'href="/devices/{mark}"' in done.text
        back = admin.post("/rules/typed/look", data=fields(done.text, "/rules/typed/look"))
        assert back.status_code == 200
        assert "<ins>2 giờ</ins>" in back.text
        assert str(done.url.path) in admin.get("/rules/antivirus_off").text
        assert site.somebody("so_admin").get(done.url.path).status_code == 404, "another account's"

        def refused(rule: str, **more: str) -> str:
            said = admin.post(
                "/rules/typed/replay",
                data={"csrf": csrf(admin), "rule": rule, **more},
                headers={"Accept": "text/html"},
            )
            assert said.status_code == 422
            return said.text

        assert "chỉ lưu lần sao lưu gần nhất" in refused("server_backup")
        assert "không còn dữ liệu" in refused("site_down")
        assert "ghi mã xã, phường" in refused("outage_commune", place=tree.schools[0].code)
        assert "để trống mã trường" in refused("server_deaf", place=tree.schools[0].code)
        assert "KHONG-CO" in refused("antivirus_off", place="KHONG-CO")
        assert "không phải là một ngày" in refused("antivirus_off", until="hôm qua")
        assert "Số ngày gần đây</strong>: từ 1 đến 92" in refused("antivirus_off", days="99")
        assert "Số trường lấy mẫu</strong>: từ 0 đến 50" in refused("antivirus_off", schools="x")
        (api,) = (one for one in admin.get("/api/v1/rules").json()["rules"] if one["id"] == "server_disk")
        assert (api["replay"]["possible"], "disk" in api["replay"]["why_not"]["en"]) == (False, True)
        assert "Dung lượng trống".lower() in admin.get("/rules").text
    assert stored(tree) == ()


def test_a_watch_is_tried_on_the_past_and_a_long_trial_says_so_first(tree: Tree, monkeypatch) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        form = fields(admin.get("/rules/line_down").text, "/rules/typed/replay") | {"days": "1"}
        done = over(admin, admin.post("/rules/typed/replay", data=form))
        assert "Đã xem" in done.text
        assert "giờ nhận từng báo cáo" in done.text
        monkeypatch.setattr("schoolwatch_server.console.rule_replay.LONG", 0.0)
        asked = admin.post("/rules/typed/replay", data=form)
        assert asked.status_code == 200
        assert "Ước tính mất khoảng" in asked.text
        monkeypatch.setattr("schoolwatch_server.console.rule_replay.SECONDS_MAX", 0.0)
        too_long = admin.post("/rules/typed/replay", data=form, headers={"Accept": "text/html"})
        assert (too_long.status_code, "là mức tối đa" in too_long.text) == (422, True)
        monkeypatch.undo()
        sure = fields(asked.text, "/rules/typed/replay")
        started = admin.post("/rules/typed/replay", data=sure)
        stop = admin.post(f"{started.headers['location']}/cancel", data={"csrf": csrf(admin)})
        assert stop.status_code == 303
        assert over(admin, stop).status_code == 200


def test_counts_beside_a_rule_are_those_of_the_reader(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        viewer = site.somebody("so_viewer")
        whole = viewer.get("/rules/antivirus_off").text
        assert 'href="/incidents?rule=antivirus_off"' in viewer.get("/rules").text, "to its own, not to all"
        own = site.somebody("school_head", Scope("school", tree.schools[0].id)).get("/rules/antivirus_off")
        assert "đã mở: 16" in whole
        assert "đã mở: 2" in own.text
        assert own.text.count("/rules/typed/replay") == 0


def test_of_two_communes_of_one_name_none_is_chosen_by_chance(tree: Tree) -> None:
    with begin_write(tree.engine) as conn:
        for school in (tree.schools[0], tree.schools[4]):
            conn.execute(t.commune.update().where(t.commune.c.id == school.commune).values(name="Xã Tân Hòa"))
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        refused = look(admin, **{"f.only.communes": "Tân Hòa, Xã Tân Hòa"})
        assert (refused.status_code, "không có xã, phường" in refused.text) == (422, True)
        assert "MarkC" not in refused.text
        assert "<ins>MarkC00X</ins>" in look(admin, **{"f.only.communes": "MarkC00X"}).text


def test_many_versions_are_read_once_and_not_with_each_page(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    with begin_write(tree.engine) as conn:
        for n in range(1001, 1021):
            text = TEXT.replace("version: 1", f"version: {n}")
            rules.add(conn, Stored("antivirus_off", n, 1.7e9 + n, text, 1.7e9, "sở", reason="thử"))
    read, times = book.read, []

    def counted(raw: bytes, *more: Any) -> Held:
        times.append(raw)
        return read(raw, *more)

    monkeypatch.setattr(book, "read", counted)
    book.held_of.cache_clear()
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        for path in ("/rules", "/rules/antivirus_off", "/rules/antivirus_off/edit"):
            assert admin.get(path).status_code == 200
    assert len(times) == 20


def test_a_time_is_read_as_people_write_it() -> None:
    at = datetime(2027, 1, 1, 0, 30, tzinfo=UTC).timestamp()
    for text in ("07:30 01/01/2027", "01/01/2027 07:30", "2027-01-01T07:30"):
        assert instant(text) == at
    assert instant(" ") is None
    assert instant("1/1/2027") == datetime(2026, 12, 31, 17, tzinfo=UTC).timestamp()


def test_rules_are_found_by_a_word_without_its_marks_and_by_what_they_are_about(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        viewer = site.somebody("so_viewer")

        def found(query: str) -> set[str]:
            return set(re.findall(r'<span><a href="/rules/([a-z0-9_]+)"', viewer.get(f"/rules?{query}").text))

        every = found("")
        assert len(every) > 30
        virus = found("q=diet+VI-RUT")
        assert "antivirus_off" in virus
        assert virus < every
        assert found("scope=server") == {name for name in every if name.startswith("server_")} | {
            "quarantine_growth",
            "grafana_alert",
        }
        assert found("show=open") == {"antivirus_off"}, "the tree's incidents are all of it"
        assert "Không có quy tắc nào phù hợp" in viewer.get("/rules?q=khong-co-dau").text
        assert viewer.get("/rules?scope=planet").status_code == 422
