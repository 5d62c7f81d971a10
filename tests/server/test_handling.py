"""What people do about incidents: who may, what it changes, and what the second of two people is told."""

import threading

import pytest
from sqlalchemy import select

from schoolwatch_server import delegation, handling, people
from schoolwatch_server.access import ROLES, Principal, Role
from schoolwatch_server.database import audit, incident_lists, incident_rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.incident_lists import Wanted
from schoolwatch_server.handling import AT_ONCE, NOTE_MAX, Outcome, Wish
from schoolwatch_server.incident_states import STATES
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import School, Tree


def who(name: str, role: Role = "so_admin", scope: Scope = EVERYTHING) -> Principal:
    return Principal("account", name, ROLES[role], scope, role)


def account(tree: Tree, name: str, role: Role, scope: Scope) -> None:
    people.create_account(tree.engine, name, "a password for tests", role=role, scope=scope, by="test")


def incident_of(tree: Tree, school: School) -> int:
    """The school's open incident."""
    with begin_read(tree.engine) as conn:
        (row,) = incident_rows.incidents(conn, Scope("school", school.id), is_open=True)
    return row.id


def row_of(tree: Tree, number: int) -> incident_rows.IncidentRow:
    with begin_read(tree.engine) as conn:
        row = incident_rows.incident(conn, number, EVERYTHING)
    assert row is not None
    return row


def do(tree: Tree, by: Principal, number: int, act: handling.Act, at: float = 0.0, **more) -> Outcome:
    (outcome,) = handling.handle(tree.engine, by, [number], Wish(act, **more), tree.now + at)
    return outcome


def kinds(tree: Tree, number: int) -> list[str]:
    with begin_read(tree.engine) as conn:
        return [event.kind for event in incident_rows.events(conn, number)]


def test_the_first_one_has_acknowledged_it_and_the_second_is_told(tree: Tree) -> None:
    number = incident_of(tree, tree.schools[0])
    lan, minh = who("lan"), who("minh")
    assert do(tree, lan, number, "acknowledge", 10).is_done
    again = do(tree, lan, number, "acknowledge", 20)
    assert (again.why, again.is_so) == ("same", True), "a second tap is no error"
    second = do(tree, minh, number, "acknowledge", 30)
    assert (second.why, second.by, second.at) == ("acknowledged", "lan", tree.now + 10)
    row = row_of(tree, number)
    assert (row.state, row.acknowledged_by, row.acknowledged_at) == ("acknowledged", "lan", tree.now + 10)
    assert kinds(tree, number) == ["opened", "acknowledged"]


