"""Deadlines of serious incidents, what they tell whom, telephone numbers to tap, and what is redacted."""

from pathlib import Path

import pytest
from sqlalchemy import event

from reports import NOW, World
from schoolwatch_server import messages, serious_reminders, texts
from schoolwatch_server.database import calls, contacts, incident_rows, incidents, retention, serious
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.calls import Hint
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.told_of import Due
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.serious import redact
from schoolwatch_server.serious.calls import Call, in_order, is_about_a_line, tel
from schoolwatch_server.serious.evidence import MOST, witnesses
from schoolwatch_server.serious.timers import (
    HOURS,
    TIMER_EVENTS,
    Sent,
    Serious,
    due_timers,
    timers,
)
from schoolwatch_server.terms import TERMS

HOUR = 3600.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def put_incident(
    world: World, *, severity: str = "critical", school: int | None = None, found: float = NOW
) -> int:
    """An incident that was found at `found`, of something that began an hour before."""
    about = Subject("school", school or world.school)
    new = incidents.NewIncident(
        rule=f"rule_{severity}",
        rule_version=1,
        severity=severity,
        subject=about,
        since=found - HOUR,
        opened_at=found - HOUR,
        late=False,
        evidence={},
    )
    with begin_write(world.engine) as conn:
        opened = incidents.open_incident(conn, new, found)
    assert opened is not None
    return opened.id


# --- the deadlines --------------------------------------------------------------------------------


def test_the_hours_count_from_the_detection() -> None:
    notice, report = timers(Serious(1, NOW))
    assert (notice.due_at, report.due_at) == (NOW + 24 * HOUR, NOW + 72 * HOUR)
    assert HOURS == {"notice": 24, "report": 72}


@pytest.mark.parametrize(
    ("hours", "standing"),
    [(0, "running"), (19.99, "running"), (20, "soon"), (23.99, "soon"), (24, "overdue")],
)
def test_a_deadline_comes_near_and_passes(hours: float, standing: str) -> None:
    assert timers(Serious(1, NOW))[0].standing(NOW + hours * HOUR) == standing


def test_what_was_sent_is_over_and_late_only_after_its_deadline() -> None:
    on_time, late = Sent(NOW + HOUR, "a", "1"), Sent(NOW + 73 * HOUR, "a", "2")
    notice, report = timers(Serious(1, NOW, {"notice": on_time, "report": late}))
    assert notice.standing(NOW + 100 * HOUR) == report.standing(NOW + 100 * HOUR) == "sent"
    assert (notice.was_late, report.was_late) == (False, True)


def test_people_are_told_before_and_after_each_deadline_and_once() -> None:
    def told(hours: float) -> set[str]:
        return {event for _, event in due_timers([Serious(1, NOW)], NOW + hours * HOUR)}

    assert told(19) == set()
    assert told(21) == {"notice_due"}
    assert told(25) == {"notice_late"}
    assert told(69) == {"notice_late", "report_due"}
    assert told(80) == {"notice_late", "report_late"}
    assert due_timers([Serious(1, NOW, {"notice": Sent(NOW, "a", "1")})], NOW + 25 * HOUR) == ()


# --- in the database ------------------------------------------------------------------------------


def test_critical_is_serious_until_a_person_says_otherwise(world: World) -> None:
    critical, low = put_incident(world), put_incident(world, severity="low")
    with begin_write(world.engine) as conn:
        first = serious.gravities(conn, [critical, low])
        serious.set_mark(conn, critical, is_serious=False, reason="máy thử", by="a", now=NOW)
        serious.set_mark(conn, low, is_serious=True, reason="lan rộng", by="b", now=NOW)
        serious.set_mark(conn, low, is_serious=True, reason="lan rất rộng", by="c", now=NOW + 1)
        second = serious.gravities(conn, [critical, low])
        kinds = [row.kind for row in conn.execute(t.incident_event.select().order_by(t.incident_event.c.id))]
    assert (first[critical].is_serious, first[low].is_serious) == (True, False)
    assert (second[critical].is_serious, second[low].is_serious) == (False, True)
    assert second[low].mark is not None
    assert second[low].mark.reason == "lan rất rộng"
    assert kinds == ["opened", "opened", "not_serious", "serious", "serious"]


