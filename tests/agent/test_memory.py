from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_agent import memory
from schoolwatch_agent.memory import Memory
from schoolwatch_agent.probe import Observed, Probe
from schoolwatch_contract.records import Fact, Reading, Sighting

NOW = 1_800_000_000.0
PROBE = Probe("antivirus", 300, lambda _: (), frozenset({"antivirus.running"}))
OK = Reading("probe.ok", 1.0, {"probe": "antivirus"})
FAILED = Reading("probe.ok", 0.0, {"probe": "antivirus"})
NAME = Fact("antivirus.name", "ClamAV", {"product": "clamav"})


def learn(
    known: Memory,
    readings: Iterable[Reading] = (),
    facts: Iterable[Fact] = (),
    sightings: Iterable[Sighting] = (),
    now: float = NOW,
    generation: str = "a",
) -> tuple[tuple[Fact | Sighting, ...], Memory]:
    observed = Observed(tuple(readings), tuple(facts), tuple(sightings))
    told, known = memory.learn(known, PROBE, observed, now=now, generation=generation)
    return told, msgspec.structs.replace(known, generation=generation)


def settled(known: Memory) -> Memory:
    return msgspec.structs.replace(known, urgent=False)


@pytest.fixture
def known() -> Memory:
    return settled(learn(Memory(), [OK, Reading("antivirus.running", 1.0)], [NAME])[1])


def test_a_fact_is_told_once_and_then_once_a_day(known: Memory) -> None:
    readings = [OK, Reading("antivirus.running", 1.0)]
    told, after = learn(known, readings, [NAME], now=NOW + 300)
    assert told == ()
    assert not after.urgent
    told, after = learn(after, readings, [NAME], now=NOW + memory.REPEAT)
    assert told == (NAME,)
    assert not after.urgent
    assert learn(after, readings, [NAME], now=NOW + memory.REPEAT + 300)[0] == ()


def test_a_changed_fact_is_told_at_once(known: Memory) -> None:
    changed = Fact("antivirus.name", "Kaspersky", {"product": "clamav"})
    told, after = learn(known, [OK, Reading("antivirus.running", 1.0)], [changed], now=NOW + 300)
    assert told == (changed,)
    assert after.urgent


@pytest.mark.parametrize("readings", [[OK], []], ids=["worked", "not here"])
def test_a_fact_that_went_is_told_gone_once(known: Memory, readings: list[Reading]) -> None:
    told, after = learn(known, readings, [], now=NOW + 300)
    assert told == (Fact("antivirus.name", None, {"product": "clamav"}, "gone"),)
    assert after.urgent
    assert learn(after, readings, [], now=NOW + 600)[0] == ()


def test_what_a_failed_probe_does_not_say_is_not_gone(known: Memory) -> None:
    why = Fact("probe.failure", "TimedOut", {"probe": "antivirus"})
    told, after = learn(known, [FAILED], [why], now=NOW + 300)
    assert told == (why,)
    assert settled(after).watched == known.watched
    told, after = learn(after, [OK, Reading("antivirus.running", 1.0)], [NAME], now=NOW + 600)
    assert told == (Fact("probe.failure", None, {"probe": "antivirus"}, "gone"),)


def test_a_watched_reading_that_changes_is_urgent_and_another_is_not(known: Memory) -> None:
    same = [OK, Reading("antivirus.running", 1.0), Reading("antivirus.signature_age", 9.0)]
    assert not learn(known, same, [NAME], now=NOW + 300)[1].urgent
    for value in (0.0, None):
        assert learn(known, [OK, Reading("antivirus.running", value)], [NAME], now=NOW + 300)[1].urgent


def test_a_sighting_is_urgent(known: Memory) -> None:
    seen = [Sighting("dhcp.offer", "x")]
    assert learn(known, [OK, Reading("antivirus.running", 1.0)], [NAME], seen, now=NOW + 300)[1].urgent


def test_urgent_stays_until_delivered(known: Memory) -> None:
    _, after = learn(known, [OK, Reading("antivirus.running", 0.0)], [NAME], now=NOW + 300)
    _, after = learn(after, [OK, Reading("antivirus.running", 0.0)], [NAME], now=NOW + 600)
    assert after.urgent


def test_in_a_new_generation_every_probe_runs_and_every_fact_is_told(known: Memory) -> None:
    woken = memory.wake(known, "b")
    assert woken.ran == {}
    told, after = learn(woken, [OK, Reading("antivirus.running", 1.0)], [NAME], now=NOW + 9, generation="b")
    assert told == (NAME,)
    assert not after.urgent
    assert memory.wake(after, "b") is after


def test_a_clock_set_back_tells_facts_again(known: Memory) -> None:
    assert learn(known, [OK, Reading("antivirus.running", 1.0)], [NAME], now=NOW - 9)[0] == (NAME,)


def test_a_sighting_is_told_once_as_long_as_it_is_shown() -> None:
    one, two = (Sighting("dhcp.offer", "a" * 32, {"nic": "eth0"}, NOW - age) for age in (60.0, 30.0))
    told, known = learn(Memory(), [OK], sightings=[one])
    assert told == (one,)
    assert known.urgent
    told, known = learn(settled(known), [OK], sightings=[one, two])
    assert told == (two,)
    assert known.urgent
    told, known = learn(settled(known), [FAILED])
    assert told == ()
    told, known = learn(known, [OK], sightings=[one, two])
    assert told == ()
    assert not known.urgent
    assert learn(learn(known, [OK])[1], [OK], sightings=[one])[0] == (one,), "what is gone is forgotten"


def test_memory_survives_its_encoding(known: Memory) -> None:
    assert memory.decode(memory.encode(known)) == known


@given(st.binary())
def test_any_bytes_are_a_memory(text: bytes) -> None:
    assert isinstance(memory.decode(text), Memory)


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_a_key_gives_back_name_and_labels(name: str, labels: dict[str, str]) -> None:
    name = name.replace("{", "")
    assert memory.parse_key(memory.key(name, labels)) == (name, labels)
