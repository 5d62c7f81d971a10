"""What is known of a device now follows what its newest envelopes say, and unknown stays unknown."""

from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_contract.records import Envelope, Fact, Reading
from schoolwatch_server.state import (
    EXPIRES,
    ByMetric,
    Heard,
    State,
    find,
    key,
    merge,
    pack,
    parse_key,
    unpack,
)

NOW = 1_790_000_000.0
texts = st.text(max_size=20)


def envelope(*records: Reading | Fact) -> Envelope:
    return Envelope(
        1,
        NOW,
        "0.1.0",
        tuple(r for r in records if isinstance(r, Reading)),
        tuple(r for r in records if isinstance(r, Fact)),
    )


@given(st.sampled_from(["link.up", "disk.free"]), st.dictionaries(texts, texts, max_size=4))
def test_a_key_is_name_and_labels_whatever_their_order(name: str, labels: dict[str, str]) -> None:
    assert parse_key(key(name, labels)) == (name, labels)
    assert key(name, dict(reversed(labels.items()))) == key(name, labels)


def test_what_is_parsed_can_be_changed_without_changing_the_key() -> None:
    text = key("link.up", {"nic": "eth0"})
    parse_key(text)[1]["nic"] = "changed"
    assert parse_key(text) == ("link.up", {"nic": "eth0"})


def test_a_probe_that_ran_replaces_all_it_said_before() -> None:
    ran = Reading("probe.ok", 1.0, {"probe": "links"})
    before = merge(State(), envelope(ran, Reading("link.up", 1.0, {"nic": "usb0"})), NOW)
    after = merge(before, envelope(ran, Reading("link.up", 1.0, {"nic": "eth0"})), NOW + 60)
    assert list(find(after.readings, "link.up").values()) == [({"nic": "eth0"}, 1.0)]


def test_a_probe_that_failed_leaves_nothing_of_it_known() -> None:
    before = merge(State(), envelope(Reading("link.up", 1.0, {"nic": "eth0"})), NOW)
    after = merge(before, envelope(Reading("probe.ok", 0.0, {"probe": "links"})), NOW + 60)
    assert find(after.readings, "link.up") == {}


def test_a_probe_that_was_not_due_keeps_what_it_said() -> None:
    before = merge(State(), envelope(Reading("updates.pending", 3.0)), NOW)
    after = merge(before, envelope(Reading("processor.busy", 0.5)), NOW + 60)
    assert after.readings["updates.pending"].value == 3.0
    assert after.readings["updates.pending"].taken_at == NOW


def test_what_is_no_longer_said_becomes_unknown_in_time() -> None:
    before = merge(State(), envelope(Reading("updates.pending", 3.0), Fact("os.name", "Debian")), NOW)
    kept = merge(before, envelope(), NOW + EXPIRES)
    gone = merge(before, envelope(), NOW + EXPIRES + 1)
    assert "updates.pending" in kept.readings
    assert "os.name" in kept.facts
    assert (gone.readings, gone.facts) == ({}, {})


def test_unknown_is_none_with_its_reason_and_comes_back_from_its_row() -> None:
    state = merge(
        State(),
        envelope(Reading("ipv6.rung", None, {"rung": "2"}), Fact("os.name", None, {}, "timeout")),
        NOW,
    )
    back = unpack(pack(state))
    assert back == state
    assert back.readings['ipv6.rung{"rung":"2"}'].value is None
    assert (back.facts["os.name"].value, back.facts["os.name"].reason) == (None, "timeout")


def test_a_metric_is_found_by_its_whole_name() -> None:
    said = (Reading("link.up", 1.0, {"nic": "eth0"}), Reading("link.up2", 1.0))
    state = merge(State(), envelope(*said), NOW)
    assert list(find(state.readings, "link.up")) == ['link.up{"nic":"eth0"}']


METRICS = ["link.up", "link.upper", "disk.free", "use.active", "probe.ok"]  # use: of rooms alone
said = st.lists(
    st.builds(
        Reading,
        st.sampled_from(METRICS),
        st.none() | st.integers(0, 3).map(float),
        st.dictionaries(st.sampled_from(["nic", "disk"]), st.sampled_from("ab"), max_size=2),
    ),
    max_size=12,
)


@given(said)
def test_readings_asked_by_metric_answer_as_the_state_does(readings: list[Reading]) -> None:
    whole = merge(State(), envelope(*readings), NOW).readings
    heard, by_metric = Heard(readings, NOW), ByMetric(whole)
    assert list(heard.items()) == list(by_metric.items()) == list(whole.items())
    for metric in METRICS:
        assert find(heard, metric) == find(by_metric, metric) == find(whole, metric)
    for name in {*whole, *(key(r.metric, r.labels) for r in readings), "link"}:
        assert heard.get(name) == by_metric.get(name) == whole.get(name)
        assert (name in heard) == (name in whole)
        assert name not in whole or heard[name] == whole[name]
