"""An incident goes with its computer to another school, ends with it, and with its rule."""

from sqlalchemy import select

from schoolwatch_server import exercises, handling, incidents, people, rules
from schoolwatch_server.access import ROLES, Principal
from schoolwatch_server.database import erasure, incident_rows, lives, registry, reorganised
from schoolwatch_server.database import people as accounts
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.incident_rows import IncidentRow
from schoolwatch_server.database.incidents import NewIncident, open_incident, write_states
from schoolwatch_server.handling import Wish
from schoolwatch_server.intake.batch import take
from schoolwatch_server.rule_changes import Withdrawing
from schoolwatch_server.rules import Book
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import FINE, NONE, Tree

BOOK = Book.of(rules.load())


def seen(tree: Tree, scope: Scope = EVERYTHING, **more: bool) -> tuple[IncidentRow, ...]:
    with begin_read(tree.engine) as conn:
        return incident_rows.incidents(conn, scope, **more)


def kinds(tree: Tree, incident: int) -> list[str]:
    with begin_read(tree.engine) as conn:
        return [event.kind for event in incident_rows.events(conn, incident)]


def of_school(tree: Tree, number: int) -> Scope:
    return Scope("school", tree.schools[number].id)


def opened(tree: Tree, rule: str) -> int:
    """One more incident of the first school's first computer."""
    subject = Subject("device", tree.schools[0].devices[0].id)
    new = NewIncident(rule, 1, "high", subject, 1.0, tree.now, late=False, evidence={})
    with begin_write(tree.engine) as conn:
        made = open_incident(conn, new, tree.now)
    assert made is not None
    return made.id


def report(tree: Tree, seq: int, minutes: float, readings: tuple) -> None:
    """Of the first school's first computer, whose incident is open."""
    at = tree.now + minutes * 60
    take(tree.engine, [tree.schools[0].devices[0].message(seq, at=at, readings=readings)], Rules())
    while incidents.judge_next(tree.engine, BOOK, (), at):
        pass


def test_the_school_to_which_a_computer_is_moved_sees_to_its_incident(tree: Tree) -> None:
    (mine,) = seen(tree, of_school(tree, 0), is_open=True)
    head = Principal("account", "hiệu trưởng cũ", ROLES["school_head"], of_school(tree, 0), "school_head")
    assert all(one.is_done for one in handling.handle(tree.engine, head, [mine.id], Wish("acknowledge"), 1.0))
    with begin_write(tree.engine) as conn:
        device, other = tree.schools[0].devices[0], tree.schools[5]
        registry.move_device(conn, device.id, other.id, None, tree.now)
    assert mine.id not in {row.id for row in seen(tree, of_school(tree, 0))}
    there = next(row for row in seen(tree, of_school(tree, 5), is_open=True) if row.id == mine.id)
    assert (there.state, there.school_code, there.acknowledged_by) == ("open", other.code, "")
    assert kinds(tree, mine.id)[-2:] == ["acknowledged", "moved"]
    report(tree, 4, 1, FINE)
    assert mine.id not in {row.id for row in seen(tree, is_open=True)}, "its readings close it there too"


def test_a_move_to_another_room_takes_nobody_off_an_incident(tree: Tree) -> None:
    (mine,) = seen(tree, of_school(tree, 0), is_open=True)
    head = Principal("account", "hiệu trưởng", ROLES["school_head"], of_school(tree, 0), "school_head")
    handling.handle(tree.engine, head, [mine.id], Wish("acknowledge"), 1.0)
    with begin_write(tree.engine) as conn:
        room = registry.create_room(conn, tree.schools[0].id, "Phòng mới", "student_lab")
        registry.move_device(conn, tree.schools[0].devices[0].id, tree.schools[0].id, room, tree.now)
        here = select(t.incident.c.room_id).where(t.incident.c.id == mine.id)
        assert conn.scalar(here) == room
    assert seen(tree, of_school(tree, 0), is_open=True)[0].acknowledged_by == "hiệu trưởng"


