"""References: the lines a school's bandwidth is compared with, definitions, and evidence for controls."""

from schoolwatch_contract.catalogue import FACTS, METRICS
from schoolwatch_server import packs
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.packs.reference import Reference


def reference(name: str) -> Reference:
    found = packs.load().reference(name)
    assert found is not None
    return found


def test_the_un_itu_line_has_no_gap_between_small_and_large_schools() -> None:
    """20 Mbit/s up to 400 students, 50 kbit/s for each of more."""
    small, large = (reference("bandwidth").entry(f"un_itu_{name}") for name in ("school", "student"))
    assert small is not None
    assert large is not None
    assert (small.value, small.unit, small.students_up_to, small.students_above) == (20, "Mbit/s", 400, None)
    assert (large.value, large.unit) == (50, "kbit/s/student")
    assert (large.students_up_to, large.students_above) == (None, 400)
    assert small.value == large.value * 400 / 1000
    assert small.confidence == large.confidence == "V-2nd"


def test_no_vietnamese_number_is_given_for_bandwidth() -> None:
    entry = reference("bandwidth").entry("qcvn_34")
    assert entry is not None
    assert (entry.value, entry.confidence) == (None, "NF")


def test_the_definitions_of_uis_say_how_sure_they_are() -> None:
    sure = {entry.id: entry.confidence for entry in reference("uis").entries}
    assert sure == {"ed4": "V-2nd", "ed4bis": "V-2nd", "ed25": "U", "ed27": "U"}


def test_every_signal_of_the_evidence_map_is_measured() -> None:
    known = {*METRICS, *FACTS}
    for entry in reference("tcvn14423").entries:
        assert set(entry.signals) <= known, entry.id
        assert entry.confidence == "V-2nd"
        assert entry.clause


def test_what_references_and_criteria_are_shown_by_is_there() -> None:
    indicators = {indicator.id for indicator in INDICATORS}
    loaded = packs.load()
    named = [entry.indicator for one in loaded.references for entry in one.entries]
    named += [criterion.indicator for one in loaded.criteria for criterion in one.criteria]
    assert {name for name in named if name} <= indicators
