"""The chain of the audit log: whatever is done to its rows is found, and nothing is found in a whole one."""

import hashlib
import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from schoolwatch_server.audit_chain import GENESIS, PRUNED, RESTORED, Checkpoint, Entry, hash_of, verify

DAY = 86400.0
LEAST = 365

details = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(0, 1e12)
)
lines = st.tuples(st.floats(1e9, 2e9), st.text(max_size=10), st.text(max_size=10), details)


def chained(told: list[tuple[float, str, str, dict[str, object]]]) -> list[Entry]:
    rows: list[Entry] = []
    for number, (at, actor, subject, detail) in enumerate(told, 1):
        add(rows, number, at, actor, "login", subject, detail)
    return rows


def add(
    rows: list[Entry], id_: int, at: float, actor: str, action: str, subject: str, detail: dict[str, object]
) -> None:
    row = Entry(id_, at, actor, action, subject, detail, rows[-1].hash if rows else GENESIS, "")
    rows.append(replace(row, hash=hash_of(row)))


def days(count: int) -> list[Entry]:
    """A row a day."""
    return chained([(1e9 + n * DAY, "lan", f"trường {n}", {"n": n}) for n in range(count)])


def head(rows: list[Entry]) -> tuple[int, str]:
    return (rows[-1].id, rows[-1].hash) if rows else (0, GENESIS)


def found(rows: list[Entry], end: tuple[int, str], *kept: Checkpoint) -> list[str]:
    return [one.text for one in verify(rows, end, kept, LEAST).wrong]


@settings(max_examples=40)
@given(st.lists(lines, max_size=12))
def test_a_whole_log_is_whole_also_after_a_trip_through_json(
    told: list[tuple[float, str, str, dict[str, object]]],
) -> None:
    rows = [replace(row, detail=json.loads(json.dumps(row.detail))) for row in chained(told)]
    kept = [Checkpoint(0.0, row.id, row.hash) for row in rows]
    assert found(rows, head(rows), *kept) == []


@settings(max_examples=40)
@given(st.lists(lines, min_size=1, max_size=12), st.data())
def test_whatever_is_changed_in_one_row_is_found(
    told: list[tuple[float, str, str, dict[str, object]]], data: st.DataObject
) -> None:
    rows = chained(told)
    at = data.draw(st.integers(0, len(rows) - 1))
    field = data.draw(
        st.sampled_from(["id", "at", "actor", "action", "subject", "detail", "previous", "hash"])
    )
    old = getattr(rows[at], field)
    new = {**old, "new": 1} if isinstance(old, dict) else old + 1 if not isinstance(old, str) else old + "x"
    if new == old:  # a float too large for one more
        return
    end = head(rows)
    rows[at] = replace(rows[at], **{field: new})
    assert found(rows, end)


@settings(max_examples=40)
@given(st.integers(2, 9), st.data())
def test_rows_that_were_removed_moved_or_put_in_are_found(count: int, data: st.DataObject) -> None:
    rows = days(count)
    end = head(rows)
    at, other = data.draw(st.permutations(range(count)))[:2]
    gone = rows[:at] + rows[at + 1 :]
    assert found(gone, end)
    moved = [*rows]
    moved[at], moved[other] = rows[other], rows[at]
    assert found(moved, end)
    twice = [*rows[: at + 1], *rows[at:]]
    assert found(twice, end)


@settings(max_examples=40)
@given(st.integers(2, 9), st.data())
def test_a_log_that_was_cut_off_or_written_anew_with_its_head_is_found_by_what_was_noted_outside(
    count: int, data: st.DataObject
) -> None:
    rows = days(count)
    noted = Checkpoint(rows[-1].at, *head(rows))
    cut = rows[: data.draw(st.integers(0, count - 1))]
    assert found(cut, head(cut)) == [], "the database alone can't tell"
    assert found(cut, head(cut), noted)
    anew = chained([(row.at, "somebody else", row.subject, row.detail) for row in rows])
    assert found(anew, head(anew)) == []
    assert found(anew, head(anew), noted)


def pruned(rows: list[Entry], upto: int, **forged: object) -> list[Entry]:
    """Without the first rows, and with the row that says so."""
    last = rows[upto - 1]
    told = {"rows": upto, "last": last.id, "hash": last.hash, "until": last.at, **forged}
    add(rows, rows[-1].id + 1, rows[-1].at + 1, "retention", PRUNED, "", told)
    return rows[upto:]


def test_what_retention_removed_leaves_a_whole_log_that_knows_where_it_begins() -> None:
    rows = days(800)
    kept = [Checkpoint(rows[n].at, rows[n].id, rows[n].hash) for n in (10, 300, 799)]
    left = pruned(rows, 400)
    assert found(left, head(left), *kept) == []
    again = pruned(left, 20)
    assert found(again, head(again), *kept) == []


def test_a_beginning_that_nobody_removed_in_its_time_is_found() -> None:
    rows = days(800)
    assert "no row says" in found(rows[400:], head(rows))[0]
    young = pruned(days(800), 500)
    assert "not old enough" in found(young, head(young))[0]
    for forged in ({"until": None}, {"until": 1e9, "hash": "f" * 64}, {"hash": None}, {"hash": ["x"]}):
        wrong = pruned(days(800), 400, **forged)
        assert found(wrong, head(wrong)), forged


def test_an_older_copy_that_came_back_is_told_and_not_taken_for_a_crime() -> None:
    rows = days(9)
    noted = Checkpoint(rows[-1].at, *head(rows))
    copy = rows[:5]
    add(copy, 6, rows[-1].at + 5, "server", RESTORED, "epoch", {})
    add(copy, 7, rows[-1].at + 6, "lan", "login", "lan", {})
    seen = verify(copy, head(copy), [noted], LEAST)
    assert seen.wrong == ()
    assert "older copy came back" in seen.notes[0].text
    later = Checkpoint(rows[-1].at + 7, *head(copy))
    assert found(copy[:6], head(copy[:6]), later), "after it came back nothing is excused"


def test_the_documented_hash_is_the_hash() -> None:
    row = Entry(7, 1790000000.0, "lan", "declare", "T1", {"b": 1.5, "a": "ế"}, "0" * 64, "")
    text = '["schoolwatch audit 1","ZEROS",7,1790000000.0,"lan","declare","T1",{"a":"\\u1ebf","b":1.5}]'
    text = text.replace("ZEROS", "0" * 64)
    assert hash_of(row) == hashlib.sha256(text.encode()).hexdigest()