def test_what_somebody_who_is_gone_had_taken_is_nobodys_and_climbs_again(tree: Tree) -> None:
    for name in ("lan", "binh"):
        people.create_account(
            tree.engine, name, "a password", role="school_head", scope=of_school(tree, 0), by="test"
        )
    mine, shared, other = (opened(tree, rule) for rule in ("smb1_on", "rdp_open", "disk_full"))
    lan, binh = (
        Principal("account", name, ROLES["school_head"], of_school(tree, 0), "school_head")
        for name in ("lan", "binh")
    )
    handling.handle(tree.engine, lan, [mine], Wish("assign", assignee="lan"), 1.0)
    handling.handle(tree.engine, binh, [shared], Wish("acknowledge"), 1.0)
    handling.handle(tree.engine, binh, [shared], Wish("assign", assignee="lan"), 1.0)
    handling.handle(tree.engine, lan, [other], Wish("acknowledge"), 1.0)
    handling.handle(tree.engine, lan, [other], Wish("assign", assignee="binh"), 1.0)
    with begin_write(tree.engine) as conn:
        conn.execute(t.escalation.insert().values(incident_id=mine, step=1, next_at=None))
        account = conn.scalar(select(t.account.c.id).where(t.account.c.name == "lan"))
        accounts.switch_off(conn, account, tree.now)
        assert conn.scalar(select(t.escalation.c.next_at)) == tree.now
    now = {row.id: (row.state, row.acknowledged_by, row.assignee) for row in seen(tree, is_open=True)}
    assert now[mine] == ("open", "", "")
    assert now[shared] == ("acknowledged", "binh", "")
    assert now[other] == ("acknowledged", "lan", "binh")
    assert [kinds(tree, one)[-1] for one in (mine, shared, other)] == ["left", "left", "assigned"]


def test_schools_that_become_one_have_their_open_incidents_together(tree: Tree) -> None:
    both = {row.id for n in (0, 1) for row in seen(tree, of_school(tree, n), is_open=True)}
    with begin_write(tree.engine) as conn:
        reorganised.merge_schools(conn, tree.schools[0].id, tree.schools[1].id, tree.now, "sở")
    assert {row.id for row in seen(tree, of_school(tree, 1), is_open=True)} == both
    assert all(row.school_code for row in seen(tree, is_open=True))


def test_what_a_retired_computer_had_ends_and_it_is_judged_anew_when_it_is_back(tree: Tree) -> None:
    (mine,) = seen(tree, of_school(tree, 0), is_open=True)
    device = tree.schools[0].devices[0]
    with begin_write(tree.engine) as conn:
        registry.retire_device(conn, device.id, tree.now)
    (ended,) = (row for row in seen(tree, of_school(tree, 0)) if row.id == mine.id)
    assert (ended.state, ended.closed_at) == ("withdrawn", tree.now)
    assert kinds(tree, mine.id)[-1] == "retired"
    with begin_write(tree.engine) as conn:
        lives.restore(conn, device.id, tree.now + 60)
    report(tree, 4, 2, NONE)
    report(tree, 5, 15, NONE)
    assert seen(tree, of_school(tree, 0), is_open=True) == ()
    with begin_read(tree.engine) as conn:
        fault = select(t.standing_fault.c.rule).where(t.standing_fault.c.device_id == device.id)
        assert conn.scalars(fault).all() == ["antivirus_off"], "as of a computer that has just come"


def test_an_exercise_goes_on_without_its_computer(tree: Tree) -> None:
    rule = next(rule for rule in BOOK.at(tree.now) if rule.id == "antivirus_off")
    wanted = exercises.Wanted(rule, of_school(tree, 0), 1, 3600, "thử")
    number = exercises.start(tree.engine, wanted, (), "sở", tree.now)
    with begin_write(tree.engine) as conn:
        registry.retire_device(conn, tree.schools[0].devices[0].id, tree.now)
    assert [row.is_exercise for row in seen(tree, of_school(tree, 0), is_open=True)] == [True]
    assert exercises.end(tree.engine, number, "sở", tree.now + 60)
    assert seen(tree, of_school(tree, 0), is_open=True) == ()


def test_a_rule_whose_file_was_taken_away_leaves_no_incident_open(tree: Tree) -> None:
    incident = opened(tree, "rule_of_a_file")
    subject = Subject("device", tree.schools[0].devices[0].id)
    with begin_write(tree.engine) as conn:
        write_states(conn, {("rule_of_a_file", subject): {"is_open": True}})
    Withdrawing().look(tree.engine, BOOK, tree.now)
    assert "rule_of_a_file" not in {row.rule for row in seen(tree, is_open=True)}
    assert kinds(tree, incident) == ["opened", "withdrawn"]
    assert len(seen(tree, is_open=True)) == len(tree.schools), "those of rules that hold stay"


def test_what_was_remembered_of_a_part_of_an_erased_computer_is_forgotten(tree: Tree) -> None:
    device, other = tree.schools[0].devices
    parts = [Subject("device", device.id, "00:11:22:33:44:55"), Subject("device", other.id, "x")]
    with begin_write(tree.engine) as conn:
        write_states(conn, {("device_clone", part): {"journal": 1} for part in parts})
        erasure.device(conn, device.id, device.device)
        state = t.rule_state.c
        left = conn.scalars(select(state.subject).where(state.rule == "device_clone")).all()
    assert left == [str(parts[1])]
