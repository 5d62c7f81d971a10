"""Storms are one message; every event is told in exactly one message, and a critical one is never put off."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.duty.fold import (
    ATTACKS,
    BURST,
    CRITICAL_EVERY,
    STORM_EVERY,
    Batch,
    Made,
    Waiting,
    fold,
)
from schoolwatch_server.severity import SEVERITIES


def waits(count: int, severity: str = "high", event: str = "opened", first: int = 1) -> list[Waiting]:
    return [Waiting(first + n, severity, event) for n in range(count)]


def test_a_few_are_told_one_by_one() -> None:
    assert fold(waits(BURST), (), 0.0) == tuple(Batch("one", (n,)) for n in range(1, BURST + 1))


def test_a_thousand_at_once_are_one_message() -> None:
    (batch,) = fold(waits(1000), (), 0.0)
    assert (batch.kind, len(batch.ids)) == ("fold", 1000)


def test_those_that_trickle_in_are_folded_once_they_are_many() -> None:
    made = [Made(float(n), "one") for n in range(BURST)]
    assert fold(waits(1), made, 10.0) == (Batch("fold", (1,)),)
    assert fold(waits(1), made, 70.0) == (Batch("one", (1,)),)


def test_messages_of_a_time_to_come_fold_nothing() -> None:
    """The clock was set back by an hour."""
    made = [Made(3600.0 + n, "one") for n in range(BURST)]
    assert fold(waits(1), made, 10.0) == (Batch("one", (1,)),)


def test_while_a_storm_lasts_the_rest_is_counted_in_a_next_message() -> None:
    made = [Made(100.0, "fold")]
    assert fold(waits(7), made, 100.0 + STORM_EVERY - 1) == ()
    (batch,) = fold(waits(7), made, 100.0 + STORM_EVERY)
    assert batch == Batch("fold", tuple(range(1, 8)))


def test_closings_fold_too() -> None:
    (batch,) = fold(waits(50, event="closed"), (), 0.0)
    assert batch.kind == "fold"


def test_a_critical_one_in_a_storm_waits_a_minute_at_most() -> None:
    made = [Made(100.0, "fold")]
    rows = [*waits(3), Waiting(9, "critical", "opened")]
    assert fold(rows, made, 100.0 + CRITICAL_EVERY - 1) == ()
    assert fold(rows, made, 100.0 + CRITICAL_EVERY) == (Batch("fold", (1, 2, 3, 9)),)


def attacks(count: int, event: str = "opened", first: int = 1) -> list[Waiting]:
    return [Waiting(first + n, "high", event, is_attack=True) for n in range(count)]


def test_an_attack_is_told_by_itself_in_the_middle_of_a_storm() -> None:
    rows = [*waits(200), *attacks(1, first=900)]
    assert fold(rows, (), 0.0) == (Batch("one", (900,)), Batch("fold", tuple(range(1, 201))))
    stormed = [Made(100.0, "fold"), *(Made(100.0, "one") for _ in range(BURST))]
    assert fold(attacks(1), stormed, 101.0) == (Batch("one", (1,)),)
    assert fold([*waits(3), *attacks(1, "closed", 9)], stormed, 101.0) == (Batch("one", (9,)),)


def test_attacks_that_are_a_storm_are_one_message_after_a_minute_at_most() -> None:
    many = BURST + ATTACKS + 1
    (batch,) = fold(attacks(many), (), 0.0)
    assert (batch.kind, len(batch.ids)) == ("fold", many)
    stormed = [Made(100.0, "fold"), *(Made(100.0, "one") for _ in range(BURST + ATTACKS))]
    assert fold(attacks(1), stormed, 100.0 + CRITICAL_EVERY - 1) == ()
    assert fold(attacks(1), stormed, 100.0 + CRITICAL_EVERY) == (Batch("one", (1,)),)


def test_an_exercise_is_told_apart_and_holds_nothing_up() -> None:
    rows = [*waits(2), *(Waiting(n, "high", "opened", is_exercise=True) for n in range(10, 40))]
    one, two, drill = fold(rows, (), 0.0)
    assert (one.ids, two.ids) == ((1,), (2,))
    assert (drill.kind, len(drill.ids), drill.is_exercise) == ("fold", 30, True)
    stormed = [Made(0.0, "fold", is_exercise=True)]
    assert fold(waits(1), stormed, 1.0) == (Batch("one", (1,)),)


def test_a_digest_is_one_message() -> None:
    rows = [Waiting(n, "low", "opened", is_digest=True) for n in range(3)] + waits(1, first=7)
    assert fold(rows, (), 0.0) == (Batch("digest", (0, 1, 2)), Batch("one", (7,)))


ROWS = st.lists(
    st.tuples(
        st.floats(0, 900), st.sampled_from(SEVERITIES), st.sampled_from(["opened", "closed"]),
        st.booleans(), st.booleans(), st.booleans(),
    ),
    max_size=40,
)  # fmt: skip


@given(ROWS)
def test_each_event_is_told_of_in_exactly_one_message_and_in_order(events: list) -> None:
    rows = [
        (at, Waiting(n, severity, event, digest, drill, attack))
        for n, (at, severity, event, digest, drill, attack) in enumerate(sorted(events), 1)
    ]
    left, made, told = dict(enumerate(rows)), [], []
    for tick in range(0, 2000, 5):
        now = float(tick)
        waiting = [row for at, row in left.values() if at <= now]
        for batch in fold(waiting, made, now):
            made.append(Made(now, batch.kind, batch.is_exercise))
            told.append((now, batch))
        gone = {n for at, batch in told if at == now for n in batch.ids}
        left = {key: (at, row) for key, (at, row) in left.items() if row.id not in gone}
    said = [n for _, batch in told for n in batch.ids]
    assert sorted(said) == [row.id for _, row in rows]
    when = {n: at for at, batch in told for n in batch.ids}
    for at, row in rows:
        hurries = (row.severity == "critical" or row.is_attack) and row.event == "opened"
        slow = CRITICAL_EVERY if hurries else STORM_EVERY
        assert when[row.id] - at <= slow + 10
    for drill, attack in itertools.product((False, True), repeat=2):
        same = [row for _, row in rows if row.is_exercise is drill and row.is_attack is attack]
        prompt = [row.id for row in same if not row.is_digest]
        assert [n for n in said if n in set(prompt)] == prompt
