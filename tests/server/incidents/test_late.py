"""What comes late: a school that was offline for five days, malware on one of its computers, two clones."""

import random

import pytest
from sqlalchemy import select

from reports import NOW, Device, World
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_server import incidents, messages, rules, texts
from schoolwatch_server.console.evidence import evidence_in_words
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import incident_rows, journal, told_of
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take
from schoolwatch_server.rules import kept
from schoolwatch_server.scope import EVERYTHING

RULES = rules.load()
DAY = 86_400.0
HOUR = 3600.0
CHANNELS = ("json-aaaaaaaaaaaa",)
DEFENDER = {"product": "defender"}
THREAT = {**DEFENDER, "threat": "Trojan:Win32/Wacatac.B!ml"}


def report(device: Device, seq: int, taken: float, arrived: float, found: float) -> Message:
    """What a computer measured then and could send only now; the name is told when it is found."""
    readings = (
        Reading("antivirus.detections", found, DEFENDER),
        Reading("antivirus.running", 1.0, DEFENDER),
        Reading("antivirus.products", 1.0),
    )
    facts = (Fact("antivirus.threat", "2026-09-17T02:30:00Z", THREAT),) if found else ()
    return device.message(seq, at=arrived, taken_at=taken, readings=readings, facts=facts)


def backlog(device: Device, arrived: float) -> list[Message]:
    """Five days, each two hours; found on the first day, and no longer counted in the last report."""
    times = [arrived - 5 * DAY + number * 2 * HOUR for number in range(60)]
    return [
        report(device, seq, at, arrived, float(2 <= seq < 59)) for seq, at in enumerate([*times, arrived], 1)
    ]


def judge(world: World, now: float = NOW) -> None:
    while incidents.judge_next(world.engine, RULES, CHANNELS, now):
        pass


def opened(world: World, rule: str = "malware_found") -> list[incident_rows.IncidentRow]:
    with begin_read(world.engine) as conn:
        rows = incident_rows.incidents(conn, EVERYTHING)
    return [row for row in rows if row.rule == rule]


def told(world: World) -> list[str]:
    n = t.notification
    query = select(n.c.event).join(t.incident, t.incident.c.id == n.c.incident_id)
    with begin_read(world.engine) as conn:
        return list(conn.scalars(query.where(t.incident.c.rule == "malware_found").order_by(n.c.id)))


@pytest.mark.parametrize("order", ["oldest first", "newest first", "any"])
def test_malware_of_a_school_that_was_offline_for_five_days_is_one_incident(world: World, order: str) -> None:
    (device,) = world.enrol()
    messages = backlog(device, NOW)
    if order == "newest first":
        messages.reverse()
    elif order == "any":
        random.Random(7).shuffle(messages)
    for start in range(0, len(messages), 10):
        take(world.engine, messages[start : start + 10], Rules())
        judge(world)
    (incident,) = opened(world)
    assert incident.late
    assert incident.closed_at is None, "nobody knew of it until now"
    assert incident.opened_at < NOW - HOUR
    assert kept.arrived_at(incident.evidence) == pytest.approx(NOW)
    assert kept.threats(incident.evidence) == ("Trojan:Win32/Wacatac.B!ml",)
    assert told(world) == ["opened"]


def test_a_second_delivery_and_a_restart_in_the_middle_change_nothing(world: World) -> None:
    (device,) = world.enrol()
    messages = backlog(device, NOW)
    for part in (messages[:30], messages[:30], messages[20:], messages):
        take(world.engine, part, Rules())
        judge(world)
    with begin_write(world.engine) as conn:  # as after a crash that lost the newest look
        journal.move(conn, incidents.CURSOR, 40, NOW)
    judge(world)
    assert len(opened(world)) == 1
    assert told(world) == ["opened"]


