"""What comes back: the same incident once more within the tolerance, whoever closed it; never two at once."""

import threading

import msgspec
import pytest
from sqlalchemy import select

from reports import FINE, NONE, NOW, Device, World, known_fine
from schoolwatch_server import handling, incidents, rules
from schoolwatch_server.access import ROLES, Principal
from schoolwatch_server.database import incidents as kept
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.handling import Wish
from schoolwatch_server.intake.batch import take
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import EVERYTHING

RULES = rules.load()
CHANNEL = ("json-aaaaaaaaaaaa",)
LAN = Principal("account", "lan", ROLES["so_admin"], EVERYTHING, "so_admin")


def tell(world: World, device: Device, told: list[tuple[float, tuple]], seq: int = 1, using=RULES) -> None:
    """Reports at those minutes, each judged before the next comes."""
    for n, (minute, readings) in enumerate(told, seq):
        take(world.engine, [device.message(n, at=NOW + minute * 60, readings=readings)], Rules())
        while incidents.judge_next(world.engine, using, CHANNEL, NOW + minute * 60 + 1):
            pass


def events(world: World) -> list[str]:
    with begin_read(world.engine) as conn:
        return list(conn.scalars(select(t.incident_event.c.kind).order_by(t.incident_event.c.id)))


def open_and_closed(world: World) -> list[bool]:
    """Of each incident, whether it is open."""
    with begin_read(world.engine) as conn:
        return [at is None for at in conn.scalars(select(t.incident.c.closed_at).order_by(t.incident.c.id))]


def test_a_fault_that_is_back_within_the_hour_is_the_same_incident_and_is_told_each_time(
    world: World,
) -> None:
    (device,) = known_fine(world)
    tell(world, device, [(0, NONE), (10, NONE)])
    handling.handle(world.engine, LAN, [1], Wish("acknowledge"), NOW + 660)
    handling.handle(world.engine, LAN, [1], Wish("assign", assignee=""), NOW + 661)
    again = [(15, FINE), (70, NONE), (80, NONE), (85, FINE), (140, NONE), (150, NONE)]
    tell(world, device, again, seq=3)
    assert open_and_closed(world) == [True]
    assert events(world) == ["opened", "acknowledged", "closed", "reopened", "closed", "reopened"]
    with begin_read(world.engine) as conn:
        row = conn.execute(select(t.incident)).one()
        outbox = list(conn.execute(select(t.notification.c.event).order_by(t.notification.c.id)).scalars())
        (detail,) = conn.scalars(
            select(t.incident_event.c.detail).where(t.incident_event.c.kind == "reopened").limit(1)
        )
    assert row.acknowledged_at is None, "somebody has to take it anew"
    assert row.opened_at == NOW + 600
    assert row.reopened_at == NOW + 150 * 60
    assert row.evidence["last"]["taken_at"] == NOW + 600, "the evidence of its beginning stays"
    assert detail["last"]["readings"] == {"antivirus.products": 0.0}, "that of its return is beside it"
    assert outbox == ["opened", "closed", "reopened", "closed:2", "reopened:2"], "each time is told, in order"


@pytest.mark.parametrize(("minute", "incidents_then"), [(75, 1), (76, 2)])
def test_the_tolerance_counts_from_its_end_to_the_new_beginning(
    world: World, minute: int, incidents_then: int
) -> None:
    (device,) = known_fine(world)
    tell(world, device, [(0, NONE), (10, NONE), (15, FINE), (minute, NONE), (minute + 10, NONE)])
    assert len(open_and_closed(world)) == incidents_then


def test_a_rule_may_want_a_new_incident_each_time(world: World) -> None:
    never = tuple(
        msgspec.structs.replace(rule, reopen_within=0.0) if rule.id == "antivirus_off" else rule
        for rule in RULES
    )
    (device,) = known_fine(world)
    tell(world, device, [(0, NONE), (10, NONE), (15, FINE), (20, NONE), (30, NONE)], using=never)
    assert open_and_closed(world) == [False, True]


