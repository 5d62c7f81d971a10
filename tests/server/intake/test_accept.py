"""Any bytes under any topic are a report or are refused with a reason; nothing else ever happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import NOW, Device
from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract.records import Envelope
from schoolwatch_server.database.credentials import Credential
from schoolwatch_server.intake.accept import Claim, Message, Refused, Report, prove, read

DEVICE = Device(7, "c" * 32, b"k" * 32)
CREDENTIAL = Credential(7, b"k" * 32, revoked=False)
topics = st.one_of(st.text(), st.just(DEVICE.topic), st.just("schoolwatch/1/" + "c" * 32 + "/relay"))


@given(topics, st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_reason(topic: str, payload: bytes) -> None:
    found = read(Message(topic, payload, NOW))
    if isinstance(found, Claim):
        found = prove(found, CREDENTIAL)
    assert isinstance(found, Refused)
    assert found.reason
    assert len(found.reason) <= 20, "it is a label of a counter and a column of 20"


@given(st.integers(0, 500), st.integers(0, 255))
def test_a_frame_with_any_byte_changed_is_nobodys(at: int, byte: int) -> None:
    frame = DEVICE.frame(1)
    at %= len(frame)
    changed = frame[:at] + bytes([byte]) + frame[at + 1 :]
    found = read(Message(DEVICE.topic, changed, NOW))
    proved = prove(found, CREDENTIAL) if isinstance(found, Claim) else found
    assert isinstance(proved, Report if changed == frame else Refused)


@given(st.binary(max_size=2000))
def test_any_verified_body_is_a_report_decoded_or_with_its_reason(body: bytes) -> None:
    claim = read(Message(DEVICE.topic, DEVICE.frame(1, body=body), NOW))
    assert isinstance(claim, Claim)
    found = prove(claim, CREDENTIAL)
    assert isinstance(found, Report)
    assert (found.envelope is None) == bool(found.reason)


def test_a_report_carries_what_its_commit_needs() -> None:
    envelope = Envelope(1, NOW, "0.1.0")
    claim = read(Message(DEVICE.topic, DEVICE.frame(3, body=envelopes.encode(envelope), floor=2), NOW))
    assert isinstance(claim, Claim)
    found = prove(claim, CREDENTIAL)
    assert isinstance(found, Report)
    assert (found.device_id, found.header.seq, found.header.floor, found.envelope) == (7, 3, 2, envelope)


@pytest.mark.parametrize(
    ("credential", "reason"),
    [(None, "unknown_device"), (Credential(7, b"k" * 32, revoked=True), "revoked"),
     (Credential(7, b"x" * 32, revoked=False), "hmac")],
)  # fmt: skip
def test_only_the_holder_of_a_valid_key_is_believed(credential: Credential | None, reason: str) -> None:
    claim = read(Message(DEVICE.topic, DEVICE.frame(1), NOW))
    assert isinstance(claim, Claim)
    found = prove(claim, credential)
    assert isinstance(found, Refused)
    assert found.reason == reason


def test_a_relay_topic_is_no_report() -> None:
    found = read(Message(DEVICE.topic.replace("report", "relay"), DEVICE.frame(1), NOW))
    assert isinstance(found, Refused)
    assert found.reason == "topic"
