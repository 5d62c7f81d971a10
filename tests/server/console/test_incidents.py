"""The list of incidents and the page of one: seen to by tapping, many at once, found by an address."""

import csv
import html
import io
import random
import re
import time

import httpx
import pytest

from schoolwatch_server import handling, people
from schoolwatch_server.console import incidents as console
from schoolwatch_server.console import sent_on
from schoolwatch_server.database import incident_lists, incident_rows, registry
from schoolwatch_server.database import incidents as kept
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import EVERYTHING, Scope
from shared import shared_site, shared_tree
from tree import Tree
from website import RunningSite, csrf, led

PASSWORD = "a password for tests"


tree, site = shared_tree, shared_site


@pytest.fixture(scope="module")
def admin(site: RunningSite) -> httpx.Client:
    return site.somebody("so_admin", language="en")


def new(tree: Tree, name: str, count: int = 1) -> list[int]:
    """New open incidents of the first school, told of by a rule of that name."""
    device = tree.schools[0].devices[0].id
    made = []
    with begin_write(tree.engine) as conn:
        for n in range(count):
            about = subject.Subject("device", device, f"{name}{n}")
            incident = kept.NewIncident(name, 1, "high", about, tree.now, tree.now, False, {})
            opened = kept.open_incident(conn, incident, tree.now)
            assert opened is not None
            made.append(opened.id)
    return made


def state(tree: Tree, number: int) -> str:
    with begin_read(tree.engine) as conn:
        row = incident_rows.incident(conn, number, EVERYTHING)
    assert row is not None
    return row.state


def act(client: httpx.Client, number: int, act: str, **form: str) -> httpx.Response:
    return client.post(f"/incidents/{number}/act", data={"csrf": csrf(client), "act": act, **form})


