"""A school's network as its gateways see it: from reports to incidents, what people say of them, replayed."""

import dataclasses
import re
from collections import Counter
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from databases import settings_of
from reports import NOW, Device, World
from schoolwatch_contract.records import Fact, Reading, Sighting
from schoolwatch_server import handling, incidents, messages, rules, texts
from schoolwatch_server.access import Principal
from schoolwatch_server.console.evidence import evidence_in_words
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import erasure, incident_rows, journal, registry, told_of
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.handling import Wish
from schoolwatch_server.intake.batch import take
from schoolwatch_server.replays import reports as replayed
from schoolwatch_server.replays.job import Job
from schoolwatch_server.rules import kept
from schoolwatch_server.rules.load import SHIPPED
from schoolwatch_server.scope import EVERYTHING
from website import RunningSite, csrf, led

RULES = rules.load()
HOUR, DAY = 3600.0, 86_400.0
CHANNELS = ("json-aaaaaaaaaaaa",)
OURS, ROGUE, PHONE = "0" * 32, "a" * 32, "b" * 32
OF_OURS = {"server": "10.0.0.1", "router": "10.0.0.1", "resolvers": "10.0.0.1"}
OF_ROGUE = {"server": "192.168.1.1", "router": "192.168.1.1", "resolvers": "6.6.6.6"}


