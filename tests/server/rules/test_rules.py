"""Rules load strictly, and their conditions read envelopes."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import Row
from schoolwatch_contract.records import Envelope, Fact, Reading
from schoolwatch_server import rules
from schoolwatch_server.rules import subject
from schoolwatch_server.rules.condition import met
from schoolwatch_server.rules.follow import follow
from schoolwatch_server.rules.load import SHIPPED, read
from schoolwatch_server.rules.rule import Condition, Rule
from schoolwatch_server.rules.step import RuleState
from schoolwatch_server.rules.told import Told, hear
from schoolwatch_server.settled import is_settled
from schoolwatch_server.state import State, Value, key
from schoolwatch_server.strict_yaml import SheetError, parse

T = 1_800_000_000.0
SHIPPED_RULE = (SHIPPED / "antivirus_off.yaml").read_text(encoding="utf-8")
(ANTIVIRUS,) = [rule for rule in rules.load() if rule.id == "antivirus_off"]


def test_the_shipped_rule_is_ten_minutes_without_antivirus() -> None:
    assert (ANTIVIRUS.open_after, ANTIVIRUS.condition.posture, ANTIVIRUS.condition.equals) == (
        600,
        "protected",
        False,
    )
    assert ANTIVIRUS.source.confidence == "V-2nd"


def test_an_override_with_a_higher_version_replaces(tmp_path: Path) -> None:
    text = SHIPPED_RULE.replace("version: 1", "version: 2").replace("open_after: 600", "open_after: 5")
    (tmp_path / "quick.yaml").write_text(text, encoding="utf-8")
    replaced = [rule for rule in rules.load(tmp_path) if rule.id == ANTIVIRUS.id]
    assert [(rule.version, rule.open_after) for rule in replaced] == [(2, 5.0)]


def test_a_rule_with_a_new_id_is_one_more(tmp_path: Path) -> None:
    text = SHIPPED_RULE.replace("id: antivirus_off", "id: disk_small").replace(
        "posture: protected\n  equals: false\n  evidence: [antivirus]",
        "reading: disk.free\n  below: 1000000000\n  evidence: [disk]",
    )
    (tmp_path / "disk.yaml").write_text(text, encoding="utf-8")
    shipped = {rule.id for rule in rules.load()}
    assert {rule.id for rule in rules.load(tmp_path)} - shipped == {"disk_small"}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("version: 1", "version: 1", "write version 2"),
        ("severity: high", "severity: loud", "severity"),
        ("open_after: 600", "open_after: -1", "open_after"),
        ("open_after: 600", "open_afer: 600", "open_afer"),
        ("close_after: 0", "close_after: 0\nrun: /bin/sh", "unknown field `run`"),
        ("equals: false", "below: 3", "true and false go with"),
        ("equals: false", "equals: false\n  above: 1", "exactly one of equals, below and above"),
        (
            "posture: protected",
            "posture: protected\n  reading: disk.free",
            "exactly one of posture, machine, reading, sighting and watch",
        ),
        ("evidence: [antivirus]", "evidence: []", "evidence"),
        ("title:", "title: x\nunused:", "title"),
        (
            "open_after: 600",
            "open_after: 1:30",
            "$.open_after: Expected `float`, got `str`: 1:30 is a text: write a",
        ),
        (
            "open_after: 600",
            "open_after: 010",
            "$.open_after: Expected `float`, got `str`: 010 is a text: write a",
        ),
        ("open_after: 600", "open_after: 1_000", "$.open_after: Expected"),
        (
            "close_after: 0",
            "close_after: 0\nenabled: no",
            "$.enabled: Expected `bool`, got `str`: no is a text",
        ),
        (
            "clause: ",
            "clause: 2025-12-31\n  x: ",
            "$.source.clause: Expected `str`, got `date`: put it in quotes",
        ),
        ("clause: ", "clause: 12\n  x: ", "put it in quotes, as '12'"),
        ("scope: device", "scope: school", "scope: what one computer reports"),
        ("evidence: [antivirus]", r'evidence: [antivirus, "\uD800"]', "U+D800 is no sign that can be shown"),
        ("clause: ", r'"\0": ', "U+0000 is no sign that can be shown"),
    ],
)
def test_a_mistake_is_an_error_that_names_file_and_place(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert old in SHIPPED_RULE
    text = SHIPPED_RULE.replace(old, new)
    path = tmp_path / "ours.yaml"
    path.write_text(text if "version" in new else text.replace("version: 1", "version: 2"), encoding="utf-8")
    with pytest.raises(SheetError) as caught:
        rules.load(tmp_path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


def test_what_older_yaml_reads_as_numbers_and_truths_is_the_text_that_was_typed(tmp_path: Path) -> None:
    text = (SHIPPED / "arp_spoofed.yaml").read_text(encoding="utf-8")
    told = text.replace("[gateway, own]", "[1:30, 010, no, on, Yes, 0x1F]")
    rule = read(told.encode(), tmp_path / "ours.yaml", "file").rule
    assert rule.condition.detail == {"role": ("1:30", "010", "no", "on", "Yes", "0x1F")}


@pytest.mark.parametrize(
    ("rule", "old", "new", "complaint"),
    [
        ("site_down", "scope: school", "scope: device", "site_down is not about a device"),
        (
            "device_silent",
            "scope: device",
            "scope: school",
            "device_silent is not about a school: write device",
        ),
        ("site_down", "open_after: 1800", "open_after: 1800\nwhen_begun: work_list", "only computers are on"),
        ("quarantine_growth", "frames: 100", "frames: -1", "parameters.frames: write a number from 0 up"),
        (
            "quarantine_growth",
            "frames: 100",
            "frames: 1.0e+19",
            "parameters.frames: write a number from 0 up",
        ),
        ("site_down", "id: site_down\n", 'id: "site_down\\n"\n', "$.id: "),
    ],
)
def test_a_rule_of_a_watch_that_could_never_be_written_down_is_refused(
    tmp_path: Path, rule: str, old: str, new: str, complaint: str
) -> None:
    text = (SHIPPED / f"{rule}.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(SheetError, match=re.escape(complaint)):
        read(text.replace(old, new).encode(), tmp_path / "ours.yaml", "file")


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_a_rule_or_a_plain_error(raw: bytes) -> None:
    with pytest.raises(SheetError):
        parse(raw, Path("x.yaml"), Rule)


def state(*readings: tuple[str, float | None, str]) -> Told:
    told = {key(name, {"of": of}): Value(value, T) for name, value, of in readings}
    return Told(State(told, {}), T, frozenset(name.partition(".")[0] for name, *_ in readings))


FREE = ("disk",)


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        (Condition(FREE, reading="disk.free", below=10.0), [], None),
        (Condition(FREE, reading="disk.free", below=10.0), [5.0], True),
        (Condition(FREE, reading="disk.free", below=10.0), [10.0], False),
        (Condition(FREE, reading="disk.free", above=10.0), [10.0, 11.0], True),
        (Condition(FREE, reading="disk.free", equals=0.0), [0.0], True),
        (Condition(FREE, reading="disk.free", below=10.0), [None, 5.0], True),
        (Condition(FREE, reading="disk.free", below=10.0), [None, 50.0], None),
        (Condition(FREE, reading="disk.free", below=10.0, every=True), [5.0, 6.0], True),
        (Condition(FREE, reading="disk.free", below=10.0, every=True), [5.0, 60.0], False),
        (Condition(FREE, reading="disk.free", below=10.0, every=True), [None, 60.0], False),
        (Condition(FREE, reading="disk.free", below=10.0, every=True), [None, 6.0], None),
    ],
)
def test_a_condition_over_readings(
    condition: Condition, values: list[float | None], expected: bool | None
) -> None:
    seen = state(*(("disk.free", value, str(i)) for i, value in enumerate(values)))
    assert met(condition, seen) is expected
    assert bool(seen.subjects & set(condition.evidence)) is bool(values)


def envelope(*readings: Reading, facts: tuple[Fact, ...] = ()) -> Envelope:
    return Envelope(1, T, "1", readings, facts)


NONE = envelope(Reading("antivirus.products", 0.0), facts=(Fact("os.name", "Debian"),))
FAILED = envelope(Reading("probe.ok", 0.0, {"probe": "antivirus"}))
FINE = envelope(Reading("antivirus.products", 1.0), Reading("antivirus.running", 1.0, {"product": "clamav"}))


def judged_fine(*devices: int) -> dict:
    """The rule's memory of devices that had no fault a while ago."""
    return {subject.device(one): {"antivirus_off": RuleState(T - 3600.0, version=1)} for one in devices}