def test_the_detection_is_when_the_server_found_it_not_when_it_began(world: World) -> None:
    made = put_incident(world, found=NOW + 5)
    with begin_read(world.engine) as conn:
        assert serious.gravities(conn, [made])[made].times.detected_at == NOW + 5


def test_a_step_is_recorded_once_and_both_end_what_is_owed(world: World) -> None:
    made = put_incident(world)
    with begin_write(world.engine) as conn:
        assert serious.count_owing(conn, EVERYTHING) == 1
        assert serious.set_sent(conn, made, "notice", Sent(NOW, "a", "12/SGDĐT"), NOW)
        assert not serious.set_sent(conn, made, "notice", Sent(NOW, "b", "13/SGDĐT"), NOW)
        assert serious.listed(conn, EVERYTHING, "owing") == (made,)
        assert serious.set_sent(conn, made, "report", Sent(NOW, "a", "14/SGDĐT"), NOW)
        assert serious.listed(conn, EVERYTHING, "owing") == ()
        assert serious.listed(conn, EVERYTHING, "all") == (made,)
        assert serious.count_owing(conn, EVERYTHING) == 0
        sent = serious.gravities(conn, [made])[made].times.sent
    assert {step: one.reference for step, one in sent.items()} == {"notice": "12/SGDĐT", "report": "14/SGDĐT"}


def test_a_false_alarm_owes_nothing_and_another_school_sees_nothing(world: World) -> None:
    made = put_incident(world)
    with begin_write(world.engine) as conn:
        assert serious.listed(conn, Scope("school", world.school), "all") == (made,)
        assert serious.listed(conn, Scope("school", world.school + 1), "all") == ()
        assert serious.count_owing(conn, Scope("school", world.school + 1)) == 0
        conn.execute(t.incident.update().values(verdict=serious.FALSE_ALARM))
        assert not serious.gravities(conn, [made])[made].owes
        assert serious.listed(conn, EVERYTHING, "owing") == ()
        assert serious.owing(conn) == ()


def test_evidence_outlives_the_journal(world: World) -> None:
    made = put_incident(world)
    kept = {"first": {"journal": 7, "taken_at": NOW - 60, "arrived_at": NOW, "readings": {"a.b": 1.0}}}
    with begin_write(world.engine) as conn:
        conn.execute(t.incident.update().values(evidence=kept, closed_at=NOW))
    retention.prune(world.engine, NOW + (TERMS["journal"].most + 1) * 86400)
    with begin_read(world.engine) as conn:
        row = incident_rows.incident(conn, made, EVERYTHING)
    assert row is not None
    assert row.evidence == kept
    (witness,) = witnesses(row.evidence)
    assert (witness.taken_at, witness.received_at, witness.lines[0].value) == (NOW - 60, NOW, 1.0)


def test_evidence_is_bounded_and_says_how_much_is_left_out() -> None:
    readings = {f"a.b{number}": float(number) for number in range(MOST + 5)}
    (witness,) = witnesses({"last": {"taken_at": NOW, "readings": readings, "sighting": "x.y"}})
    assert (len(witness.lines), len(witness.seen), witness.left_out) == (MOST, 0, 6)
    assert witness.received_at is None
    assert witnesses(None) == witnesses({"first": 3}) == ()


# --- reminders ------------------------------------------------------------------------------------


def test_reminders_go_out_once_for_each_channel(world: World) -> None:
    made = put_incident(world)

    def put(hours: float) -> int:
        return serious_reminders.put_due(world.engine, {"json-a", "json-b"}, NOW + hours * HOUR)

    assert [put(hours) for hours in (1, 20.5, 21, 24.5, 24.6, 69, 73, 74)] == [0, 1, 0, 1, 0, 1, 1, 0]
    with begin_read(world.engine) as conn:
        rows = [(row.event, row.channel) for row in conn.execute(t.notification.select())]
        kinds = [row.kind for row in conn.execute(t.incident_event.select())]
    events = ["notice_due", "notice_late", "report_due", "report_late"]
    assert rows == [(event, channel) for event in events for channel in ("json-a", "json-b")]
    assert kinds == ["opened", *events]
    assert made


