"""From reports that intake committed to incidents: once each, whatever comes twice, late or at once."""

import pytest
from sqlalchemy import delete, event, exc, select

from reports import FINE, NONE, NOW, Device, World, known_fine, remember
from schoolwatch_contract.records import Fact
from schoolwatch_server import incidents, rules
from schoolwatch_server.database import journal, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.batch import take
from schoolwatch_server.rules.step import RuleState

RULES = rules.load()
CHANNELS = ("json-aaaaaaaaaaaa", "json-bbbbbbbbbbbb")


def report(world: World, device: Device, seq: int, minute: float, readings: tuple, **more) -> None:
    take(world.engine, [device.message(seq, at=NOW + minute * 60, readings=readings, **more)], Rules())


def judge(world: World, channels=CHANNELS) -> int:
    read = 0
    while step := incidents.judge_next(world.engine, RULES, channels, NOW + 9999):
        read += step
    return read


def rows(world: World, *columns) -> list[tuple]:
    with begin_read(world.engine) as conn:
        return [tuple(row) for row in conn.execute(select(*columns).order_by(columns[0].table.c[0]))]


def everything(world: World) -> dict[str, list[tuple]]:
    tables = (t.rule_state, t.rule_memory, t.incident, t.incident_event, t.notification, t.cursor)
    with begin_read(world.engine) as conn:
        return {table.name: [tuple(row) for row in conn.execute(select(table))] for table in tables}


def test_antivirus_missing_for_ten_minutes_is_an_incident_with_its_evidence(world: World) -> None:
    (device,) = known_fine(world)
    report(world, device, 1, 0, NONE, facts=(Fact("os.name", "Debian"),))
    report(world, device, 2, 5, NONE)
    assert judge(world) == 2
    assert rows(world, t.incident.c.id) == []
    report(world, device, 3, 10, NONE)
    judge(world)
    i = t.incident.c
    assert rows(world, i.rule, i.severity, i.device_id, i.school_id, i.closed_at, i.late) == [
        ("antivirus_off", "high", device.id, world.school, None, False)
    ]
    ((since, opened, evidence),) = rows(world, i.since, i.opened_at, i.evidence)
    assert (since - NOW, opened - NOW) == (pytest.approx(0), pytest.approx(600))
    assert evidence["first"]["taken_at"] == since
    assert evidence["last"]["readings"] == {"antivirus.products": 0.0}
    assert [kind for (kind,) in rows(world, t.incident_event.c.kind)] == ["opened"]
    n = t.notification.c
    assert rows(world, n.event, n.channel, n.attempts) == [("opened", channel, 0) for channel in CHANNELS]


def test_it_closes_after_the_antivirus_is_back(world: World) -> None:
    (device,) = known_fine(world)
    for seq, (minute, readings) in enumerate([(0, NONE), (10, NONE), (15, FINE)], 1):
        report(world, device, seq, minute, readings)
    judge(world)
    ((closed,),) = rows(world, t.incident.c.closed_at)
    assert closed - NOW == pytest.approx(900)
    assert [kind for (kind,) in rows(world, t.incident_event.c.kind)] == ["opened", "closed"]
    assert len(rows(world, t.notification.c.id)) == 4


def test_reading_the_journal_again_doubles_nothing(world: World) -> None:
    (device,) = known_fine(world)
    for seq, (minute, readings) in enumerate([(0, NONE), (10, NONE), (15, FINE), (20, NONE), (40, NONE)], 1):
        report(world, device, seq, minute, readings)
    judge(world)
    before = everything(world)
    with begin_write(world.engine) as conn:
        journal.move(conn, incidents.CURSOR, 0, NOW)
    judge(world)
    after = everything(world)
    assert {name: after[name] for name in after if name != "cursor"} == {
        name: before[name] for name in before if name != "cursor"
    }


def test_a_server_whose_clock_was_ahead_goes_on_judging_when_it_is_set_back(world: World) -> None:
    (device,) = known_fine(world)
    three_days = 3 * 24 * 60
    for seq, (minute, readings) in enumerate(
        [(three_days, FINE), (three_days + 5, NONE), (0, NONE), (9, NONE), (10, NONE), (11, FINE)], 1
    ):
        report(world, device, seq, minute, readings)
        incidents.judge_next(world.engine, RULES, CHANNELS, NOW + minute * 60)
        opened = rows(world, t.incident.c.id, t.incident.c.closed_at.is_not(None))
        assert opened == ([] if seq < 5 else [(1, seq == 6)]), "ten minutes by a clock that is right"
    assert rows(world, t.standing_fault.c.id) == []


def test_a_report_that_comes_late_opens_nothing_until_a_newer_one_confirms(world: World) -> None:
    (device,) = known_fine(world)
    late = {"taken_at": NOW - 7200}
    report(world, device, 1, 0, NONE, **late)
    report(world, device, 2, 1, NONE, taken_at=NOW - 3600)
    judge(world)
    assert rows(world, t.incident.c.id) == []
    report(world, device, 3, 2, NONE)
    judge(world)
    assert rows(world, t.incident.c.late) == [(True,)]