def test_it_closes_by_what_is_measured_a_day_after_it_became_known(world: World) -> None:
    (device,) = world.enrol()
    take(world.engine, backlog(device, NOW), Rules())
    for seq, hours in enumerate((1, 12, 23.9), 100):
        take(world.engine, [report(device, seq, NOW + hours * HOUR, NOW + hours * HOUR, 0)], Rules())
    judge(world)
    assert [incident.closed_at for incident in opened(world)] == [None]
    take(world.engine, [report(device, 200, NOW + 1.1 * DAY, NOW + 1.1 * DAY, 0)], Rules())
    judge(world)
    (incident,) = opened(world)
    assert incident.closed_at == pytest.approx(NOW + 1.1 * DAY)
    assert told(world) == ["opened", "closed"]


def test_what_is_told_in_time_is_not_late(world: World) -> None:
    (device,) = world.enrol()
    take(world.engine, [report(device, 1, NOW, NOW, 0), report(device, 2, NOW + 300, NOW + 300, 1)], Rules())
    judge(world)
    (incident,) = opened(world)
    assert not incident.late
    assert incident.opened_at == pytest.approx(NOW + 300)


def test_late_readings_of_other_rules_raise_none(world: World) -> None:
    """Five days without antivirus, and all is well now: that is history."""
    (device,) = world.enrol()
    fine, none = Reading("antivirus.products", 1.0), Reading("antivirus.products", 0.0)
    running = Reading("antivirus.running", 1.0, DEFENDER)
    take(world.engine, [device.message(1, at=NOW - 6 * DAY, readings=(fine, running))], Rules())
    late = [
        device.message(seq, at=NOW, taken_at=NOW - 5 * DAY + seq * HOUR, readings=(none,))
        for seq in range(2, 60)
    ]
    take(world.engine, [*late, device.message(60, at=NOW, readings=(fine, running))], Rules())
    judge(world)
    with begin_read(world.engine) as conn:
        assert incident_rows.incidents(conn, EVERYTHING) == ()


def fork(world: World, device: Device, seq: int, at: float) -> None:
    """Two machines send different reports under one number."""
    spool = f"{seq:016x}"
    for busy in (0.1, 0.2):
        one = device.message(seq, at=at, spool=spool, readings=(Reading("processor.busy", busy),))
        take(world.engine, [one], Rules())


def test_a_clone_is_one_incident_that_is_over_after_a_day_without_another_sign(world: World) -> None:
    (device,) = world.enrol()
    for seq, hour in enumerate((0, 1, 20), 1):
        fork(world, device, seq, NOW + hour * HOUR)
        judge(world)
    assert [incident.closed_at for incident in opened(world, "device_clone")] == [None]
    with begin_read(world.engine) as conn:
        events = [event.kind for event in incident_rows.events(conn, opened(world, "device_clone")[0].id)]
    assert events == ["opened", "again", "again"]
    assert incidents.judge_quiet(world.engine, RULES, CHANNELS, NOW + 43 * HOUR) == 0
    assert incidents.judge_quiet(world.engine, RULES, CHANNELS, NOW + 45 * HOUR) == 1
    (incident,) = opened(world, "device_clone")
    assert incident.closed_at == pytest.approx(NOW + 44 * HOUR)
    assert incident.evidence["last"]["sighting"] == "device.clone"


def test_what_lies_unread_in_the_journal_is_waited_for(world: World) -> None:
    """The evaluator was away for two days: a sign of a clone in between keeps the incident."""
    (device,) = world.enrol()
    fork(world, device, 1, NOW)
    judge(world)
    fork(world, device, 2, NOW + 20 * HOUR)
    assert incidents.judge_quiet(world.engine, RULES, CHANNELS, NOW + 48 * HOUR) == 0
    judge(world)
    assert [incident.closed_at for incident in opened(world, "device_clone")] == [None]
    assert incidents.judge_quiet(world.engine, RULES, CHANNELS, NOW + 48 * HOUR) == 1


