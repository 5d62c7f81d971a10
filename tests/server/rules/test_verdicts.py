"""Each shipped rule of a computer: when it is met, when not, and when that is not known."""

from collections.abc import Iterable
from random import Random
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import Row
from schoolwatch_contract.records import Envelope, Fact, Reading
from schoolwatch_server import lifecycle, rules
from schoolwatch_server.rules.condition import met, met_worse
from schoolwatch_server.rules.follow import follow
from schoolwatch_server.rules.rule import Condition
from schoolwatch_server.rules.told import Given, Told, hear, recall
from schoolwatch_server.rules.verdicts import MACHINE, POSTURE
from schoolwatch_server.state import State, merge

T = 1_795_000_000.0  # November 2026
DAY = 86_400.0
GIVEN = Given(("Kaspersky", "Bkav Pro"), lifecycle.load())
RULES = {rule.id: rule for rule in rules.load()}
GB = 1e9


def envelope(*told: Reading | Fact) -> Envelope:
    readings = tuple(one for one in told if isinstance(one, Reading))
    return Envelope(1, T, "1", readings, tuple(one for one in told if isinstance(one, Fact)))


def runs(product: str, name: str = "", running: float | None = 1.0) -> list[Reading | Fact]:
    labels = {"product": product}
    named: list[Reading | Fact] = [Fact("antivirus.name", name, labels)] if name else []
    return [Reading("antivirus.running", running, labels), *named]


def products(number: float | None) -> Reading:
    return Reading("antivirus.products", number)


def disk(free: float | None, size: float | None, mount: str = "C:\\") -> list[Reading | Fact]:
    labels = {"mount": mount}
    return [Reading("disk.size", size, labels), Reading("disk.free", free, labels)]


def way_in(name: str, on: float | None, source: str) -> Reading:
    return Reading(f"remote_access.{name}", on, {"source": source})


def system(name: str, version: str, edition: str | None = None, build: str | None = None) -> list[Fact]:
    told = {"name": name, "version": version, "edition": edition, "build": build}
    return [Fact(f"os.{what}", value) for what, value in told.items() if value is not None]


def cable(
    speed: float | None = 1e9, *, nic: str = "eth0", medium: str = "wired", duplex: str | None = None
) -> list[Reading | Fact]:
    labels = {"nic": nic}
    told: list[Reading | Fact] = [Reading("link.up", 1.0, labels), Reading("link.speed", speed, labels)]
    told.append(Fact("link.medium", medium, labels))
    return [*told, Fact("link.duplex", duplex, labels)] if duplex else told


def carried(errors: float | None, octets: float = 1e9) -> list[Reading | Fact]:
    numbers = {"in_octets": octets, "out_octets": octets, "in_errors": errors, "out_errors": 0.0}
    return cable() + [Reading(f"link.{name}", value, {"nic": "eth0"}) for name, value in numbers.items()]


def closed(login: float | None, guest: float | None, without: float | None) -> list[Reading]:
    told = {"auto_login": login, "guest_enabled": guest, "without_password": without}
    return [Reading(f"accounts.{name}", value) for name, value in told.items()]


