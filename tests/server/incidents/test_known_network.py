"""What a school's network is known to have: page and API say it, people take it back, time does too."""

import pytest
from sqlalchemy import select

from databases import settings_of
from reports import NOW, World
from schoolwatch_server import handling, known_network, rules
from schoolwatch_server.access import Principal
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.handling import Wish
from schoolwatch_server.rules.learning import OTHERS, STRANGERS_MAX
from schoolwatch_server.scope import EVERYTHING
from server.incidents.test_lan import (
    DAY,
    HOUR,
    OF_OURS,
    OF_ROGUE,
    OURS,
    PHONE,
    ROGUE,
    Lan,
    events,
    opened,
    say,
)
from website import RunningSite, csrf

RULES = rules.load()


@pytest.fixture
def lan(world: World) -> Lan:
    return Lan(world)


def listed(lan: Lan) -> known_network.Network:
    with begin_read(lan.world.engine) as conn:
        return known_network.of_school(conn, RULES, lan.world.school)


def names(lan: Lan) -> dict[str, str]:
    """Machine → what it announces, of all that is known."""
    return {one.part: " ".join(values for _, values in one.says) for one in listed(lan).known}


def audited(world: World, action: str) -> list[tuple[str, dict]]:
    a = t.audit.c
    with begin_read(world.engine) as conn:
        rows = conn.execute(select(a.actor, a.detail).where(a.action == action).order_by(a.id))
        return [tuple(row) for row in rows]


def said_at(world: World, at: float) -> None:
    """What people took back by the clock on the wall, they took back then."""
    with begin_write(world.engine) as conn:
        conn.execute(t.known_end.update().values(ended_at=at))


def test_what_was_there_what_people_said_and_what_waits_is_listed(lan: Lan) -> None:
    lan.see(0, PHONE, **OF_ROGUE)
    lan.see(60, ROGUE, **OF_ROGUE)
    waiting = {one.subject.part: one.id for one in listed(lan).waiting}
    assert set(waiting) == {PHONE, ROGUE}
    assert names(lan) == {OURS: "10.0.0.1 10.0.0.1 10.0.0.1"}
    say(lan.world, waiting[PHONE], "false_alarm", 600)
    ours, phone = listed(lan).known
    assert (ours.part, ours.was_there, ours.words) == (OURS, True, ())
    assert ours.last == NOW - 30 * DAY + HOUR - 3
    assert (phone.part, phone.was_there, phone.words, phone.last) == (PHONE, False, (NOW + 600,), None)
    ((at, found),) = listed(lan).said(phone)
    assert (at, found.id if found else None) == (NOW + 600, waiting[PHONE])
    lan.see(900, PHONE, **OF_ROGUE)
    (_, again) = listed(lan).known
    assert (again.part, again.says, again.last) == (PHONE, phone.says, NOW + 897)
    say(lan.world, waiting[PHONE], "reopen", 1200)
    assert names(lan) == {OURS: "10.0.0.1 10.0.0.1 10.0.0.1"}, "the word was taken back"


def test_of_incidents_that_are_closed_at_once_each_word_leads_to_its_own(lan: Lan) -> None:
    lan.see(0, PHONE, **OF_ROGUE)
    lan.see(60, ROGUE, **OF_ROGUE)
    waiting = {one.subject.part: one.id for one in listed(lan).waiting}
    who = Principal("token", "tests", frozenset({"read", "handle"}), EVERYTHING)
    done = handling.handle(lan.world.engine, who, list(waiting.values()), Wish("false_alarm"), NOW + 600)
    assert all(one.is_done for one in done)
    network = listed(lan)
    said = {one.part: [found.id for _, found in network.said(one) if found] for one in network.known}
    assert said == {OURS: [], PHONE: [waiting[PHONE]], ROGUE: [waiting[ROGUE]]}


def test_of_many_strangers_at_once_nobody_is_asked_whether_they_are_the_schools(lan: Lan) -> None:
    for number in range(STRANGERS_MAX + 2):
        lan.see(60 * number, f"{number:02}" * 16, **OF_ROGUE)
    waiting = listed(lan).waiting
    assert [one.subject.part for one in waiting].count(OTHERS) == 1
    with RunningSite(settings_of(lan.world.folder)) as site:
        page = site.somebody("so_admin").get("/schools/S/network").text
    assert "nhiều thiết bị khác cùng lúc" in page
    assert page.count("Xác nhận và ghi nhớ") == len(waiting) - 1 == STRANGERS_MAX


def test_a_school_whose_line_was_down_has_no_page_of_its_network(world: World) -> None:
    def is_any() -> bool:
        with begin_read(world.engine) as conn:
            return known_network.is_any(conn, RULES, world.school)

    with begin_write(world.engine) as conn:
        row = {"rule": "line_down", "subject": f"school:{world.school}", "body": {}}
        conn.execute(t.rule_state.insert().values(row))
    assert not is_any()
    Lan(world)
    assert is_any()