@dataclass
class Lan:
    """Gateways of one school that have listened for a month at `NOW`, and know its own server."""

    world: World
    gateways: list[Device] = field(init=False)
    sent: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.gateways = self.world.enrol(2)
        for gateway in self.gateways:
            self.hear(-30 * DAY, gateway)
            self.see(-30 * DAY + HOUR, OURS, gateway=gateway, **OF_OURS)

    def hear(self, at: float, gateway: Device, *told: Sighting, arrived: float | None = None) -> None:
        """A report that was taken at `NOW + at` and came then, or at `NOW + arrived`; and it is judged."""
        self.sent[gateway.id] += 1
        came = at if arrived is None else arrived
        message = gateway.message(
            self.sent[gateway.id],
            at=NOW + came,
            taken_at=NOW + at,
            readings=(Reading("sensor.up", 1.0, {"nic": "lan0"}),),
            sightings=told,
        )
        take(self.world.engine, [message], Rules())
        judge(self.world, came)

    def see(
        self,
        at: float,
        subject: str,
        *,
        kind: str = "dhcp.offer",
        gateway: Device | None = None,
        arrived: float | None = None,
        **detail: str,
    ) -> None:
        """A sighting in a report of its own, three seconds old."""
        told = Sighting(kind, subject, {"nic": "lan0", "oui": "00:1a:2b", **detail}, NOW + at - 3)
        self.hear(at, gateway or self.gateways[0], told, arrived=arrived)

    def listen(self, start: float, end: float, gateway: Device | None = None) -> None:
        """It reports all the time that it listens, and sees nothing."""
        for number in range(int((end - start) // HOUR) + 1):
            self.hear(start + number * HOUR, gateway or self.gateways[0])


def judge(world: World, at: float) -> None:
    while incidents.judge_next(world.engine, RULES, CHANNELS, NOW + at):
        pass


def opened(world: World) -> list[incident_rows.IncidentRow]:
    with begin_read(world.engine) as conn:
        return list(incident_rows.incidents(conn, EVERYTHING))


def message_of(row: incident_rows.IncidentRow) -> tuple[str, str]:
    """Title and body of what people are told of it as it opens."""
    due = told_of.Due(
        1, row.id, "opened", "json-a", row.rule, row.severity, row.since, row.opened_at, None, None,
        row.late, is_exercise=False, device=None, label=None, room=None, school=row.school,
        school_code=row.school_code, place=None, commune=None, evidence=row.evidence,
    )  # fmt: skip
    return messages.of_one(due, {rule.id: rule for rule in RULES}, texts.load(), "https://x.example")


def events(world: World, incident: int) -> list[str]:
    with begin_read(world.engine) as conn:
        return [event.kind for event in incident_rows.events(conn, incident)]


def say(world: World, incident: int, act: handling.Act, at: float) -> None:
    who = Principal("token", "tests", frozenset({"read", "handle"}), EVERYTHING)
    (outcome,) = handling.handle(world.engine, who, [incident], Wish(act), NOW + at)
    assert outcome.is_done


@pytest.fixture
def lan(world: World) -> Lan:
    return Lan(world)


def test_the_same_rogue_server_that_two_gateways_see_is_one_incident_of_the_school(lan: Lan) -> None:
    assert opened(lan.world) == []
    lan.see(0, ROGUE, **OF_ROGUE)
    lan.see(60, ROGUE, gateway=lan.gateways[1], **OF_ROGUE)
    lan.see(120, OURS, **OF_OURS)
    (incident,) = opened(lan.world)
    assert (incident.rule, incident.severity, incident.device) == ("dhcp_server_new", "high", None)
    assert incident.school_code == "S"
    assert events(lan.world, incident.id) == ["opened", "again"]


def test_a_late_rogue_server_is_one_incident_that_is_marked_and_says_both_times(lan: Lan) -> None:
    """A school without a line for five days: what its gateway saw comes then, the newest first."""
    for hours in (30, 6, 5, 4, 3):
        at = -5 * DAY + hours * HOUR
        lan.see(at, ROGUE, arrived=0, **OF_ROGUE)
    (incident,) = opened(lan.world)
    assert incident.late
    assert incident.closed_at is None
    assert kept.arrived_at(incident.evidence) == pytest.approx(NOW)
    assert incident.since < NOW - 3 * DAY
    with begin_read(lan.world.engine) as conn:
        assert conn.scalars(select(t.notification.c.event)).all() == ["opened"]
        seers = incident_rows.called(conn, [gateway.id for gateway in lan.gateways])
    title, body = message_of(incident)
    assert "Có máy chủ DHCP lạ trong mạng của trường" in title + body
    assert "Phát hiện muộn: xảy ra lúc" in body
    assert "\nMáy chủ DHCP trả lời: aaaaaaaaaaaa · 00:1a:2b · 192.168.1.1 · 6.6.6.6\n" in body
    words = Words("vi", texts.load())
    ((_, witness),) = evidence_in_words(incident.evidence, words, devices=seers, behind={})
    assert "phát hiện muộn" in witness.arrived
    (seen,) = witness.seen
    assert seen.title == "Máy chủ DHCP trả lời"
    assert dict(seen.lines) == {
        "Thiết bị gây ra (bí danh)": "aaaaaaaaaaaa…",
        "Lệnh tìm trên máy cổng": "sudo schoolwatch-agent lan aaaaaaaaaaaa",
        "Đầu địa chỉ MAC (hãng sản xuất)": "00:1a:2b",
        "Địa chỉ của máy chủ": "192.168.1.1",
        "Bộ định tuyến được phát": "192.168.1.1",
        "DNS được phát": "6.6.6.6",
        "Máy cổng đã thấy, liên kết mạng": "máy 0 · lan0",
    }


def test_what_a_person_calls_a_false_alarm_is_known_and_its_timeline_says_so(lan: Lan) -> None:
    lan.see(0, PHONE, **OF_ROGUE)
    (first,) = opened(lan.world)
    say(lan.world, first.id, "false_alarm", 600)
    for at in (900, DAY, 30 * DAY):
        lan.see(at, PHONE, **OF_ROGUE)
    assert [one.id for one in opened(lan.world)] == [first.id]
    assert events(lan.world, first.id) == ["opened", "acknowledged", "false_alarm", "known"]
    lan.see(31 * DAY, PHONE, **{**OF_ROGUE, "resolvers": "9.9.9.9"})
    changed = next(one for one in opened(lan.world) if one.closed_at is None)
    assert (changed.rule, changed.id != first.id) == ("dhcp_server_changed", True)
    assert (
        changed.evidence["last"]["detail"]["before"]
        == "server 192.168.1.1 · router 192.168.1.1 · resolvers 6.6.6.6"
    )


def test_opened_again_by_a_person_it_is_known_no_more(lan: Lan) -> None:
    lan.see(0, PHONE, **OF_ROGUE)
    (first,) = opened(lan.world)
    say(lan.world, first.id, "false_alarm", 600)
    lan.see(900, PHONE, **OF_ROGUE)
    say(lan.world, first.id, "reopen", 1200)
    lan.see(1500, PHONE, **OF_ROGUE)
    (again,) = opened(lan.world)
    assert (again.id, again.closed_at) == (first.id, None)
    say(lan.world, first.id, "resolve", 1800)
    lan.see(2100, PHONE, **OF_ROGUE)
    assert [one.closed_at for one in opened(lan.world)] == [None], "unplugged it was not"


def test_it_is_over_a_day_after_the_last_sighting_and_back_on_the_next_morning(lan: Lan) -> None:
    lan.see(0, ROGUE, **OF_ROGUE)
    lan.listen(0, DAY)
    assert incidents.judge_quiet(lan.world.engine, RULES, CHANNELS, NOW + 0.9 * DAY) == 0
    assert incidents.judge_quiet(lan.world.engine, RULES, CHANNELS, NOW + DAY) == 1
    lan.see(2 * DAY, ROGUE, **OF_ROGUE)
    (incident,) = opened(lan.world)
    assert incident.closed_at is None
    assert events(lan.world, incident.id) == ["opened", "closed", "reopened"]


def quiet(lan: Lan, at: float) -> list[tuple[str, str]]:
    """Kind of each event but the first, and the state, once the clock was looked at."""
    incidents.judge_quiet(lan.world.engine, RULES, CHANNELS, NOW + at)
    (row,) = opened(lan.world)
    return [(kind, row.state) for kind in events(lan.world, row.id)[1:]]


def test_while_the_gateway_is_silent_an_attack_is_not_called_gone(lan: Lan) -> None:
    """Whoever attacks cuts the power of the gateway first: nobody looks, so nobody knows."""
    lan.see(0, ROGUE, **OF_ROGUE)
    lan.listen(0, 3 * HOUR)
    lan.listen(0, 3 * DAY, lan.gateways[1])  # the other one may hear another segment
    assert quiet(lan, 2 * DAY) == [("waits", "open")]
    assert quiet(lan, 3 * DAY) == [("waits", "open")], "it is told once"
    lan.listen(3 * DAY, 3.9 * DAY)
    assert quiet(lan, 3.95 * DAY) == [("waits", "open")], "it has looked again for less than a day"
    lan.listen(3.9 * DAY, 4 * DAY + HOUR)
    assert quiet(lan, 4.1 * DAY) == [("waits", "evidence"), ("closed", "evidence")]
    (row,) = opened(lan.world)
    assert row.closed_at == NOW + 4 * DAY


def test_seen_again_after_a_silence_it_is_the_same_incident_all_the_time(lan: Lan) -> None:
    lan.see(0, ROGUE, **OF_ROGUE)
    assert quiet(lan, 2 * DAY) == [("waits", "open")]
    lan.see(5 * DAY, ROGUE, **OF_ROGUE)
    assert quiet(lan, 5 * DAY) == [("waits", "open"), ("again", "open")]
    assert quiet(lan, 7 * DAY)[2:] == [("waits", "open")], "of each silence it is told"


def test_a_gateway_that_stays_away_is_waited_for_thirty_days_and_that_is_told(lan: Lan) -> None:
    lan.see(0, ROGUE, **OF_ROGUE)
    assert quiet(lan, 29.9 * DAY) == [("waits", "open")]
    assert quiet(lan, 30 * DAY) == [("waits", "withdrawn"), ("unheard", "withdrawn")]
    with RunningSite(settings_of(lan.world.folder)) as site:
        (row,) = opened(lan.world)
        page = site.somebody("so_admin").get(f"/incidents/{row.id}").text
    assert "đang im lặng, chưa biết còn hay không" in page
    assert "30 ngày không có máy cổng nào nghe" in page
    assert "Đóng sự cố" not in page


def test_what_a_replaced_gateway_saw_is_closed_as_not_observed_and_opens_when_another_sees_it(
    lan: Lan,
) -> None:
    lan.see(0, ROGUE, **OF_ROGUE)
    lan.listen(0, 2 * HOUR)
    (row,) = opened(lan.world)
    at, lists = f"/incidents/{row.id}", f"/schools/{row.school_code}/work-list"
    with RunningSite(settings_of(lan.world.folder)) as site:
        admin = site.somebody("so_admin")
        assert "ông còn quan sát được" not in admin.get(at).text
        form = {"csrf": csrf(admin), "act": "withdraw"}
        assert "vẫn đang nghe" in led(admin, admin.post(f"{at}/act", data=form)).text, (
            "it sees when it is over"
        )
        with begin_write(lan.world.engine) as conn:
            registry.retire_device(conn, lan.gateways[0].id, NOW + 3 * HOUR)
        assert 'name="act" value="withdraw"' in admin.get(at).text
        assert f'data-incident="{row.id}"' in admin.get(lists).text
        say(lan.world, row.id, "withdraw", 4 * HOUR)
        closed = admin.get(at).text
        assert "đóng: không còn quan sát được, không biết việc này còn hay không" in closed
        assert re.search("<span[^>]*>Không còn quan sát được</span>", closed), (
            "it says so where its state stands"
        )
        assert 'name="act" value="reopen"' in closed, "a thumb slips"
        assert "data-incident" not in admin.get(lists).text
    (row,) = opened(lan.world)
    assert (row.state, row.verdict_by) == ("withdrawn", "API token tests")
    lan.see(DAY, ROGUE, gateway=lan.gateways[1], **OF_ROGUE)
    (row,) = opened(lan.world)
    assert (row.state, events(lan.world, row.id)[-1]) == ("open", "reopened")
    who = Principal("token", "tests", frozenset({"read", "handle"}), EVERYTHING)
    (refused,) = handling.handle(lan.world.engine, who, [row.id], Wish("withdraw"), NOW + 2 * DAY)
    assert refused.why == "observed", "the other one looks"


@pytest.mark.parametrize("shown", [-29.0 * DAY, 315_532_800.0 - NOW])
def test_who_is_seen_before_the_gateways_clock_is_set_is_not_one_of_its_first_days(
    lan: Lan, shown: float
) -> None:
    """A small computer without a battery shows its last time, or 1980, until it has asked for another."""
    told = Sighting("dhcp.offer", ROGUE, {"nic": "lan0", **OF_ROGUE}, NOW + shown)
    lan.hear(0, lan.gateways[0], told)
    (incident,) = opened(lan.world)
    assert (incident.rule, incident.since, incident.closed_at) == ("dhcp_server_new", NOW, None)


def test_what_a_word_means_is_said_before_and_after_it(lan: Lan) -> None:
    """Of what is seen no reading shows that it goes on: it opens again when it is seen again."""
    lan.see(0, ROGUE, **OF_ROGUE)
    (incident,) = opened(lan.world)
    again, ours = "hệ thống mở lại sự cố và báo ngay", "coi thiết bị với nội dung này là của trường"
    with RunningSite(settings_of(lan.world.folder)) as site:
        admin = site.somebody("so_admin")
        page = admin.get(f"/incidents/{incident.id}").text
        assert (page.count(again), page.count(ours), page.count("Số đo vẫn")) == (1, 1, 0)
        say(lan.world, incident.id, "resolve", 600)
        page = admin.get(f"/incidents/{incident.id}").text
        assert (page.count(again), page.count(ours), page.count("Số đo vẫn")) == (1, 0, 0)
        say(lan.world, incident.id, "reopen", 660)
        say(lan.world, incident.id, "false_alarm", 720)
        page = admin.get(f"/incidents/{incident.id}").text
        assert (page.count(again), page.count(ours), page.count("Số đo vẫn")) == (0, 1, 0)


def test_several_strangers_of_one_school_are_told_apart_in_the_list(lan: Lan) -> None:
    for number, who in enumerate((ROGUE, PHONE)):
        lan.see(60.0 * number, who, **OF_ROGUE)
    lan.see(120, ROGUE, kind="arp.moved", role="gateway", address="10.0.0.1", was=OURS, changes="1")
    with RunningSite(settings_of(lan.world.folder)) as site:
        page = site.somebody("so_admin").get("/incidents").text
    for told in ("DHCP lạ trong mạng của trường: aaaaaa · 192.168.1.1</strong>",
                 "DHCP lạ trong mạng của trường: bbbbbb · 192.168.1.1</strong>",
                 "bị thiết bị khác chiếm: aaaaaa · 10.0.0.1</strong>"):  # fmt: skip
        assert told in page


def test_an_incident_of_many_does_not_pass_for_one_of_its_first_machine(lan: Lan) -> None:
    for number in range(12):
        lan.see(60.0 * number, f"{number:032x}", **OF_ROGUE)
    (many,) = [row for row in opened(lan.world) if kept.is_many(row.evidence)]
    with RunningSite(settings_of(lan.world.folder)) as site:
        admin = site.somebody("so_admin")
        assert admin.get("/incidents").text.count("nhiều thiết bị khác cùng lúc") == 1
        page = admin.get(f"/incidents/{many.id}").text
    assert "<h1>Có máy chủ DHCP lạ trong mạng của trường: nhiều thiết bị khác cùng lúc</h1>" in page
    assert "chỉ là một trong số đó" in page
    assert "coi thiết bị với nội dung này là của trường" not in page
    _, body = message_of(many)
    assert "nhiều thiết bị khác cùng lúc, trong đó có" in body


def test_who_says_on_the_page_of_the_network_that_it_is_the_schools_stays_there(lan: Lan) -> None:
    lan.see(0, ROGUE, **OF_ROGUE)
    (row,) = opened(lan.world)
    with RunningSite(settings_of(lan.world.folder)) as site:
        admin = site.somebody("so_admin")
        page = admin.get(f"/schools/{row.school_code}/network").text
        assert 'name="back" value="network"' in page
        form = {"csrf": csrf(admin), "act": "false_alarm", "back": "network"}
        answer = admin.post(f"/incidents/{row.id}/act", data=form)
        assert answer.headers["location"] == f"/schools/{row.school_code}/network?done=ours"
        assert "Đã đóng sự cố là báo động giả" in admin.get(answer.headers["location"]).text
        form = {"csrf": csrf(admin), "act": "reopen"}
        answer = admin.post(f"/incidents/{row.id}/act", data=form)
        assert answer.headers["location"] == f"/incidents/{row.id}?done=reopen"


def test_who_is_not_seen_again_is_not_called_mended(lan: Lan) -> None:
    """It may be switched off for the night: the message and the page say what is known, and no more."""
    lan.see(0, ROGUE, **OF_ROGUE)
    lan.listen(0, DAY)
    incidents.judge_quiet(lan.world.engine, RULES, CHANNELS, NOW + DAY)
    (row,) = opened(lan.world)
    due = told_of.Due(
        1, row.id, "closed", "json-a", row.rule, row.severity, row.since, row.opened_at, row.closed_at, None,
        row.late, is_exercise=False, device=None, label=None, room=None, school=row.school,
        school_code=row.school_code, place=None, commune=None, evidence=row.evidence,
    )  # fmt: skip
    title, body = messages.of_one(due, {rule.id: rule for rule in RULES}, texts.load(), "https://x.example")
    assert title.startswith("[SchoolWatch] Không còn thấy: Có máy chủ DHCP lạ")
    last = Words("vi", texts.load()).when(NOW - 3)
    assert last.split()[0] in body
    assert "chưa chắc đã xử lý xong" in body
    assert "Đã trở lại bình thường" not in body
    title, _ = messages.of_one(
        dataclasses.replace(due, is_exercise=True), {rule.id: rule for rule in RULES}, texts.load(), ""
    )
    assert "Đã khắc phục" in title, "an exercise was ended by somebody"
    with RunningSite(settings_of(lan.world.folder)) as site:
        page = site.somebody("so_admin").get(f"/incidents/{row.id}").text
    assert "Đóng sự cố: không thấy lại" in page
    assert "đã trở lại bình thường" not in page


def test_what_was_judged_once_and_is_read_again_after_a_crash_doubles_nothing(lan: Lan) -> None:
    lan.see(0, ROGUE, **OF_ROGUE)
    lan.see(60, ROGUE, **OF_ROGUE)
    before = [(one.id, events(lan.world, one.id)) for one in opened(lan.world)]
    with begin_write(lan.world.engine) as conn:
        journal.move(conn, incidents.CURSOR, 0, NOW)
    judge(lan.world, 61)
    assert [(one.id, events(lan.world, one.id)) for one in opened(lan.world)] == before


def test_a_rogue_that_is_a_computer_of_the_school_is_called_by_its_name(lan: Lan) -> None:
    (pc,) = lan.world.enrol()
    hint = Fact("identity.hint", f"{ROGUE} {'d' * 32}", {"kind": "mac"})
    take(lan.world.engine, [pc.message(1, facts=(hint,))], Rules())
    lan.see(60, ROGUE, **OF_ROGUE)
    with RunningSite(settings_of(lan.world.folder)) as site:
        page = site.somebody("so_admin").get(f"/incidents/{opened(lan.world)[0].id}").text
    assert "<td>máy 0 (aaaaaaaaaaaa…)</td>" in page
    assert "<td>sudo schoolwatch-agent lan aaaaaaaaaaaa</td>" in page


def test_every_kind_of_attack_is_found_and_what_is_usual_is_not(lan: Lan) -> None:
    told = [
        ("dhcp6.advertise", {"resolvers": "2001:db8::"}),
        ("ra.router", {"prefixes": "2001:db8::", "lifetime": "1800"}),
        ("ra.ended", {"by": "other", "router": OURS, "was": OURS}),
        ("arp.moved", {"role": "gateway", "address": "10.0.0.1", "was": OURS, "changes": "1"}),
        ("nd.moved", {"role": "gateway", "was": OURS}),
        ("nd.dad_answered", {"answers": "7", "askers": "4"}),
        ("ra.ended", {"by": "itself", "router": ROGUE}),
        ("arp.moved", {"role": "other", "was": OURS, "changes": "1"}),
        ("nd.dad_answered", {"answers": "1", "askers": "1"}),
    ]
    for at, (kind, detail) in enumerate(told):
        lan.see(at * 60.0, ROGUE, kind=kind, **detail)
    found = {one.rule: one.severity for one in opened(lan.world)}
    assert found == {
        "dhcp6_server_new": "high",
        "router_new": "high",
        "router_killed": "high",
        "arp_spoofed": "critical",
        "nd_spoofed": "critical",
        "dad_denied": "high",
    }


def test_a_replay_finds_what_was_found_with_what_people_said(lan: Lan) -> None:
    lan.see(0, PHONE, **OF_ROGUE)
    say(lan.world, opened(lan.world)[0].id, "false_alarm", 600)
    lan.see(900, PHONE, gateway=lan.gateways[1], **OF_ROGUE)
    lan.see(DAY, ROGUE, **OF_ROGUE)
    lan.see(DAY + 60, ROGUE, gateway=lan.gateways[1], **OF_ROGUE)
    lan.see(6 * DAY, PHONE, **{**OF_ROGUE, "router": "10.9.9.9"})
    incidents.judge_quiet(lan.world.engine, RULES, (), NOW + 20 * DAY)
    job = Job(
        "",
        settings_of(lan.world.folder),
        (),
        start=NOW - 40 * DAY,
        end=NOW + 20 * DAY,
        devices=tuple(gateway.id for gateway in lan.gateways),
    )
    job = replace(job, teacher=(SHIPPED / "dhcp_server_new.yaml").read_text())
    i = t.incident.c
    for name, count in (("dhcp_server_new", 2), ("dhcp_server_changed", 1)):
        (rule,) = (rule for rule in RULES if rule.id == name)
        found = [one for _, _, ((*its,),) in replayed.steps(lan.world.engine, [rule], job) for one in its]
        with begin_read(lan.world.engine) as conn:
            query = select(i.subject, i.since, i.opened_at, i.closed_at, i.late).where(i.rule == name)
            really = conn.execute(query).all()
        assert len(really) == count
        assert Counter((x.subject, x.since, x.at, x.until, x.late) for x in found) == Counter(
            map(tuple, really)
        )


def test_what_is_known_of_a_school_goes_with_the_school_and_stays_when_a_gateway_is_deleted(lan: Lan) -> None:
    lan.see(0, ROGUE, **OF_ROGUE)
    with begin_write(lan.world.engine) as conn:
        erasure.device(conn, lan.gateways[0].id, lan.gateways[0].device)
    lan.see(60, OURS, gateway=lan.gateways[1], **OF_OURS)
    assert len(opened(lan.world)) == 1, "the school's own server is still known"
    remembered = select(t.rule_state.c.subject)
    with begin_write(lan.world.engine) as conn:
        assert any(ROGUE in subject for subject in conn.scalars(remembered))
        erasure.school(conn, lan.world.school, NOW)
        assert conn.scalars(remembered).all() == []


def test_a_gateway_that_moves_to_another_school_learns_what_is_there(lan: Lan) -> None:
    with begin_write(lan.world.engine) as conn:
        commune = conn.scalar(select(t.school.c.commune_id))
        other = registry.create_school(conn, commune, "S2", "Trường 2", "THCS", NOW)
        registry.move_device(conn, lan.gateways[0].id, other, None, NOW + 30)
    lan.see(-HOUR, ROGUE, arrived=60, **OF_ROGUE)
    assert [one.school_code for one in opened(lan.world)] == ["S"], "it was there when it saw that"
    lan.see(120, PHONE, **OF_ROGUE)
    lan.see(8 * DAY, PHONE, **OF_ROGUE)
    assert len(opened(lan.world)) == 1
    with begin_write(lan.world.engine) as conn:
        room = registry.create_room(conn, other, "Phòng 1", "office")
        registry.move_device(conn, lan.gateways[0].id, other, room, NOW + 9 * DAY)
    lan.see(10 * DAY, ROGUE, **OF_ROGUE)
    assert sorted(one.school_code or "" for one in opened(lan.world)) == ["S", "S2"], "a room is no school"