def test_each_device_has_its_own_memory() -> None:
    rows = [
        (Row(1, 1, T), NONE),
        (Row(2, 2, T), FINE),
        (Row(3, 1, T + 600), NONE),
        (Row(4, 2, T + 600), NONE),
    ]
    _, occurrences = follow([ANTIVIRUS], rows, judged_fine(1))
    assert [(o.subject.id, o.event.kind) for o in occurrences] == [(1, "opened")]


def test_envelopes_that_say_nothing_of_the_subject_are_skipped() -> None:
    changed, _ = follow([ANTIVIRUS], [(Row(1, 1, T), FAILED)], {})
    assert changed == {}
    rows = [(Row(1, 1, T), NONE), (Row(2, 1, T + 300), FAILED), (Row(3, 1, T + 600), NONE)]
    assert [o.event.since for o in follow([ANTIVIRUS], rows, {})[1]] == [T]


def test_only_the_readings_of_the_subject_become_evidence() -> None:
    ((occurrence),) = follow([ANTIVIRUS], [(Row(1, 1, T), NONE), (Row(2, 1, T + 600), NONE)], {})[1]
    assert occurrence.event.last.readings == {"antivirus.products": 0.0}
    assert occurrence.event.last.facts == {}


said = st.sampled_from([NONE, FAILED, FINE])
journal = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 40), said, st.booleans()), max_size=30)