CASES: list[tuple[str, Iterable[Reading | Fact], bool | None]] = [
    ("antivirus_other", [products(1.0), *runs("avast", "Avast")], True),
    ("antivirus_other", [products(1.0), *runs("kaspersky-free", "Kaspersky Free")], False),
    ("antivirus_other", [products(1.0), *runs("bkav-pro", "Bkav Pro")], False),
    ("antivirus_other", [products(2.0), *runs("avast", "Avast"), *runs("kaspersky", "Kaspersky")], False),
    ("antivirus_other", [products(None), *runs("defender", "Microsoft Defender")], None),  # a server's list
    ("antivirus_other", [products(1.0), *runs("avast", "Avast", running=0.0)], None),  # another rule's
    ("antivirus_other", [products(0.0)], None),
    ("disk_full", disk(1.9 * GB, 250 * GB), True),
    ("disk_full", disk(9 * GB, 250 * GB), True),
    ("disk_full", disk(11 * GB, 250 * GB), None),  # neither full nor over
    ("disk_full", disk(16 * GB, 250 * GB), False),
    ("disk_full", disk(3 * GB, 32 * GB), None),
    ("disk_full", disk(5 * GB, 32 * GB), False),
    ("disk_full", disk(1 * GB, 8 * GB, "/"), True),
    ("disk_full", disk(1 * GB, 500 * GB, "D:\\"), None),  # a data volume is its owner's affair
    ("disk_full", disk(None, None), None),
    ("rdp_open", [way_in("rdp", 1.0, "local"), way_in("rdp_nla", 0.0, "local")], True),
    ("rdp_open", [way_in("rdp", 1.0, "local"), way_in("rdp_nla", 1.0, "local")], False),
    ("rdp_open", [way_in("rdp", 0.0, "local"), way_in("rdp_nla", 0.0, "local")], False),
    ("rdp_open", [way_in("rdp", 1.0, "local"), way_in("rdp_nla", None, "local")], None),
    (
        "rdp_open",
        [way_in("rdp", 0.0, "policy"), way_in("rdp", 1.0, "local"), way_in("rdp_nla", 0.0, "local")],
        False,  # group policy wins
    ),
    (
        "rdp_open",
        [way_in("rdp", 1.0, "local"), way_in("rdp_nla", 1.0, "local"), way_in("rdp_nla", 0.0, "policy")],
        True,
    ),
    ("smb1_on", [way_in("smb1", 1.0, "server")], True),
    ("smb1_on", [way_in("smb1", 0.0, "server"), way_in("smb1", 1.0, "client")], False),
    ("smb1_on", [way_in("smb1", None, "server"), way_in("smb1", 1.0, "feature")], None),
    ("accounts_open", closed(0.0, 0.0, 1.0), True),
    ("accounts_open", closed(1.0, None, None), True),
    ("accounts_open", closed(0.0, 0.0, 0.0), False),
    ("accounts_open", closed(0.0, None, 0.0), None),
    ("system_unsupported", system("Windows 10 Pro", "22H2", "Professional", "19045.6456"), True),
    ("system_unsupported", system("Windows 10 Pro", "22H2", "Professional", "19045.7400"), False),  # ESU
    ("system_unsupported", system("Windows 10 Pro", "22H2", "Professional"), None),
    ("system_unsupported", system("Windows 10 Enterprise LTSC", "21H2", "EnterpriseS", "19044.1"), False),
    ("system_unsupported", system("Windows 10 Pro", "22H2", "SomethingNew", "19045.1"), None),
    ("system_unsupported", system("Windows 11 Pro", "25H2", "Professional", "26200.1"), False),
    ("system_unsupported", system("Windows 7 Professional", "", "Professional"), True),
    ("system_unsupported", system("Debian GNU/Linux", "10"), True),
    ("system_unsupported", system("Debian GNU/Linux", "12"), False),
    ("system_unsupported", system("Haiku", "R1"), None),
    ("system_unsupported", [Fact("os.build", "19045.6456")], None),
    ("sensor_deaf", [Reading("sensor.up", 0.0, {"nic": "lan0"})], True),
    ("sensor_deaf", [Reading("sensor.up", 1.0, {"nic": "a"}), Reading("sensor.up", 0.0, {"nic": "b"})], True),
    ("sensor_deaf", [Reading("sensor.up", 1.0, {"nic": "lan0"})], False),
    ("sensor_deaf", [Reading("sensor.up", None, {"nic": "lan0"})], None),
    ("link_slow", cable(1e8), True),
    ("link_slow", cable(1e9), False),
    ("link_slow", cable(2.5e9), False),
    ("link_slow", cable(1e7), None),  # the next rule's
    ("link_slow", cable(None), None),
    ("link_slow", cable(1e8, medium="wireless"), None),
    ("link_slow", [*cable(1e8, nic="a"), *cable(1e9, nic="b")], False),
    ("link_very_slow", cable(1e7), True),
    ("link_very_slow", cable(1e8), False),
    ("link_very_slow", cable(1e7, medium="wireless"), None),
    ("link_half_duplex", cable(duplex="half"), True),
    ("link_half_duplex", cable(duplex="full"), False),
    ("link_half_duplex", cable(), None),
    ("link_errors", carried(3_000.0), True),
    ("link_errors", carried(1_500.0), None),  # between the two limits
    ("link_errors", carried(100.0), False),
    ("link_errors", carried(900.0, octets=1e6), None),  # too few to say so
    ("link_errors", carried(None), None),
]