@pytest.mark.parametrize("act", ["resolve", "false_alarm"])
def test_what_a_person_closed_stays_closed_until_it_ended_and_came_anew(world: World, act) -> None:
    (device,) = known_fine(world)
    tell(world, device, [(0, NONE), (10, NONE)])
    (outcome,) = handling.handle(world.engine, LAN, [1], Wish(act), NOW + 660)
    assert outcome.is_done
    tell(world, device, [(15, NONE), (600, NONE)], seq=3)
    assert open_and_closed(world) == [False], "the fault goes on; a person has decided on it"
    tell(world, device, [(605, FINE)], seq=5)
    assert open_and_closed(world) == [False]
    assert events(world)[-1] == "ended", "that it is over is written down where it was decided"
    tell(world, device, [(620, NONE), (630, NONE)], seq=6)
    assert open_and_closed(world) == [True], "it ended and is back within the hour: the same once more"
    tell(world, device, [(640, FINE), (720, NONE), (730, NONE)], seq=8)
    assert open_and_closed(world) == [False, True]
    with begin_read(world.engine) as conn:
        assert conn.scalar(select(t.incident.c.verdict).where(t.incident.c.id == 1)) == ""


def test_a_person_takes_back_that_it_was_closed_and_its_readings_close_it_later(world: World) -> None:
    (device,) = known_fine(world)
    tell(world, device, [(0, NONE), (10, NONE)])
    handling.handle(world.engine, LAN, [1], Wish("false_alarm"), NOW + 660)
    (outcome,) = handling.handle(world.engine, LAN, [1], Wish("reopen"), NOW + 670)
    assert outcome.is_done
    tell(world, device, [(15, FINE)], seq=3)
    assert open_and_closed(world) == [False]
    assert events(world) == ["opened", "acknowledged", "false_alarm", "reopened", "closed"]
    (outcome,) = handling.handle(world.engine, LAN, [1], Wish("reopen"), NOW + 9000)
    assert outcome.why == "evidence", "what the readings closed they would not close again"


def test_a_false_alarm_of_weeks_is_not_put_on_the_work_list_but_one_called_mended_is(world: World) -> None:
    soon = tuple(msgspec.structs.replace(rule, standing_after=3600.0) for rule in RULES)
    alarm, mended = known_fine(world, 2)
    for number, (device, act) in enumerate(((alarm, "false_alarm"), (mended, "resolve")), 1):
        tell(world, device, [(0, NONE), (10, NONE)], using=soon)
        handling.handle(world.engine, LAN, [number], Wish(act), NOW + 660)
        tell(world, device, [(90, NONE)], seq=3, using=soon)
    with begin_read(world.engine) as conn:
        assert list(conn.scalars(select(t.standing_fault.c.device_id))) == [mended.id]


def test_what_is_found_late_and_was_before_the_end_is_another_incident(world: World) -> None:
    (device,) = world.enrol()
    about = subject.device(device.id)

    def put(since: float, *, late: bool) -> int:
        new = kept.NewIncident("rogue", 1, "high", about, since, since, late, {}, reopen_within=3600.0)
        with begin_write(world.engine) as conn:
            opened = kept.open_incident(conn, new, NOW)
            assert opened is not None
            assert kept.close_incident(conn, new.fingerprint, since + 60, {}, NOW) == opened.id
            return opened.id

    assert put(NOW, late=False) == 1
    assert put(NOW - 86400, late=True) == 2
    assert put(NOW + 90, late=True) == 1, "back soon after the one that ended last"


def test_of_many_at_once_one_opens(world: World) -> None:
    (device,) = world.enrol()
    new = kept.NewIncident("rogue", 1, "high", subject.device(device.id), NOW, NOW, False, {})
    start, got = threading.Barrier(8), []

    def put() -> None:
        start.wait()
        with begin_write(world.engine) as conn:
            got.append(kept.open_incident(conn, new, NOW))

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert sum(opened is not None for opened in got) == 1
    assert open_and_closed(world) == [True]