@given(journal, st.lists(st.integers(1, 5), min_size=1, max_size=30))
def test_the_journal_gives_the_same_in_any_batches(entries: list, sizes: list[int]) -> None:
    rows = [
        (Row(number, device, T + minute * 60, late), body)
        for number, (device, minute, body, late) in enumerate(entries)
    ]
    memory, whole = follow([ANTIVIRUS], rows, {})
    kept: dict = {}
    parts, start = [], 0
    while start < len(rows):
        size = sizes[start % len(sizes)]
        changed, occurrences = follow([ANTIVIRUS], rows[start : start + size], kept)
        kept |= changed
        parts += occurrences
        start += size
    assert [(o.subject, o.event) for o in parts] == [(o.subject, o.event) for o in whole]
    assert kept == memory


DAY = 86_400.0
(OLD,) = [rule for rule in rules.load() if rule.id == "signatures_old"]


def frozen(hours_up: float | None, *ages: float | None) -> Envelope:
    """What a PC says so long after its start, whose products' signatures have these ages in days."""
    up = () if hours_up is None else (Reading("uptime.seconds", hours_up * 3600),)
    told = (
        Reading("antivirus.signature_age", None if age is None else age * DAY, {"product": str(number)})
        for number, age in enumerate(ages)
    )
    return Envelope(1, T, "0", (*up, *told))


@pytest.mark.parametrize(
    ("envelope", "verdict"),
    [
        (frozen(0.9, 90), None),
        (frozen(1.0, 90), True),
        (frozen(0.1, 1), False),
        (frozen(None, 90), None),
        (frozen(5, 90, 1), False),
        (frozen(5, 90, None), None),
        (frozen(5, None), None),
        (frozen(5), None),
    ],
)
def test_signatures_are_judged_an_hour_after_a_start(envelope: Envelope, verdict: bool | None) -> None:
    assert met(OLD.condition, hear(envelope, T, {})) is verdict


def test_a_frozen_lab_opens_no_incident_each_morning_and_keeps_what_was_judged() -> None:
    """Three mornings: old for half an hour, then updated; on the fourth the update does not come."""
    days = [(half, 30.0) for half in (0.1, 0.5)], [(1.5, 0.0), (3.0, 0.0)]
    rows = [(day * DAY + up * 3600, up, age) for day in range(3) for part in days for up, age in part]
    rows += [(3 * DAY + up * 3600, up, 30.0) for up in (0.1, 0.5, 1.5, 3.0)]
    rows += [(4 * DAY + up * 3600, up, age) for up, age in ((0.1, 30.0), (0.9, 0.0))]
    entries = [
        (Row(number, 1, T + at), frozen(up, age)) for number, (at, up, age) in enumerate(rows, start=1)
    ]
    _, events = follow([OLD], entries, {})
    assert [(one.event.kind, one.event.at - T) for one in events] == [
        ("opened", 3 * DAY + 1.5 * 3600),
        ("closed", 4 * DAY + 0.9 * 3600),  # updated already before the hour is over: good may be said at once
    ]