def test_two_at_the_same_moment_one_of_them_is_told(tree: Tree) -> None:
    number = incident_of(tree, tree.schools[0])
    start, got = threading.Barrier(6), []

    def tap(n: int) -> None:
        start.wait()
        got.append(do(tree, who(f"person {n}"), number, "acknowledge", n))

    threads = [threading.Thread(target=tap, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = row_of(tree, number).acknowledged_by
    assert sum(outcome.is_done for outcome in got) == 1
    assert {outcome.by for outcome in got if not outcome.is_done} == {first}
    assert kinds(tree, number).count("acknowledged") == 1


def test_it_is_assigned_to_who_sees_it_and_may_act_in_ones_own_part_of_the_tree(tree: Tree) -> None:
    school, beside = tree.schools[0], tree.schools[1]
    number = incident_of(tree, school)
    account(tree, "thầy Nam", "technician", Scope("school", school.id))
    account(tree, "cô Hoa", "school_head", Scope("school", beside.id))
    account(tree, "xã", "commune", Scope("commune", school.commune))
    account(tree, "theo dõi", "so_viewer", EVERYTHING)
    account(tree, "đã nghỉ", "technician", Scope("school", school.id))
    with begin_read(tree.engine) as conn:
        gone = conn.scalar(select(t.account.c.id).where(t.account.c.name == "đã nghỉ"))
    assert delegation.switch_off(tree.engine, who("sở"), gone)
    sở, head = who("sở"), who("hiệu trưởng", "school_head", Scope("school", school.id))
    assert do(tree, sở, number, "assign", assignee="thầy Nam").is_done
    row = row_of(tree, number)
    assert (row.assignee, row.state) == ("thầy Nam", "open"), "who was given it hasn't seen it yet"
    for name in ("cô Hoa", "theo dõi", "nobody at all"):
        assert do(tree, sở, number, "assign", assignee=name).why == "nobody", name
    assert do(tree, head, number, "assign", assignee="xã").why == "nobody", "a school hands nothing upwards"
    with begin_read(tree.engine) as conn:
        assert "xã" in handling.assignable(conn, sở, number)
        assert handling.assignable(conn, head, number) == ("thầy Nam",)


def test_who_takes_it_on_themselves_has_acknowledged_it(tree: Tree) -> None:
    number = incident_of(tree, tree.schools[0])
    account(tree, "lan", "so_admin", EVERYTHING)
    assert do(tree, who("lan"), number, "assign", assignee="lan").is_done
    assert row_of(tree, number).acknowledged_by == "lan"


def test_who_assigns_it_while_another_does_is_told_to_whom_it_went(tree: Tree) -> None:
    number = incident_of(tree, tree.schools[0])
    for name in ("lan", "minh"):
        account(tree, name, "so_admin", EVERYTHING)
    assert do(tree, who("minh"), number, "assign", 5, assignee="minh", was="").is_done
    told = do(tree, who("lan"), number, "assign", 6, assignee="lan", was="")
    assert (told.why, told.by, told.at) == ("changed", "minh", tree.now + 5)
    assert row_of(tree, number).assignee == "minh"
    assert do(tree, who("lan"), number, "assign", 7, assignee="lan", was="minh").is_done


def test_a_closed_one_is_not_closed_again_and_the_second_is_told_by_whom(tree: Tree) -> None:
    number = incident_of(tree, tree.schools[0])
    assert do(tree, who("lan"), number, "false_alarm", 10, note="máy đang cài lại").is_done
    assert do(tree, who("lan"), number, "false_alarm", 11).why == "same"
    told = do(tree, who("minh"), number, "resolve", 12, note="tôi cũng đã xem")
    assert (told.why, told.by, told.at) == ("closed", "lan", tree.now + 10)
    row = row_of(tree, number)
    assert (row.state, row.verdict_by, row.acknowledged_by) == ("false_alarm", "lan", "lan")
    assert kinds(tree, number) == ["opened", "acknowledged", "false_alarm", "noted", "noted"], (
        "no note is lost"
    )
    assert do(tree, who("minh"), number, "acknowledge").why == "closed"


def test_a_note_is_kept_once_in_its_lines_and_within_its_length(tree: Tree) -> None:
    number = incident_of(tree, tree.schools[0])
    assert do(tree, who("lan"), number, "note", note=" \n ").why == "empty"
    assert do(tree, who("lan"), number, "note", note="một\r\nhai\x07 ").is_done
    assert do(tree, who("lan"), number, "note", 5, note="một\nhai").why == "same", "a form sent twice"
    assert do(tree, who("lan"), number, "note", 601, note="một\nhai").is_done
    assert do(tree, who("lan"), number, "note", note="đ" * (NOTE_MAX + 5)).is_done
    with begin_read(tree.engine) as conn:
        texts = [e.detail["text"] for e in incident_rows.events(conn, number) if e.kind == "noted"]
    assert texts == ["một\nhai", "một\nhai", "đ" * NOTE_MAX]


def test_each_act_is_in_the_audit_log_without_the_note(tree: Tree) -> None:
    number = incident_of(tree, tree.schools[0])
    with begin_read(tree.engine) as conn:
        last = audit.head(conn)[0]
    acts: tuple[handling.Act, ...] = ("acknowledge", "note", "resolve", "reopen")
    for act in acts:
        do(tree, who("lan"), number, act, note="số điện thoại" if act == "note" else "")
    with begin_read(tree.engine) as conn:
        rows = [entry for entry in audit.entries(conn) if entry.id > last]
    assert [(row.actor, row.action, row.subject) for row in rows] == [
        ("lan", f"incident.{act}", str(number)) for act in acts
    ]
    assert "số điện thoại" not in str(rows)


def test_what_lies_outside_ones_scope_is_named_and_left_alone(tree: Tree) -> None:
    school, beside = tree.schools[:2]
    head = who("hiệu trưởng", "school_head", Scope("school", school.id))
    wanted = [incident_of(tree, school), incident_of(tree, beside), 10**9]
    outcomes = handling.handle(tree.engine, head, wanted, Wish("acknowledge"), tree.now)
    assert [(one.incident, one.why) for one in outcomes] == list(
        zip(wanted, ("", "unseen", "unseen"), strict=True)
    )
    assert row_of(tree, wanted[1]).state == "open"
    with pytest.raises(ValueError, match=str(AT_ONCE)):
        handling.handle(tree.engine, head, range(AT_ONCE + 1), Wish("acknowledge"), tree.now)


def test_a_program_is_named_as_one_and_no_account_is_called_so(tree: Tree) -> None:
    number = incident_of(tree, tree.schools[0])
    token = Principal("token", "trực ban", frozenset({"read", "handle"}), EVERYTHING)
    assert do(tree, token, number, "acknowledge").is_done
    assert row_of(tree, number).acknowledged_by == "API token trực ban"
    with pytest.raises(ValueError, match="server's own"):
        account(tree, "API token trực ban", "so_admin", EVERYTHING)


def test_lists_and_counts_keep_to_the_states_and_to_the_scope(tree: Tree) -> None:
    numbers = [incident_of(tree, school) for school in tree.schools]
    do(tree, who("lan"), numbers[0], "acknowledge")
    do(tree, who("lan"), numbers[1], "resolve")
    do(tree, who("lan"), numbers[2], "false_alarm")
    with begin_read(tree.engine) as conn:
        counts = incident_lists.counts(conn, EVERYTHING, Wanted())
        assert counts == {
            "open": 5, "acknowledged": 1, "evidence": 8, "resolved": 1, "false_alarm": 1, "standing": 0,
            "withdrawn": 0, "merged": 0,
        }  # fmt: skip
        for state in STATES:
            rows = incident_lists.listed(conn, EVERYTHING, Wanted(frozenset({state})))
            assert len(rows) == counts[state]
            assert {row.state for row in rows} <= {state}
        for scope in tree.scopes:
            inside = [school for school in tree.schools if scope == EVERYTHING or school.inside(scope)]
            assert sum(incident_lists.counts(conn, scope, Wanted()).values()) == 2 * len(inside)
        first = tree.schools[0]
        for wanted, found in (
            (Wanted(text=f"#{numbers[3]}"), [numbers[3]]),
            (Wanted(text=f"máy 0 {first.mark.lower()}"), [numbers[0]]),
            (Wanted(frozenset({"open"}), text="zz", schools=[tree.schools[4].code]), [numbers[4]]),
            (Wanted(frozenset({"acknowledged"}), assignee=""), [numbers[0]]),
            (Wanted(frozenset({"acknowledged"}), late=True), []),
            (Wanted(frozenset({"acknowledged"}), commune="MarkC00X", school=first.code), [numbers[0]]),
            (Wanted(frozenset({"acknowledged"}), commune="MarkC01X"), []),
            (Wanted(rule="no_such_rule"), []),
        ):
            assert [row.id for row in incident_lists.listed(conn, EVERYTHING, wanted)] == found, wanted
        page = incident_lists.listed(conn, EVERYTHING, Wanted(), limit=3)
        after = incident_lists.listed(conn, EVERYTHING, Wanted(), after=page[-1].id, limit=100)
        assert len(after) == 13
        assert max(row.id for row in after) < page[-1].id
        assert incident_lists.ids(conn, EVERYTHING, Wanted(), upto=page[1].id, limit=2) == (
            page[1].id, page[2].id
        )  # fmt: skip


def set_row(tree: Tree, number: int, **values: object) -> None:
    with begin_write(tree.engine) as conn:
        conn.execute(t.incident.update().where(t.incident.c.id == number).values(**values))


def test_what_needs_action_comes_first_and_what_was_opened_again_rises(tree: Tree) -> None:
    numbers = [incident_of(tree, school) for school in tree.schools]
    for number, severity in zip(numbers, ("low", "critical", "high", "high", "critical"), strict=False):
        set_row(tree, number, severity=severity)
    for number in numbers[5:]:
        set_row(tree, number, severity="medium")
    do(tree, who("lan"), numbers[1], "acknowledge")
    do(tree, who("lan"), numbers[3], "acknowledge")
    lasts = sorted(numbers, reverse=True)

    def order(**more: object) -> list[int]:
        with begin_read(tree.engine) as conn:
            wanted = Wanted(frozenset({"open", "acknowledged"}))
            return [row.id for row in incident_lists.listed(conn, EVERYTHING, wanted, order="action", **more)]

    medium = [number for number in lasts if number in numbers[5:]]
    assert order() == [numbers[4], numbers[2], *medium, numbers[0], numbers[1], numbers[3]]
    do(tree, who("lan"), medium[-1], "resolve")
    assert medium[-1] not in order()
    do(tree, who("lan"), medium[-1], "reopen")
    set_row(tree, medium[-1], acknowledged_at=None)
    assert order()[2] == medium[-1], "it rises among its like"


def test_pages_of_what_needs_action_have_each_incident_once_though_others_change(tree: Tree) -> None:
    with begin_read(tree.engine) as conn:
        everything = [row.id for row in incident_lists.listed(conn, EVERYTHING, Wanted(), order="action")]
    seen, after = [], None
    while True:
        with begin_read(tree.engine) as conn:
            rows = incident_lists.listed(conn, EVERYTHING, Wanted(), order="action", after=after, limit=3)
        if not rows:
            break
        seen += [row.id for row in rows]
        after = incident_lists.position(rows[-1], "action")
        open_ones = [row.id for row in rows if row.closed_at is None]
        if open_ones:  # what was on the page before has moved to the end since: it comes once more there
            do(tree, who("lan"), open_ones[-1], "resolve")
    assert list(dict.fromkeys(seen)) == everything, "nobody is left out"
    assert after is not None
    assert after < 2**53, "a number that JavaScript holds"