def test_without_a_channel_nothing_is_lost(world: World) -> None:
    put_incident(world)
    assert serious_reminders.put_due(world.engine, (), NOW + 21 * HOUR) == 0
    assert serious_reminders.put_due(world.engine, {"json-a"}, NOW + 22 * HOUR) == 1


@pytest.mark.parametrize("event", TIMER_EVENTS)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_reminders_say_where_and_what_in_both_languages(event: str, language: str) -> None:
    due = Due(
        1, 7, event, "json-a", "rule_critical", "critical", NOW, NOW, None, None, False, False,
        None, None, None, "Trường A", "S", None, "Xã B",
    )  # fmt: skip
    title, body = messages.of_one(due, {}, texts.load(), "https://sw.test", language)
    assert "rule_critical" in title
    assert "https://sw.test/incidents/7" in body
    assert "Trường A" in body


def due_of(rule: str, hint: Hint | None) -> Due:
    return Due(
        1, 7, "opened", "json-a", rule, "high", NOW, NOW, None, None, False, False,
        None, None, None, "Trường A", "S", None, "Xã B", None, hint,
    )  # fmt: skip


def test_a_message_says_whom_to_call_and_names_no_person(world: World) -> None:
    made = put_incident(world)
    with begin_write(world.engine) as conn:
        assert calls.hint(conn, made, NOW) == calls.Hint(None, has_contact=False)
        row = {"school_id": world.school, "isp": "VNPT", "subscriber": "FTTH-77", "hotline": "1800 1166"}
        conn.execute(t.line_contract.insert().values(**row))
        ended = {"isp": "Cũ", "subscriber": "X", "hotline": "113", "ends": NOW - 1}
        conn.execute(t.line_contract.insert().values(school_id=world.school, **ended))
        contacts.write(conn, world.school, "it_contact", {"name": "Bích", "phone": "0912345678"}, NOW)
        hint = calls.hint(conn, made, NOW)

    def body(rule: str, hint: Hint | None) -> str:
        return messages.of_one(due_of(rule, hint), {}, texts.load(), "https://sw.test")[1]

    assert "Gọi cho ai: nhà mạng VNPT, 1800 1166, mã thuê bao FTTH-77." in body("line_down", hint)
    assert "Gọi cho ai: đầu mối CNTT của nhà trường" in body("antivirus_off", hint)
    assert "chưa khai đầu mối CNTT" in body("antivirus_off", Hint(None, has_contact=False))
    for rule in ("line_down", "antivirus_off"):
        assert "Bích" not in body(rule, hint)
        assert "0912" not in body(rule, hint)


def test_an_acknowledged_incident_is_reminded_of_without_a_new_escalation(world: World) -> None:
    put_incident(world)
    assert serious_reminders.put_due(world.engine, {"json-a"}, NOW + 21 * HOUR) == 1
    with begin_read(world.engine) as conn:
        assert not conn.execute(t.escalation.select()).all()


# --- whom to call ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "link"),
    [
        ("0912 345 678", "tel:+84912345678"),
        ("+84 912 345 678", "tel:+84912345678"),
        ("84912345678", "tel:+84912345678"),
        ("+84 (0)912345678", "tel:+84912345678"),
        ("(024) 3812 3456", "tel:+842438123456"),
        ("(024) 3812 3456, máy lẻ 12", "tel:+842438123456;ext=12"),
        ("1800 1166", "tel:18001166"),
        ("19008198", "tel:19008198"),
        ("113", "tel:113"),
        ("+1 202 555 0100", "tel:+12025550100"),
        ("0912345", ""),
        ("12", ""),
        ("gọi văn thư", ""),
        ("", ""),
    ],
)
def test_numbers_can_be_tapped(written: str, link: str) -> None:
    assert tel(written) == link