@pytest.mark.parametrize(("rule", "told", "verdict"), CASES)
def test_what_a_computer_tells_meets_the_rule_or_not(
    rule: str, told: list[Reading | Fact], verdict: bool | None
) -> None:
    found = hear(envelope(*told), T, {}, GIVEN)
    assert found.subjects & set(RULES[rule].condition.evidence)
    assert met(RULES[rule].condition, found) is verdict


def test_each_rule_of_a_computer_is_tried_with_all_three_answers() -> None:
    """Those that came first are in test_rules."""
    tried = {rule for rule, *_ in CASES}
    for rule in tried:
        assert {verdict for name, _, verdict in CASES if name == rule} == {True, False, None}
    new = {rule.id for rule in RULES.values() if rule.condition.machine or rule.condition.reading}
    early = {"autorun_on", "backup_old", "disk_failing", "firewall_off", "malware_found", "realtime_off"}
    assert new - tried == early | {"signatures_old", "updates_old"}


def test_nobody_named_a_product_or_a_system_and_nothing_is_bad() -> None:
    for rule, told, verdict in CASES:
        if rule in ("antivirus_other", "system_unsupported") and verdict:
            assert met(RULES[rule].condition, hear(envelope(*told), T, {})) is None


def test_a_reading_is_judged_with_the_facts_that_were_told_before() -> None:
    """A name comes once a day: the readings in between are judged all the same, and the same way."""
    first = envelope(products(1.0), *runs("bkav-pro", "Bkav Pro"))
    later = envelope(products(1.0), *runs("bkav-pro"))
    told = recall(first, T, {})
    assert met(RULES["antivirus_other"].condition, hear(later, T + DAY, told, GIVEN)) is False
    assert recall(later, T + 60, told) is told, "nothing new was told"
    assert met(RULES["antivirus_other"].condition, hear(later, T + 2 * DAY, told, GIVEN)) is True


def test_an_older_fact_does_not_replace_a_newer_one() -> None:
    told = recall(envelope(*system("Windows 11 Pro", "25H2")), T, {})
    assert recall(envelope(*system("Windows 10 Pro", "22H2")), T - 60, told) is told


def play(rule: str, *steps: tuple[float, list[Reading | Fact]]) -> list[tuple[str, str, float]]:
    """Kind, severity and hour of what happens to a new computer that says so much at such hours."""
    rows = [(Row(n, 1, T + hour * 3600), envelope(*told)) for n, (hour, told) in enumerate(steps, 1)]
    _, occurrences = follow([RULES[rule]], rows, {}, GIVEN)
    return [(o.event.kind, o.event.severity, (o.event.at - T) / 3600) for o in occurrences]


def old(days: float) -> list[Reading | Fact]:
    age = Reading("antivirus.signature_age", days * DAY, {"product": "x"})
    return [Reading("uptime.seconds", 7200.0), age]


def test_signatures_of_one_week_and_of_two_are_one_incident() -> None:
    days = [(day * 24.0, old(day)) for day in (1, 7.5, 9, 14.5, 16)]
    assert play("signatures_old", *days, (400.0, old(0))) == [
        ("opened", "medium", 180.0),
        ("worsened", "high", 348.0),
        ("closed", "high", 400.0),
    ]


def test_a_computer_that_comes_back_with_signatures_of_three_weeks_is_serious_at_once() -> None:
    assert play("signatures_old", (0, old(1)), (500, old(21)), (501, old(22))) == [("opened", "high", 500.0)]


def test_a_cable_that_was_never_faster_is_no_fault_and_one_that_fell_is() -> None:
    slow, fast = cable(1e8), cable(1e9)
    assert play("link_slow", (0, slow), (1, slow), (30, slow)) == []
    risen = [(0, slow), (1, slow), (2, fast), (3, slow), (4, slow)]
    assert play("link_slow", *risen) == [("opened", "low", 4.0)]
    assert play("link_slow", (0, fast), (1, slow), (1.5, slow)) == [], "a short fall"
    assert play("link_slow", (0, fast), (1, slow), (2, slow), (3, fast)) == [
        ("opened", "low", 2.0),
        ("closed", "low", 3.0),
    ]


