"""Sightings: an incident at once, one for one subject, over when it stays quiet; and what comes late."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import Row
from schoolwatch_server import rules
from schoolwatch_server.rules.follow import follow
from schoolwatch_server.rules.load import SHIPPED
from schoolwatch_server.rules.rule import Condition
from schoolwatch_server.rules.sighted import Seen, Sighted, quiet, see
from schoolwatch_server.rules.silence import fall_quiet
from schoolwatch_server.rules.subject import PART_MAX, Subject
from schoolwatch_server.strict_yaml import SheetError

T = 1_800_000_000.0
(CLONE,) = [rule for rule in rules.load() if rule.id == "device_clone"]
(CHANGED,) = [rule for rule in rules.load() if rule.id == "device_changed"]
ROGUE = msgspec.structs.replace(
    CLONE,
    id="rogue_dhcp",
    severity="critical",
    condition=Condition(sighting="dhcp.offer"),
    close_after=3600.0,
)
"""As a gateway's sensors will tell it."""


def seen(
    minute: float,
    journal: int,
    *,
    kind: str = "dhcp.offer",
    subject: str = "a",
    arrived: float | None = None,
    **detail: str,
) -> Seen:
    came = minute if arrived is None else arrived
    return Seen(journal, kind, subject, detail, T + minute * 60, T + came * 60, came - minute > 30)


def play(*sightings: Seen, rule=ROGUE, now: float | None = None) -> list[tuple[str, float, float, bool]]:
    """(kind, since, at, late), in minutes; `now` looks at the clock in the end."""
    state, events = Sighted(), []
    for one in sightings:
        state, more = see(rule, state, [one])
        events += more
    if now is not None:
        state, last = quiet(rule, state, T + now * 60)
        events += [] if last is None else [last]
    return [(e.kind, (e.since - T) / 60, (e.at - T) / 60, e.late) for e in events]


def test_it_opens_at_once_and_the_same_subject_is_the_same_incident() -> None:
    assert play(seen(0, 1), seen(5, 2), seen(50, 3)) == [
        ("opened", 0, 0, False),
        ("again", 0, 5, False),
        ("again", 0, 50, False),
    ]


def test_it_is_over_an_hour_after_the_last_one() -> None:
    assert play(seen(0, 1), seen(30, 2), now=89) == [("opened", 0, 0, False), ("again", 0, 30, False)]
    assert play(seen(0, 1), seen(30, 2), now=90)[-1] == ("closed", 30, 90, False)


def test_one_after_a_quiet_hour_is_a_new_incident_whether_somebody_looked_meanwhile_or_not() -> None:
    expected = [("opened", 0, 0, False), ("closed", 0, 60, False), ("opened", 200, 200, False)]
    assert play(seen(0, 1), seen(200, 2)) == expected
    first, opened = see(ROGUE, Sighted(), [seen(0, 1)])
    looked, closed = quiet(ROGUE, first, T + 100 * 60)
    _, again = see(ROGUE, looked, [seen(200, 2)])
    assert closed is not None
    assert [(e.kind, (e.at - T) / 60) for e in (*opened, closed, *again)] == [
        (kind, at) for kind, _, at, _ in expected
    ]


def test_a_late_one_after_a_quiet_hour_is_one_too_whether_somebody_looked_meanwhile_or_not() -> None:
    expected = [("opened", 6000, 6000, False), ("closed", 6000, 6060, False), ("opened", 0, 0, True)]
    assert play(seen(6000, 1), seen(0, 2, arrived=7200)) == expected
    first, opened = see(ROGUE, Sighted(), [seen(6000, 1)])
    looked, closed = quiet(ROGUE, first, T + 7199 * 60)
    _, again = see(ROGUE, looked, [seen(0, 2, arrived=7200)])
    assert closed is not None
    assert [(e.kind, (e.since - T) / 60) for e in (*opened, closed, *again)] == [
        (kind, since) for kind, since, _, _ in expected
    ]


def test_a_row_that_was_judged_before_changes_nothing() -> None:
    assert play(seen(0, 1), seen(0, 1), seen(5, 2), seen(0, 1), seen(5, 2)) == play(seen(0, 1), seen(5, 2))


def test_a_late_one_opens_an_incident_that_waits_an_hour_from_its_arrival() -> None:
    late = seen(0, 1, arrived=7200)
    assert play(late, now=7259) == [("opened", 0, 0, True)]
    assert play(late, now=7260)[-1] == ("closed", 0, 7260, False)


def test_late_ones_of_five_days_are_one_incident() -> None:
    backlog = [seen(day * 1440.0, day + 1, arrived=7200.0 + day) for day in range(5)]
    kinds = [kind for kind, *_ in play(*backlog)]
    assert kinds == ["opened", "again", "again", "again", "again"]


def test_a_late_one_of_the_time_of_a_known_incident_is_none() -> None:
    assert play(seen(0, 1), seen(50, 2), seen(20, 3, arrived=100), now=200) == [
        ("opened", 0, 0, False),
        ("again", 0, 50, False),
        ("closed", 50, 110, False),
    ]


def test_a_late_one_of_another_time_is_an_incident_of_its_own() -> None:
    state, _ = see(ROGUE, Sighted(), [seen(7000, 1)])
    state, closed = quiet(ROGUE, state, T + 7100 * 60)
    assert closed is not None
    _, (opened,) = see(ROGUE, state, [seen(0, 2, arrived=7200)])
    assert (opened.kind, opened.late, opened.at) == ("opened", True, T)


def test_where_late_waits_a_late_one_opens_nothing() -> None:
    patient = msgspec.structs.replace(ROGUE, late="waits")
    assert play(seen(0, 1, arrived=7200), rule=patient, now=9999) == []