def test_of_a_lines_trouble_the_provider_comes_first() -> None:
    calls = (Call("deputy"), Call("isp"), Call("it_contact"))
    assert [call.who for call in in_order(calls, line_first=True)] == ["isp", "it_contact", "deputy"]
    assert [call.who for call in in_order(calls, line_first=False)] == ["it_contact", "deputy", "isp"]
    assert is_about_a_line("line_down", ())
    assert is_about_a_line("slow", ("bandwidth",))
    assert is_about_a_line("outage_commune", ())
    assert not is_about_a_line("site_ipv6_lost", ())
    assert not is_about_a_line("antivirus_off", ("antivirus",))


# --- what must not leave --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (r"C:\Users\Nguyen Van A\Downloads\a.exe", r"C:\Users\[đã ẩn]\Downloads\a.exe"),
        ("/home/binh/x", "/home/[đã ẩn]/x"),
        (r"D:\Documents and Settings\hs01\x.doc", r"D:\Documents and Settings\[đã ẩn]\x.doc"),
        ("file:///C:/Users/lan/a.js", "file:///C:/Users/[đã ẩn]/a.js"),
        (r"\\may1\Users\lan\x", r"\\may1\Users\[đã ẩn]\x"),
        (r"\Device\HarddiskVolume3\Users\An\b.exe", r"\Device\HarddiskVolume3\Users\[đã ẩn]\b.exe"),
        (r"C:\Users\Public\x.exe", r"C:\Users\Public\x.exe"),
        (r"C:\Users\Public Nguyen\x.exe", r"C:\Users\[đã ẩn]\x.exe"),
        (r"C:\Users\default.an\x.exe", r"C:\Users\[đã ẩn]\x.exe"),
        (r"\\may1\users$\lan\x", r"\\may1\users$\[đã ẩn]\x"),
        ("C:%5CUsers%5Clan%5Cx", "C:%5CUsers%5C[đã ẩn]%5Cx"),
        ("/run/media/lan/USB/x", "/run/media/[đã ẩn]/USB/x"),
        ("C:\\Ngu\u031bo\u031b\u0300i du\u0300ng\\Lan\\x", "C:\\Người dùng\\[đã ẩn]\\x"),
        ("gọi (+84) 912 345 678 hoặc (024) 3812 3456", "gọi [đã ẩn] hoặc [đã ẩn]"),
        ("0084912345678, 0912\u00a0345\u00a0678, 0912–345–678", "[đã ẩn], [đã ẩn], [đã ẩn]"),
        ("zalo.me/84912345678", "zalo.me/[đã ẩn]"),
        (r"C:\Windows\System32\a.dll", r"C:\Windows\System32\a.dll"),
        ("gọi 0912 345 678, lan@thcs.edu.vn", "gọi [đã ẩn], [đã ẩn]"),
        (r"TRUONG\nguyenvana mở tệp", r"TRUONG\[đã ẩn] mở tệp"),
        ("192.168.1.23 lúc 2026-11-29 08:00:00", "192.168.1.23 lúc 2026-11-29 08:00:00"),
    ],
)
def test_people_are_taken_out(told: str, left: str) -> None:
    assert redact.text(told) == left
    assert redact.text(left) == left, "what is redacted stays so"


def test_every_sentence_part_stays_readable() -> None:
    told = "Máy C:\\Users\\an\\a.exe nhiễm; đã gọi +84 24 3812 3456."
    assert redact.text(told) == "Máy C:\\Users\\[đã ẩn]\\a.exe nhiễm; đã gọi [đã ẩn]."


@pytest.mark.database("sqlite")  # its words of a plan; both have the index
def test_what_is_owed_is_counted_without_reading_every_incident(world: World) -> None:
    put_incident(world)
    with begin_read(world.engine) as conn:
        asked: list[str] = []
        event.listen(conn, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        assert serious.count_owing(conn, EVERYTHING) == 1
        statement, values = asked[-1]
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    steps = [row[3] for row in plan]
    assert any("ix_incident_critical" in step for step in steps), steps
    assert "SCAN incident" not in steps, steps
