import math

from hypothesis import given, settings
from hypothesis import strategies as st

from schoolwatch_agent import fit
from schoolwatch_contract import envelope
from schoolwatch_contract.records import Envelope, Fact, Reading, Sighting

NOW = 1_800_000_000.0
ANY_TEXT = st.text(st.characters(), max_size=900)  # lone surrogates too
LABELS = st.dictionaries(st.sampled_from(["nic", "mount"]) | ANY_TEXT, ANY_TEXT, max_size=10)
NAMES = st.sampled_from(["link.speed", "probe.ok", "Bad Name", ""])
RECORDS = st.one_of(
    st.builds(Reading, NAMES, st.none() | st.floats(), LABELS),
    st.builds(Fact, NAMES, st.none() | ANY_TEXT, LABELS, ANY_TEXT),
    st.builds(Sighting, NAMES, ANY_TEXT, LABELS, st.none() | st.floats()),
)


def decoded(bodies: tuple[bytes, ...]) -> list[Envelope]:
    return [envelope.decode(body) for body in bodies]


def test_nothing_seen_is_still_an_envelope() -> None:
    (empty,) = decoded(fit.bodies(NOW, "0.1.0", ()))
    assert empty == Envelope(1, NOW, "0.1.0")


@settings(max_examples=200)
@given(st.lists(RECORDS, max_size=20), st.floats(allow_nan=False))
def test_whatever_was_seen_the_server_takes_what_is_sent(records: list[fit.Record], now: float) -> None:
    assert decoded(fit.bodies(now, "0.1.0", records))


def test_one_bad_record_costs_only_itself() -> None:
    good = [Reading("link.speed", float(n)) for n in range(50)]
    (whole,) = decoded(fit.bodies(NOW, "0", [*good[:20], Reading("Bad Name", 1.0), *good[20:]]))
    assert list(whole.readings) == good


def test_what_is_not_finite_is_unknown() -> None:
    (whole,) = decoded(fit.bodies(NOW, "0", [Reading("a.b", math.nan), Reading("a.c", -math.inf)]))
    assert [r.value for r in whole.readings] == [None, None]


def test_long_texts_are_cut_not_lost() -> None:
    (whole,) = decoded(fit.bodies(NOW, "0", [Fact("a.b", "x" * 2000, {"nic": "n" * 500})]))
    assert whole.facts == (Fact("a.b", "x" * 512, {"nic": "n" * 128}),)


def test_too_many_records_become_several_envelopes_with_the_outcomes_first() -> None:
    records: list[fit.Record] = [Sighting("dhcp.offer", str(n)) for n in range(1300)]
    records += [Reading("a.b", float(n)) for n in range(2500)]
    records.append(Reading("probe.ok", 1.0, {"probe": "a"}))
    whole = decoded(fit.bodies(NOW, "0", records))
    assert len(whole) > 1
    assert whole[0].readings[0].metric == "probe.ok"
    assert [s.subject for e in whole for s in e.sightings] == [str(n) for n in range(1300)]
    assert [r.value for e in whole for r in e.readings][1:] == [float(n) for n in range(2500)]
    assert {e.taken_at for e in whole} == {NOW}