def test_a_clone_that_a_person_closed_is_opened_by_the_next_sign(world: World) -> None:
    (device,) = world.enrol()
    fork(world, device, 1, NOW)
    judge(world)
    i = t.incident
    with begin_write(world.engine) as conn:
        conn.execute(i.update().values(closed_at=NOW + 60, verdict="resolved", verdict_by="an"))
    fork(world, device, 2, NOW + 10 * HOUR)
    judge(world)
    assert [incident.closed_at for incident in opened(world, "device_clone")].count(None) == 1


def test_message_and_page_say_the_name_and_both_times_in_vietnams_time(world: World) -> None:
    (device,) = world.enrol()
    take(world.engine, backlog(device, NOW), Rules())
    judge(world)
    row = opened(world)[0]
    due = told_of.Due(
        1, row.id, "opened", "json-a", row.rule, row.severity, row.since, row.opened_at, None, None,
        row.late, is_exercise=False, device=row.device, label=row.label, room=None, school=row.school,
        school_code=row.school_code, place=None, commune=None, evidence=row.evidence,
    )  # fmt: skip
    _, body = messages.of_one(due, {rule.id: rule for rule in RULES}, texts.load(), "https://x.example")
    assert "Tên mã độc do phần mềm diệt vi-rút báo: Trojan:Win32/Wacatac.B!ml" in body
    assert "Phát hiện muộn: xảy ra lúc" in body
    words = Words("vi", texts.load())
    (_, first), *_ = evidence_in_words(opened(world)[0].evidence, words)
    assert "17/09/2026 09:30:00" in dict(first.lines).values(), "an agent writes UTC"
    assert first.arrived


def test_what_the_server_saw_of_a_device_is_said_in_words(world: World) -> None:
    (device,) = world.enrol()
    fork(world, device, 1, NOW)
    judge(world)
    ((_, witness),) = evidence_in_words(opened(world, "device_clone")[0].evidence, Words("vi", texts.load()))
    assert [(one.title[:34], one.lines) for one in witness.seen] == [
        ("Hai máy dùng chung một danh tính: ", ())
    ]


def found(device: Device, seq: int, hours: float, **threats: str) -> Message:
    """A week's count and what is told anew: names, each with the hour of 1 September when it was found."""
    readings = (Reading("antivirus.detections", 1.0, DEFENDER), Reading("antivirus.products", 1.0))
    facts = tuple(
        Fact("antivirus.threat", f"2026-09-01T{hour}:00:00Z", {**DEFENDER, "threat": name})
        for name, hour in threats.items()
    )
    return device.message(seq, at=NOW + hours * HOUR, readings=readings, facts=facts)


def events(world: World) -> list[str]:
    with begin_read(world.engine) as conn:
        query = select(t.incident_event.c.kind).order_by(t.incident_event.c.id)
        return list(conn.scalars(query))


def test_other_malware_on_the_same_computer_is_noted_and_repeats_are_not(world: World) -> None:
    (device,) = world.enrol()
    told = [{"Worm": "01"}, {}, {"Worm": "01"}, {"Trojan": "05"}, {"Worm": "09"}, {"Trojan": "05"}]
    messages = [found(device, seq, seq, **names) for seq, names in enumerate(told, 1)]
    take(world.engine, messages, Rules())
    judge(world)
    assert len(opened(world)) == 1
    assert events(world) == ["opened", "again", "again"]


def test_malware_that_is_found_after_a_person_closed_the_incident_is_not_silent(world: World) -> None:
    """The antivirus counts a week: without this the computer would be silent until that is over."""
    (device,) = world.enrol()
    take(world.engine, [found(device, 1, 0, Worm="01")], Rules())
    judge(world)
    with begin_write(world.engine) as conn:
        closed = t.incident.update().values(closed_at=NOW + 60, verdict="resolved", verdict_by="an")
        conn.execute(closed)
    take(world.engine, [found(device, 2, 24, Worm="01"), found(device, 3, 48)], Rules())
    judge(world)
    assert [row.closed_at for row in opened(world)] == [NOW + 60]
    take(world.engine, [found(device, 4, 72, Trojan="05")], Rules())
    judge(world)
    assert [row.closed_at for row in opened(world)].count(None) == 1