def test_the_school_is_that_of_the_time_of_the_evidence(world: World) -> None:
    (device,) = known_fine(world)
    report(world, device, 1, 0, NONE)
    report(world, device, 2, 10, NONE)
    with begin_write(world.engine) as conn:
        commune = conn.scalar(select(t.commune.c.id))
        other = registry.create_school(conn, commune, "S2", "Trường khác", "TH", NOW)
        registry.move_device(conn, device.id, other, None, NOW + 3600)
    judge(world)
    assert rows(world, t.incident.c.school_id) == [(world.school,)]


def test_a_second_evaluator_finds_the_work_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (device,) = known_fine(world)
    for seq, minute in enumerate((0, 10), 1):
        report(world, device, seq, minute, NONE)
    follow = incidents.follow

    def overtaken(*args):  # the other one judges everything between our reading and our writing
        monkeypatch.setattr(incidents, "follow", follow)
        assert judge(world) == 2
        return follow(*args)

    monkeypatch.setattr(incidents, "follow", overtaken)
    assert incidents.judge_next(world.engine, RULES, CHANNELS, NOW) == 0
    assert len(rows(world, t.incident.c.id)) == 1
    assert len(rows(world, t.notification.c.id)) == 2


@pytest.mark.parametrize("statement", range(1, 9))
def test_a_batch_is_written_whole_or_not_at_all(world: World, statement: int) -> None:
    (device,) = known_fine(world)
    for seq, (minute, readings) in enumerate([(0, NONE), (10, NONE), (15, FINE)], 1):
        report(world, device, seq, minute, readings)
    before = everything(world)
    writes = []

    def fail(conn, cursor, sql: str, *_: object) -> None:
        if sql.split()[0] in ("INSERT", "UPDATE"):
            writes.append(sql)
            if len(writes) == statement:
                raise exc.OperationalError(sql, {}, Exception("killed here"))

    event.listen(world.engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(exc.OperationalError):
            judge(world)
    finally:
        event.remove(world.engine, "before_cursor_execute", fail)
    assert everything(world) == before
    judge(world)
    assert [kind for (kind,) in rows(world, t.incident_event.c.kind)] == ["opened", "closed"]
    assert len(rows(world, t.notification.c.id)) == 4


def test_an_incident_that_is_open_already_is_not_opened_twice(world: World) -> None:
    (device,) = known_fine(world)
    for seq, minute in enumerate((0, 10), 1):
        report(world, device, seq, minute, NONE)
    judge(world)
    with begin_write(world.engine) as conn:
        remember(conn, [device.id], RuleState(NOW))  # its memory was lost
    for seq, minute in enumerate((20, 30), 3):
        report(world, device, seq, minute, NONE)
    judge(world)
    assert len(rows(world, t.incident.c.id)) == 1
    report(world, device, 5, 35, FINE)
    judge(world)
    ((closed,),) = rows(world, t.incident.c.closed_at)
    assert closed is not None


def test_without_channels_there_is_an_incident_and_no_notification(world: World) -> None:
    (device,) = known_fine(world)
    for seq, minute in enumerate((0, 10), 1):
        report(world, device, seq, minute, NONE)
    judge(world, channels=())
    assert len(rows(world, t.incident.c.id)) == 1
    assert rows(world, t.notification.c.id) == []


def standing(world: World) -> list[tuple]:
    f = t.standing_fault.c
    return rows(world, f.rule, f.device_id, f.ended_at)


def test_what_was_wrong_when_the_computer_came_is_no_incident_and_on_the_work_list(world: World) -> None:
    (device,) = world.enrol()
    for seq, minute in enumerate((0, 10, 20), 1):
        report(world, device, seq, minute, NONE)
    judge(world)
    assert rows(world, t.incident.c.id) == []
    assert rows(world, t.notification.c.id) == []
    assert standing(world) == [("antivirus_off", device.id, None)]
    report(world, device, 4, 30, FINE)
    judge(world)
    ((_, _, ended),) = standing(world)
    assert ended - NOW == pytest.approx(1800)
    assert rows(world, t.notification.c.id) == []


def test_an_incident_of_weeks_is_over_and_on_the_work_list(world: World) -> None:
    (device,) = known_fine(world)
    weeks = 21 * 24 * 60
    for seq, minute in enumerate((0, 10, weeks - 5, weeks, weeks + 10), 1):
        report(world, device, seq, minute, NONE)
    judge(world)
    ((closed,),) = rows(world, t.incident.c.closed_at)
    assert closed - NOW == pytest.approx(weeks * 60)
    assert [kind for (kind,) in rows(world, t.incident_event.c.kind)] == ["opened", "stood"]
    assert standing(world) == [("antivirus_off", device.id, None)]
    assert {event for (event,) in rows(world, t.notification.c.event)} == {"opened"}


def test_reading_the_journal_again_doubles_no_fault(world: World) -> None:
    (device,) = world.enrol()
    for seq, minute in enumerate((0, 10, 20), 1):
        report(world, device, seq, minute, NONE)
    judge(world)
    with begin_write(world.engine) as conn:
        conn.execute(delete(t.rule_memory))
        journal.move(conn, incidents.CURSOR, 0, NOW)
    judge(world)
    assert standing(world) == [("antivirus_off", device.id, None)]