def test_each_subject_of_a_device_is_an_incident_and_details_choose() -> None:
    rows = [(Row(1, 7, T), None), (Row(2, 7, T + 60), None)]
    sightings = {1: [seen(0, 1, subject="a"), seen(0, 1, subject="b" * 200)], 2: [seen(1, 2, subject="a")]}
    changed, occurrences = follow([ROGUE], rows, {}, sightings=sightings)
    assert [(o.event.kind, o.subject.part[:1]) for o in occurrences] == [
        ("opened", occurrences[0].subject.part[:1]),
        ("opened", occurrences[1].subject.part[:1]),
        ("again", "a"),
    ]
    assert {about.id for about in changed} == {7}
    assert all(len(about.part) <= PART_MAX for about in changed)
    assert {o.subject for o in occurrences} >= {Subject("device", 7, "a")}
    hardware = [
        seen(0, 1, kind="device.changed", subject="hardware", what=what)
        for what in ("renamed", "reinstalled", "disk_replaced")
    ]
    ((found),) = follow([CHANGED], [(Row(1, 7, T), None)], {}, sightings={1: hardware})[1]
    assert found.event.last.detail == {"what": "disk_replaced"}


@pytest.mark.parametrize("count", [1, 30])
def test_the_evidence_says_what_was_seen_and_how_often(count: int) -> None:
    state, events = Sighted(), ()
    for number in range(count):
        state, events = see(ROGUE, state, [seen(number, number + 1, server="10.0.0.9")])
    assert events[0].count == count
    assert events[0].last.sighting == "dhcp.offer"
    assert events[0].last.detail == {"server": "10.0.0.9"}


sighting = st.tuples(st.integers(0, 400), st.integers(0, 400), st.sampled_from("ab"))


@given(st.lists(sighting, max_size=30), st.lists(st.integers(1, 5), min_size=1, max_size=9))
def test_batches_and_looks_at_the_clock_change_nothing_but_who_closes(
    entries: list[tuple[int, int, str]], sizes: list[int]
) -> None:
    told = {
        number: [seen(minute, number, subject=subject, arrived=minute + delay)]
        for number, (minute, delay, subject) in enumerate(entries, 1)
    }
    rows = [(Row(number, 1, T), None) for number in told]
    memory, whole = follow([ROGUE], rows, {}, sightings=told)
    kept: dict = {}
    parts, start = [], 0
    while start < len(rows):
        size = sizes[start % len(sizes)]
        changed, occurrences = follow([ROGUE], rows[start : start + size], kept, sightings=told)
        kept |= changed
        parts += occurrences
        start += size
    assert parts == list(whole)
    assert kept == memory
    for subject in "ab":
        kinds = [o.event.kind for o in whole if o.subject.part == subject and o.event.kind != "again"]
        assert kinds == ["opened", "closed"] * (len(kinds) // 2) + ["opened"] * (len(kinds) % 2)
    after, closed = fall_quiet([ROGUE], memory, T + 1e7)
    assert not fall_quiet([ROGUE], {**memory, **after}, T + 1e8)[1], "what is closed stays closed"
    assert len(closed) == sum(state.is_open for kept in memory.values() for state in kept.values())


SHIPPED_RULE = (SHIPPED / "device_clone.yaml").read_text(encoding="utf-8").replace("version: 1", "version: 2")


def test_a_sensors_sighting_needs_nothing_but_a_file(tmp_path: Path) -> None:
    text = SHIPPED_RULE.replace("id: device_clone", "id: rogue_dhcp").replace(
        "sighting: device.clone", "sighting: dhcp.offer\n  detail: {server: [unknown]}"
    )
    (tmp_path / "ours.yaml").write_text(text, encoding="utf-8")
    (rule,) = [rule for rule in rules.load(tmp_path) if rule.id == "rogue_dhcp"]
    sightings = {1: [seen(0, 1, server="unknown"), seen(0, 1, server="known")]}
    ((found),) = follow([rule], [(Row(1, 7, T), None)], {}, sightings=sightings)[1]
    assert found.event.last.detail == {"server": "unknown"}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("open_after: 0", "open_after: 60", "open_after: 0, close_after: some seconds"),
        ("close_after: 86400", "close_after: 0", "open_after: 0, close_after: some seconds"),
        ("when_found: incident", "when_found: work_list", "when_found: incident"),
        ("scope: device", "scope: room", "scope: device or school"),
        ("sighting: device.clone", "sighting: device.clone\n  equals: 1", "compared with nothing"),
        ("late: opens", "late: opens\nworse: {severity: critical, above: 3}", "worse: write the condition's"),
    ],
)
def test_a_mistake_in_a_rule_about_sightings_names_the_file_and_what_to_do(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert old in SHIPPED_RULE
    path = tmp_path / "ours.yaml"
    path.write_text(SHIPPED_RULE.replace(old, new), encoding="utf-8")
    with pytest.raises(SheetError) as caught:
        rules.load(tmp_path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("worse", "is_right"),
    [
        ("above: 1209600", True),
        ("above: 604800", False),
        ("above: 1", False),
        ("below: 1209600", False),
        ("above: 1209600\n  below: 3", False),
    ],
)
def test_the_second_limit_lies_beyond_the_first(tmp_path: Path, worse: str, *, is_right: bool) -> None:
    text = (SHIPPED / "signatures_old.yaml").read_text(encoding="utf-8")
    path = tmp_path / "ours.yaml"
    path.write_text(
        text.replace("version: 2", "version: 9").replace("above: 1209600", worse), encoding="utf-8"
    )
    if is_right:
        assert rules.load(tmp_path)
    else:
        with pytest.raises(SheetError, match="further away"):
            rules.load(tmp_path)