def test_an_age_of_before_the_start_is_not_held_against_a_computer() -> None:
    """In a device's merged state readings have times of their own."""
    for hours_ago, settled in ((0.0, True), (1.0, True), (4.5, False), (9.0, False)):
        state = State({"uptime.seconds": Value(5 * 3600.0, T)}, {})
        assert is_settled(state, "updates.age", T - hours_ago * 3600) is settled
        assert is_settled(state, "disk.free", T - hours_ago * 3600)


def shipped(id_: str) -> Rule:
    return next(rule for rule in rules.load() if rule.id == id_)


UP, JUST_UP = Reading("uptime.seconds", 7200.0), Reading("uptime.seconds", 60.0)


def firewall(on: float | None, source: str = "active") -> Reading:
    return Reading("firewall.enabled", on, {"source": source, "profile": "public"})


def backup(product: str, days: float) -> Reading:
    return Reading("backup.age", days * DAY, {"product": product})


@pytest.mark.parametrize(
    ("rule", "readings", "verdict"),
    [
        ("firewall_off", [firewall(0.0)], True),
        ("firewall_off", [firewall(1.0)], False),
        ("firewall_off", [firewall(None)], None),
        ("firewall_off", [firewall(0.0, "policy")], None),
        ("updates_old", [UP, Reading("updates.last_installed_age", 32 * DAY)], True),
        ("updates_old", [UP, Reading("updates.last_installed_age", 31 * DAY)], False),
        ("updates_old", [JUST_UP, Reading("updates.last_installed_age", 99 * DAY)], None),
        ("updates_old", [JUST_UP, Reading("updates.last_installed_age", DAY)], False),
        ("updates_old", [UP, Reading("updates.last_installed_age", None)], None),
        ("autorun_on", [Reading("autorun.enabled", 1.0, {"drive": "removable"})], True),
        ("autorun_on", [Reading("autorun.enabled", 0.0, {"drive": "removable"})], False),
        ("autorun_on", [Reading("autorun.automount", 1.0)], False),
        ("disk_failing", [Reading("disk_health.failure_predicted", 1.0, {"disk": "0"})], True),
        ("disk_failing", [Reading("disk_health.failure_predicted", 0.0, {"disk": "0"})], False),
        ("backup_old", [backup("x", 8)], True),
        ("backup_old", [backup("x", 8), backup("y", 1)], False),
        ("malware_found", [Reading("antivirus.detections", 2.0, {"product": "defender"})], True),
        ("malware_found", [Reading("antivirus.detections", 0.0, {"product": "defender"})], False),
        ("malware_found", [Reading("antivirus.detections", None, {"product": "defender"})], None),
        (
            "realtime_off",
            [
                Reading("antivirus.running", 1.0, {"product": "defender"}),
                Reading("antivirus.realtime", 0.0, {"product": "defender"}),
            ],
            True,
        ),
        (
            "realtime_off",
            [
                Reading("antivirus.running", 0.0, {"product": "defender"}),
                Reading("antivirus.realtime", 0.0, {"product": "defender"}),
            ],
            None,  # nothing runs: that is another rule's
        ),
    ],
)
def test_each_shipped_rule_reads_what_computers_tell(
    rule: str, readings: list[Reading], verdict: bool | None
) -> None:
    chosen = shipped(rule)
    assert met(chosen.condition, hear(envelope(*readings), T, {})) is verdict
    assert hear(envelope(*readings), T, {}).subjects & set(chosen.condition.evidence)


def test_malware_is_an_incident_also_on_a_computer_that_has_just_come() -> None:
    found = envelope(Reading("antivirus.detections", 1.0, {"product": "defender"}))
    ((occurrence),) = follow([shipped("malware_found")], [(Row(1, 1, T), found)], {})[1]
    assert occurrence.event.kind == "opened"
    stick = envelope(Reading("autorun.enabled", 1.0, {"drive": "removable"}))
    ((occurrence),) = follow([shipped("autorun_on")], [(Row(1, 1, T), stick)], {})[1]
    assert occurrence.event.kind == "listed"