def test_what_a_known_server_gives_anew_is_listed_with_it(lan: Lan) -> None:
    lan.see(0, OURS, **{**OF_OURS, "resolvers": "9.9.9.9"})
    (changed,) = opened(lan.world)
    assert changed.rule == "dhcp_server_changed"
    say(lan.world, changed.id, "false_alarm", 60)
    lan.see(120, OURS, **{**OF_OURS, "resolvers": "9.9.9.9"})
    (ours,) = listed(lan).known
    assert dict(ours.says)["resolvers"] == "10.0.0.1 9.9.9.9"
    assert (ours.was_there, ours.words) == (True, (NOW + 60,))


def test_what_was_not_seen_for_long_while_others_were_is_forgotten_and_the_audit_log_says_so(
    lan: Lan,
) -> None:
    lan.see(-28 * DAY, PHONE, **OF_ROGUE)
    assert set(names(lan)) == {OURS, PHONE}
    later = NOW + 400 * DAY
    assert known_network.expire(lan.world.engine, RULES, later) == 0, "nobody listened"
    lan.see(150 * DAY, OURS, **OF_OURS)
    assert known_network.expire(lan.world.engine, RULES, NOW + 150 * DAY) == 0
    lan.see(153 * DAY, OURS, **OF_OURS)
    assert known_network.expire(lan.world.engine, RULES, NOW + 153 * DAY) == 1
    assert known_network.expire(lan.world.engine, RULES, later) == 0
    assert set(names(lan)) == {OURS}
    ((actor, detail),) = audited(lan.world, "network.expire")
    assert (actor, detail["rule"], detail["part"]) == ("rules", "dhcp_server_new", PHONE)
    lan.see(154 * DAY, PHONE, **OF_ROGUE)
    assert [one.rule for one in opened(lan.world)] == ["dhcp_server_new"]


def test_a_clock_of_the_server_that_was_ahead_for_an_hour_makes_nobody_a_stranger(lan: Lan) -> None:
    lan.see(-28 * DAY, PHONE, **OF_ROGUE)
    lan.see(400 * DAY, OURS, **OF_OURS)
    assert known_network.expire(lan.world.engine, RULES, NOW + DAY) == 0
    assert set(names(lan)) == {OURS, PHONE}
    lan.see(2 * DAY, OURS, **OF_OURS)
    (ours, _) = listed(lan).known
    assert ours.last == NOW + 2 * DAY - 3, "by a clock that is right again"
    lan.see(170 * DAY, OURS, **OF_OURS)
    assert known_network.expire(lan.world.engine, RULES, NOW + 170 * DAY) == 1, "and it goes on"


def test_a_person_removes_one_on_the_page_and_one_by_the_api_and_each_opens_when_it_is_seen(
    lan: Lan,
) -> None:
    lan.see(0, PHONE, **OF_ROGUE)
    (incident,) = opened(lan.world)
    say(lan.world, incident.id, "false_alarm", 600)
    lan.see(900, PHONE, **OF_ROGUE)
    with RunningSite(settings_of(lan.world.folder)) as site:
        watcher = site.somebody("so_viewer")
        assert "Bỏ khỏi danh sách" not in watcher.get("/schools/S/network").text
        admin = site.somebody("so_admin")
        page = admin.get("/schools/S/network").text
        assert "<span>bbbbbbbbbbbb…</span>" in page
        assert f'<a href="/incidents/{incident.id}">' in page
        assert "DNS được phát: 10.0.0.1" in page
        assert '<a href="/schools/S/network">' in admin.get("/schools/S").text
        assert '<a href="/schools/S/network">' in admin.get(f"/incidents/{incident.id}").text
        of_phone = {"rule": "dhcp_server_new", "part": PHONE}
        after = admin.post("/schools/S/network/forget", data={**of_phone, "csrf": csrf(admin)})
        assert after.headers["location"] == "/schools/S/network?done=forgotten"
        after = admin.get(after.headers["location"])
        assert "Đã bỏ thiết bị khỏi danh sách" in after.text
        assert "máy chủ DHCP bbbbbbbbbbbb… · " in after.text
        said_at(lan.world, NOW + 1000)
        twice = admin.post("/schools/S/network/forget", data={**of_phone, "csrf": csrf(admin)})
        assert twice.status_code == 409
        (known,) = admin.get("/api/v1/known-network?school=S").json()["known"]
        assert (known["machine"], known["was_there"], known["said"]) == (OURS, True, [])
        of_ours = {"school": "S", "rule": "dhcp_server_new", "machine": OURS}
        headers = {"x-csrf-token": csrf(admin)}
        assert admin.post("/api/v1/known-network/forget", json=of_ours, headers=headers).status_code == 200
        said_at(lan.world, NOW + 1000)
        left = admin.get("/api/v1/known-network?school=S").json()
    assert left["known"] == []
    by = [actor for actor, _ in audited(lan.world, "network.forget")]
    assert [one["ended_by"] for one in left["ended"]] == by
    assert [one["machine"] for one in left["ended"]] == [OURS, PHONE]
    lan.see(2000, PHONE, **OF_ROGUE)
    lan.see(2060, OURS, **OF_OURS)
    assert events(lan.world, incident.id)[-1] == "reopened"
    assert [one.closed_at for one in opened(lan.world)] == [None, None]