def test_the_day_on_which_support_ends_raises_no_alarm() -> None:
    """On 15 October 2025 half a province's computers were out of support at once."""
    before, after = 1_760_374_800.0, 1_760_547_600.0
    told = envelope(*system("Windows 10 Pro", "22H2", "Professional", "19045.6456"))
    rows = [(Row(1, 1, before), told), (Row(2, 1, after), told)]
    ((occurrence),) = follow([RULES["system_unsupported"]], rows, {}, GIVEN)[1]
    assert (occurrence.event.kind, occurrence.event.at) == ("listed", after)


def test_a_disk_that_swings_around_its_limit_is_one_incident() -> None:
    free = [20, 9, 9, 11, 9, 14, 9, 16]
    hours = [(float(hour), disk(gigabytes * GB, 250 * GB)) for hour, gigabytes in enumerate(free)]
    assert play("disk_full", *hours) == [("opened", "medium", 2.0), ("closed", "medium", 7.0)]


def test_a_condition_may_name_each_verdict_and_no_other() -> None:
    hints = get_type_hints(Condition)
    assert set(get_args(get_args(hints["machine"])[0])) == MACHINE.keys()
    assert set(get_args(get_args(hints["posture"])[0])) == POSTURE.keys()


HOURS = st.integers(0, 40)
TOLD = st.sampled_from([tuple(told) for _, told, _ in CASES] + [tuple(old(days)) for days in (1, 8, 20)])
JOURNAL = st.lists(st.tuples(st.integers(1, 3), HOURS, TOLD, st.booleans()), max_size=20)


@settings(max_examples=40, deadline=None)
@given(JOURNAL, st.randoms(use_true_random=False), st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_how_devices_alternate_and_how_rows_are_batched_changes_nothing(
    entries: list[tuple[int, int, tuple[Reading | Fact, ...], bool]], chance: Random, sizes: list[int]
) -> None:
    """All shipped rules: of each device its rows keep their order, as the journal keeps it."""
    rows = [
        (Row(number, device, T + hour * 3600, late), envelope(*told))
        for number, (device, hour, told, late) in enumerate(entries, 1)
    ]
    every = tuple(RULES.values())
    memory, whole = follow(every, rows, {}, GIVEN)
    queues = {device: [pair for pair in rows if pair[0].device_id == device] for device in (1, 2, 3)}
    mixed = []
    while left := [device for device, queue in queues.items() if queue]:
        mixed.append(queues[chance.choice(left)].pop(0))
    kept: dict = {}
    parts, start = [], 0
    while start < len(mixed):
        size = sizes[start % len(sizes)]
        changed, occurrences = follow(every, mixed[start : start + size], kept, GIVEN)
        kept |= changed
        parts += occurrences
        start += size
    assert kept == memory
    for device in (1, 2, 3):
        of = [(o.rule.id, o.event) for o in parts if o.subject.id == device]
        assert of == [(o.rule.id, o.event) for o in whole if o.subject.id == device]


@settings(max_examples=60, deadline=None)
@given(st.lists(TOLD, min_size=1, max_size=3), st.lists(TOLD, max_size=2))
def test_a_verdict_that_looks_at_its_readings_alone_is_that_of_the_whole_state(
    now: list[tuple[Reading | Fact, ...]], before: list[tuple[Reading | Fact, ...]]
) -> None:
    """All shipped rules, on what a computer tells of several things at once, beside facts told before."""
    told = envelope(*(record for part in now for record in part))
    recalled = recall(envelope(*(record for part in before for record in part)), T - 3600, {})
    heard = hear(told, T, recalled, GIVEN)
    whole = Told(merge(State({}, recalled), told, T), T, heard.subjects, GIVEN)
    assert dict(heard.state.readings.items()) == whole.state.readings
    assert heard.state.facts == whole.state.facts
    for rule in RULES.values():
        assert met(rule.condition, heard) is met(rule.condition, whole), rule.id
        assert met_worse(rule, heard) is met_worse(rule, whole), rule.id
