"""What one computer's readings say of it: hand-made states, one for each quirk of a real machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import machines
from schoolwatch_contract.records import Envelope
from schoolwatch_server.posture import ANTIVIRUS_MAX, issued, posture
from schoolwatch_server.state import State, Text, Value, key, merge

AT = 1_800_000_000.0


def state(*readings: tuple, facts: tuple = ()) -> State:
    """Readings as (metric, value, labels…); facts as (name, value, labels…)."""
    return State(
        {key(metric, dict(labels)): Value(value, AT) for metric, value, *labels in readings},
        {key(name, dict(labels)): Text(value, "", AT) for name, value, *labels in facts},
    )


def running(product: str, value: float | None) -> tuple:
    return ("antivirus.running", value, ("product", product))


@pytest.mark.parametrize(
    ("readings", "protected"),
    [
        ([], None),
        ([("antivirus.products", 0.0)], False),
        ([("antivirus.products", 1.0), running("clamav", 1.0)], True),
        ([("antivirus.products", 1.0), running("clamav", 0.0)], False),
        ([("antivirus.products", 1.0), running("clamav", None)], None),
        ([("antivirus.products", None)], None),
        ([("antivirus.products", 1.0)], None),
        # Windows: Defender passive or not running beside another product is how it should be
        ([("antivirus.products", 2.0), running("defender", 0.0), running("kaspersky", 1.0)], True),
        ([("antivirus.products", 2.0), running("defender", None), running("kaspersky", 1.0)], True),
        ([("antivirus.products", 2.0), running("defender", 0.0), running("kaspersky", 0.0)], False),
        ([("antivirus.products", 2.0), running("defender", 0.0), running("kaspersky", None)], None),
        # a second product that was counted, and of which nothing else is known
        ([("antivirus.products", 2.0), running("defender", 0.0)], None),
        ([running("clamav", 0.0)], False),
        ([("antivirus.products", None), running("clamav", 0.0)], None),
    ],
)
def test_protected_is_true_false_or_unknown(readings: list[tuple], protected: bool | None) -> None:
    assert posture(state(*readings)).protected is protected


@pytest.mark.parametrize(
    ("rungs", "highest"),
    [
        ([], None),
        ([0.0], -1),
        ([None], None),
        ([1.0, 0.0], 0),
        ([1.0, 1.0, 1.0, 0.0, 1.0], 2),
        ([1.0, 1.0, 1.0, 1.0, 1.0], 4),
        ([1.0, 1.0, None, 1.0, 1.0], None),
        ([1.0, 0.0, None, None, None], 0),
        ([1.0, 1.0, 1.0], None),
    ],
)
def test_the_highest_rung_has_all_below_it(rungs: list[float | None], highest: int | None) -> None:
    readings = [("ipv6.rung", value, ("rung", str(rung))) for rung, value in enumerate(rungs)]
    assert posture(state(*readings)).ipv6_rung == highest


def nic(name: str, up: float | None, speed: float | None) -> list[tuple]:
    return [("link.up", up, ("nic", name)), ("link.speed", speed, ("nic", name))]


WIRED = ("link.medium", "wired", ("nic", "eth0"))
WIRED_TOO = ("link.medium", "wired", ("nic", "eth1"))
WIRELESS = ("link.medium", "wireless", ("nic", "wlan0"))


@pytest.mark.parametrize(
    ("readings", "facts", "speed", "medium"),
    [
        ([], [], None, None),
        (nic("eth0", 1.0, 1e9), [WIRED], 1e9, "wired"),
        (nic("eth0", 1.0, 1e8) + nic("wlan0", 1.0, 3e8), [WIRED, WIRELESS], 1e8, "wired"),
        (nic("eth0", 0.0, 1e9) + nic("wlan0", 1.0, 3e8), [WIRED, WIRELESS], 3e8, "wireless"),
        (nic("eth0", 1.0, 1e8) + nic("eth1", 1.0, 1e9), [WIRED, WIRED_TOO], 1e9, "wired"),
        (nic("eth0", 1.0, None) + nic("wlan0", 1.0, 3e8), [WIRED, WIRELESS], None, "wired"),
        (nic("eth0", 1.0, 0.0), [WIRED], None, "wired"),
        (nic("eth0", 1.0, -1e6), [WIRED], None, "wired"),
        (nic("eth0", None, 1e9), [WIRED], None, None),
        (nic("eth0", 0.0, 1e9), [WIRED], None, None),
        (nic("eth0", 1.0, 1e9), [], 1e9, None),
    ],
)
def test_the_fastest_link_in_use_counts_wired_first(
    readings: list[tuple], facts: list[tuple], speed: float | None, medium: str | None
) -> None:
    seen = posture(state(*readings, facts=tuple(facts)))
    assert (seen.link_speed, seen.link_medium) == (speed, medium)


numbers = st.none() | st.sampled_from([0.0, 1.0, 2.0, -1.0, 1e9])
names = st.sampled_from(["antivirus.running", "antivirus.products", "ipv6.rung", "link.up", "link.speed"])
labels = st.dictionaries(st.sampled_from(["product", "rung", "nic"]), st.sampled_from(["0", "1", "2"]))


@given(st.dictionaries(st.builds(key, names, labels), st.builds(Value, numbers, st.just(AT))))
def test_any_state_has_a_posture_within_its_range(readings: dict[str, Value]) -> None:
    seen = posture(State(readings, {}))
    assert seen.ipv6_rung is None or -1 <= seen.ipv6_rung <= 4
    assert seen.link_speed is None or seen.link_speed > 0
    if seen.protected:
        assert any(k.startswith("antivirus.running") and v.value == 1 for k, v in readings.items())


def name(product: str, value: str) -> tuple:
    return ("antivirus.name", value, ("product", product))


COUNTED = ("antivirus.products", 1.0)


@pytest.mark.parametrize(
    ("readings", "facts", "names", "verdict"),
    [
        ([COUNTED, running("clamav", 1.0)], [], ["ClamAV"], True),
        (
            [COUNTED, running("kav", 1.0)],
            [name("kav", "Kaspersky Endpoint Security")],
            ["kaspersky  END"],
            True,
        ),
        ([COUNTED, running("bkav", 1.0)], [name("bkav", "Bkav Endpoint")], ["Kaspersky", "BKAV"], True),
        ([COUNTED, running("clamav", 1.0)], [], ["Kaspersky"], False),
        ([COUNTED, running("clamav", 0.0)], [], ["ClamAV"], False),
        ([("antivirus.products", 0.0)], [], ["ClamAV"], False),
        # nothing is said of what nobody configured, and nothing is guessed
        ([COUNTED, running("clamav", 1.0)], [], [], None),
        ([], [], ["ClamAV"], None),
        ([("antivirus.products", None)], [], ["ClamAV"], None),
        ([COUNTED, running("clamav", None)], [], ["ClamAV"], None),
        ([("antivirus.products", 2.0), running("clamav", 1.0)], [], ["Kaspersky"], None),
        ([("antivirus.products", 2.0), running("clamav", 1.0)], [], ["ClamAV"], True),
        ([("antivirus.products", None), running("defender", 1.0)], [], ["Kaspersky"], None),
        # Defender steps back beside the issued product, and takes over when that one is only left behind
        ([("antivirus.products", 2.0), running("defender", 0.0), running("kav", 1.0)], [], ["kav"], True),
        ([("antivirus.products", 2.0), running("defender", 1.0), running("kav", 0.0)], [], ["kav"], False),
    ],
)
def test_the_issued_antivirus_runs_or_not_or_is_unknown(
    readings: list[tuple], facts: list[tuple], names: list[str], verdict: bool | None
) -> None:
    seen = posture(state(*readings, facts=tuple(facts)))
    assert issued(seen.antivirus, names) is verdict


def test_a_device_with_endless_products_fills_no_table() -> None:
    many = [running(f"product-{number}", 1.0) for number in range(500)]
    seen = posture(state(("antivirus.products", 500.0), *many))
    assert seen.antivirus is not None
    assert len(seen.antivirus) <= ANTIVIRUS_MAX + 2
    assert issued(seen.antivirus, ["Kaspersky"]) is None, "what was cut off may hold it"


@pytest.mark.parametrize(
    ("machine", "protected"),
    [
        ("antivirus-defender-passive", True),
        ("antivirus-defender-passive-mode", True),
        ("antivirus-defender-sxs-passive", True),
        ("antivirus-defender-edr-block", True),
        ("antivirus-kaspersky-defender-not-running", True),
        ("antivirus-stale-entry", True),
        ("server2019-no-security-center", True),
    ],
)
def test_what_windows_says_of_antivirus_is_judged_as_it_is_meant(machine: str, protected: bool) -> None:
    observed = machines.look("antivirus", f"windows/{machine}")
    seen = merge(State(), Envelope(1, AT, "0", observed.readings, observed.facts), AT)
    assert posture(seen).protected is protected