def refused(client: httpx.Client, number: int, act_: str, **form: str) -> httpx.Response:
    """The page to which who is refused is led, so that Back asks nobody to send the form again."""
    answer = act(client, number, act_, **form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/incidents/{number}?told=1")
    assert "HttpOnly" in answer.headers["set-cookie"]
    return client.get(answer.headers["location"])


def numbers(page: httpx.Response) -> list[int]:
    assert page.status_code == 200, page.text
    return [int(found) for found in re.findall(r'data-incident="(\d+)"', page.text)]


def test_the_second_of_two_is_told_who_was_first(tree: Tree, site: RunningSite, admin: httpx.Client) -> None:
    (number,) = new(tree, "second")
    first = act(admin, number, "acknowledge")
    assert (first.status_code, first.headers["location"]) == (303, f"/incidents/{number}?done=acknowledge")
    assert "You have taken this incident." in admin.get(first.headers["location"]).text
    assert act(admin, number, "acknowledge").status_code == 303, "a second tap is no error"
    other = site.somebody("so_admin", language="en")
    told = refused(other, number, "acknowledge")
    assert told.status_code == 200
    assert "before you" not in other.get(f"/incidents/{number}?told=1").text, "it is told once"
    assert re.search(r"so_admin-\d+ took it at .*, before you", told.text)
    assert act(other, number, "false_alarm", note="<b>tắt máy</b>\nphòng 2").status_code == 303
    page = admin.get(f"/incidents/{number}").text
    assert "&lt;b&gt;tắt máy&lt;/b&gt;\nphòng 2" in page
    assert "The readings still show the fault" in page
    kinds = re.findall(r'data-event="(\w+)"', page)
    assert kinds == ["opened", "acknowledged", "false_alarm", "noted"]
    assert re.search(r"so_admin-\d+ closed it: false alarm", page)
    told = refused(admin, number, "resolve", note="dây <lỏng>")
    assert re.search(r"so_admin-\d+ closed it at .*, before you", told.text)
    long = act(admin, number, "resolve", note="".join(random.Random(1).choices("áàảãạếềểễệ", k=4000)))
    assert (long.status_code, long.text.count("before you")) == (409, 1), "more than a cookie holds"


def test_what_was_typed_into_a_form_that_is_refused_is_still_there(tree: Tree, admin: httpx.Client) -> None:
    (number,) = new(tree, "typed")
    told = refused(admin, number, "assign", assignee="nobody here")
    assert "can&#39;t be assigned to nobody here" in told.text
    told = refused(admin, number, "reopen", note="x")
    assert told.status_code == 200
    page = refused(admin, number, "note", note=" ")
    assert re.search(r"<details open>.{0,200}name=\"act\" value=\"note\"", page.text, re.DOTALL)


def test_who_may_not_see_to_it_has_no_buttons(tree: Tree, site: RunningSite) -> None:
    (number,) = new(tree, "buttons")
    viewer = site.somebody("so_viewer")
    assert "/act" not in viewer.get(f"/incidents/{number}").text
    assert 'name="incident"' not in viewer.get("/incidents").text
    beside = site.somebody("technician", Scope("school", tree.schools[1].id))
    assert act(beside, number, "acknowledge").status_code == 404
    own = site.somebody("technician", Scope("school", tree.schools[0].id))
    assert act(own, number, "acknowledge").status_code == 303


def test_it_is_assigned_on_the_page_by_name(tree: Tree, admin: httpx.Client) -> None:
    (number,) = new(tree, "assigned")
    school = Scope("school", tree.schools[0].id)
    people.create_account(tree.engine, "thầy Tú", PASSWORD, role="technician", scope=school, by="t")
    people.create_account(
        tree.engine, "cô Vân", PASSWORD, role="technician", scope=Scope("school", tree.schools[1].id), by="t"
    )
    page = admin.get(f"/incidents/{number}").text
    assert '<option value="thầy Tú">' in page
    assert "cô Vân" not in page
    assert act(admin, number, "assign", assignee="thầy Tú", was="").status_code == 303
    assert "can&#39;t be assigned to cô Vân" in refused(admin, number, "assign", assignee="cô Vân").text
    stale = refused(admin, number, "assign", assignee="", was="somebody else")
    assert "after you opened the page" in stale.text
    assert numbers(admin.get("/incidents", params={"assignee": "thầy Tú"})) == [number]


def act_on_many(client: httpx.Client, **form: object) -> httpx.Response:
    """The list to which one is led after an act on many."""
    answer = client.post("/incident-acts", data={"csrf": csrf(client), "act": "acknowledge", **form})
    assert answer.status_code == 303, answer.text
    return led(client, answer)


def test_many_at_once_and_each_that_was_not_changed_is_named(
    tree: Tree, site: RunningSite, admin: httpx.Client
) -> None:
    made = new(tree, "many", 5)
    other = site.somebody("so_admin")
    act(other, made[0], "acknowledge")
    act(other, made[1], "resolve")
    shown = "rule=many&state=all"
    told = act_on_many(admin, of=shown, incident=[*map(str, made[:4]), "999999"])
    assert told.url.query.decode() == "state=all&rule=many&told=1"
    assert "I take it: done for 2 incidents." in told.text
    assert "3 were not changed:" in told.text
    for number in (made[0], made[1], 999999):
        assert re.search(rf'<a href="/incidents/{number}">#{number}</a>: .+', told.text)
    assert "were not changed" not in admin.get(str(told.url)).text, "it is told once"
    assert sorted(numbers(told)) == made, "the list is there again as it was filtered"
    assert [state(tree, number) for number in made[2:]] == ["acknowledged", "acknowledged", "open"]
    assert "1 were so already." in act_on_many(admin, of=shown, incident=[str(made[2])]).text
    assert "None was ticked" in act_on_many(admin, of=shown).text
    nobody = {"act": "assign", "assignee": "không ai", "incident": [str(made[3]), str(made[4])]}
    kept = re.findall(r'value="(\d+)" checked', act_on_many(admin, of=shown, **nobody).text)
    assert sorted(map(int, kept)) == made[3:], "where nothing was done, what was ticked stays so"


def test_as_many_as_go_are_told_of_after_the_redirect() -> None:
    numbers = [n for n in range(1_000_000, 1_002_000) if n % 7 in (0, 3)][: handling.AT_ONCE]
    why = [f"người trực {n} đã nhận xử lý lúc 30/11/2026 23:0{n}, trước bạn." for n in range(5)]
    told = console.Told(
        "acknowledge", 0, 0, tuple((text, tuple(numbers[n::5])) for n, text in enumerate(why))
    )
    assert len(numbers) == handling.AT_ONCE
    assert sent_on.packed("/incidents", told), "fits into a cookie"


def test_all_of_a_filter_but_not_what_came_since(
    tree: Tree, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new(tree, "whole", 7)
    (since,) = new(tree, "whole_since")
    monkeypatch.setattr(console, "AT_ONCE", 5)
    form = {"of": "q=&rule=whole&state=open", "whole": "true"}
    told = act_on_many(admin, **form, upto=str(made[-1]))
    assert "done for 5 incidents" in told.text
    assert "2 more of the filter are left: at most 5 at once" in told.text
    assert [state(tree, number) for number in (*made, since)] == ["open"] * 2 + ["acknowledged"] * 5 + [
        "open"
    ]
    act_on_many(admin, **form, upto=str(made[-2]))
    assert state(tree, made[0]) == "acknowledged"
    too_many = admin.post("/incident-acts", data={"csrf": csrf(admin), "incident": ["1"] * 6})
    assert too_many.status_code == 422
    assert "tick fewer" in too_many.text


def test_the_list_is_filtered_counted_and_paged_by_an_address(
    tree: Tree, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new(tree, "paged", 5)
    act(admin, made[0], "acknowledge")
    monkeypatch.setattr(console, "ROWS", 2)
    first = admin.get("/incidents?rule=paged&severity=high&q=m%C3%A1y")
    assert numbers(first) == [made[4], made[3]]
    (older,) = re.findall(r'<a href="(/incidents\?[^"]*before=\d+)">', first.text)
    assert numbers(admin.get(older.replace("&amp;", "&"))) == [made[2], made[1]], "the filter is kept"
    assert re.search(r'Nobody has taken <span class="count[^"]*">4<', first.text)
    assert re.search(r'Being seen to <span class="count[^"]*">1<', first.text)
    assert numbers(admin.get("/incidents?rule=paged&state=acknowledged")) == [made[0]]
    assert numbers(admin.get(f"/incidents?q=%23{made[1]}")) == [made[1]]
    assert numbers(admin.get("/incidents?q=truong+mark001x&state=all&rule=antivirus_off"))
    assert numbers(admin.get("/incidents?rule=paged&severity=low")) == []
    for wrong in ("state=x", "severity=x", "late=x", "before=x", f"before={'9' * 5000}", "q=" + "x" * 101):
        assert admin.get(f"/incidents?{wrong}").status_code == 422, wrong


def test_where_it_is_stands_in_the_list_and_on_its_page(tree: Tree, site: RunningSite) -> None:
    made, school = new(tree, "where", 1)[0], tree.schools[0]
    admin = site.somebody("so_admin")
    place = f"{school.mark}, Xã MarkC00X"
    assert place in admin.get("/incidents?rule=where").text
    page = admin.get(f"/incidents/{made}").text
    assert f"{school.mark}</a>, Xã MarkC00X" in page
    assert f", Phòng {school.mark}</dd>" in page
    assert " · Xã MarkC00X</span>" in admin.get("/wall").text


def test_mine_are_mine(tree: Tree, site: RunningSite) -> None:
    made = new(tree, "mine", 2)
    lan, an = site.somebody("so_admin"), site.somebody("so_admin")
    act(lan, made[0], "acknowledge")
    assert numbers(lan.get("/incidents?assignee=me")) == [made[0]], "who has taken it sees to it"
    assert "Tôi nhận làm" not in lan.get(f"/incidents/{made[0]}").text
    assert "Tôi nhận làm" in an.get(f"/incidents/{made[0]}").text
    name = re.search(r'<a href="/me">([^<]+)</a>', lan.get("/incidents").text)
    assert name is not None
    assert act(lan, made[0], "assign", assignee=name[1]).status_code == 303
    assert numbers(lan.get("/incidents?assignee=me")) == [made[0]]
    assert made[1] in numbers(lan.get("/incidents?assignee=none"))
    assert numbers(an.get("/incidents?assignee=me")) == []
    name = re.search(r'<a href="/me">([^<]+)</a>', an.get("/incidents").text)
    assert name is not None
    act(lan, made[0], "assign", assignee=name[1])
    assert numbers(lan.get("/incidents?assignee=me")) == [], "it was given to somebody else"


def test_the_list_as_a_file_is_what_the_filter_finds_and_no_formula(tree: Tree, admin: httpx.Client) -> None:
    device = tree.schools[0].devices[0].id
    with begin_write(tree.engine) as conn:
        registry.set_device(conn, device, label="=cmd|' /C calc'!A0", role=None, broken=False)
    made = new(tree, "file", 3)
    act(admin, made[0], "false_alarm")
    answer = admin.get("/incidents.csv?rule=file&state=all")
    assert answer.headers["content-disposition"] == 'attachment; filename="schoolwatch-incidents.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-16")), delimiter="\t"))
    assert [row[0] for row in rows[1:]] == [str(number) for number in made[::-1]]
    head = [name.rpartition("[")[2].rstrip("]") for name in rows[0]]
    label = head.index("label")
    assert {row[label] for row in rows[1:]} == {"'=cmd|' /C calc'!A0"}
    assert [row[head.index("state")] for row in rows[1:]] == ["Nobody has taken it"] * 2 + ["False alarm"]


def test_a_serious_ones_row_says_how_long_is_left(tree: Tree, site: RunningSite, admin: httpx.Client) -> None:
    critical, low = new(tree, "grave", 2)
    with begin_write(tree.engine) as conn:
        i = t.incident.c
        conn.execute(t.incident.update().where(i.id == critical).values(severity="critical"))
        e = t.incident_event.c
        opened = t.incident_event.update().where(e.incident_id == critical, e.kind == "opened")
        conn.execute(opened.values(at=time.time() - 23 * 3600))
    page = admin.get("/incidents?rule=grave").text
    rows = dict(re.findall(r'data-incident="(\d+)"(.*?)</li>', page, re.DOTALL))
    assert re.search(r'class="chip warn">24 hours: [^<]+left', rows[str(critical)])
    assert "24 hours" not in rows[str(low)]


def test_the_same_at_many_computers_of_a_school_is_one_line_that_finds_them(
    tree: Tree, admin: httpx.Client
) -> None:
    """Whoever is on duty sees one cause, and sees to all of them at once."""
    first, second = new(tree, "alike_few", 2), new(tree, "alike_many", 3)
    shown = admin.get("/incidents").text
    assert "alike_few" not in shown.partition('id="incident-alike"')[2].partition("</section>")[0]
    (link,) = re.findall(r'<a href="(/incidents[?][^"]*)"><strong>3</strong> × alike_many', shown)
    found = admin.get(html.unescape(link)).text
    assert all(f'data-incident="{number}"' in found for number in second)
    assert not any(f'data-incident="{number}"' in found for number in first)
    assert "× alike_many" not in found  # nothing but these is shown: nothing to choose


def test_an_exercise_is_not_counted_with_what_is_really_alike(tree: Tree, admin: httpx.Client) -> None:
    numbers = new(tree, "alike_real", incident_lists.ALIKE + 1)
    with begin_write(tree.engine) as conn:
        exercise = t.incident.update().where(t.incident.c.id == numbers[0]).values(is_exercise=True)
        conn.execute(exercise)
    shown = admin.get("/incidents").text
    (link,) = re.findall(r'<a href="(/incidents[?][^"]*)"><strong>3</strong> × alike_real', shown)
    found = admin.get(html.unescape(link)).text
    assert [f'data-incident="{number}"' in found for number in numbers] == [False, True, True, True]


def test_alike_are_those_that_one_may_see_and_that_are_open(tree: Tree) -> None:
    numbers = new(tree, "alike_seen", incident_lists.ALIKE)
    mine, other = tree.schools[0], tree.schools[-1]

    def rules_of(scope: Scope) -> set[str]:
        with begin_read(tree.engine) as conn:
            found = incident_lists.alike(conn, scope, incident_lists.Wanted(), limit=50)
        return {one.rule for one in found}

    assert "alike_seen" in rules_of(Scope("school", mine.id))
    assert "alike_seen" not in rules_of(Scope("school", other.id))
    with begin_write(tree.engine) as conn:
        conn.execute(t.incident.update().where(t.incident.c.id == numbers[0]).values(closed_at=tree.now))
    assert "alike_seen" not in rules_of(EVERYTHING)
