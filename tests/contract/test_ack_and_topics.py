"""Acknowledgements and topics: what comes back is what was sent, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.strategies import acks, devices

from schoolwatch_contract import ack, topics
from schoolwatch_contract.ack import Ack
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.frame import FRAME_MAX

EPOCH = "0123456789abcdef"


@given(acks)
def test_an_acknowledgement_comes_back_as_it_was(sent: Ack) -> None:
    assert ack.decode(ack.encode(sent)) == sent


@given(st.binary(max_size=300))
def test_any_bytes_are_an_acknowledgement_or_refused(text: bytes) -> None:
    with pytest.raises(ContractError):
        ack.decode(text)


@given(acks, st.integers(0), st.integers(0, 255))
def test_a_changed_byte_is_an_acknowledgement_or_refused(sent: Ack, at: int, byte: int) -> None:
    text = bytearray(ack.encode(sent))
    text[at % len(text)] = byte
    try:
        read = ack.decode(bytes(text))
    except ContractError:
        return
    assert ack.decode(ack.encode(read)) == read


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "json"),
        (b"null", "value"),
        (b"\xff", "json"),
        (b'{"epoch":"\xff","spools":{}}', "json"),
        (b'{"epoch":"0123456789abcdef"}', "value"),
        (b'{"epoch":"0123456789abcdef\\n","spools":{}}', "value"),
        (b'{"epoch":"0123456789ABCDEF","spools":{}}', "value"),
        (b'{"epoch":"0123456789abcdef","spools":{"0123456789abcdef":-1}}', "value"),
        (b'{"epoch":"0123456789abcdef","spools":{"0123456789abcdef":1.5}}', "value"),
        (b'{"epoch":"0123456789abcdef","spools":{"0123456789abcdef":9223372036854775808}}', "value"),
        (b'{"epoch":"0123456789abcdef","spools":{"other":1}}', "value"),
        (b'{"epoch":"0123456789abcdef","spools":{"\\ud800":1}}', "json"),
        (b'{"z":' + b"[" * 200_000, "json"),
        (b" " * (FRAME_MAX + 1), "too_large"),
    ],
)
def test_anything_else_is_refused_by_its_reason(text: bytes, reason: str) -> None:
    with pytest.raises(ContractError) as caught:
        ack.decode(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "sent",
    [
        Ack("short", {}),
        Ack(EPOCH, {"other": 1}),
        Ack(EPOCH, {EPOCH: -1}),
        Ack(EPOCH, {EPOCH: 2**63}),
        Ack(EPOCH, {EPOCH: 2**70}),
        Ack("\ud800", {}),
        Ack(EPOCH, {f"{number:016x}": 1 for number in range(20_000)}),
    ],
)
def test_the_server_cannot_send_what_an_agent_refuses(sent: Ack) -> None:
    with pytest.raises(ContractError):
        ack.encode(sent)


@given(devices, st.sampled_from(["report", "ack", "settings", "presence", "relay"]))
def test_a_topic_comes_back_as_it_was(device: str, leaf: topics.Leaf) -> None:
    assert topics.parse(topics.topic(device, leaf)) == (device, leaf)


@given(st.text(max_size=80))
def test_any_text_is_a_topic_or_refused(text: str) -> None:
    with pytest.raises(ContractError, match="topic"):
        topics.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        f"schoolwatch/1/{'0' * 32}/report\n",
        f"schoolwatch/1/{'0' * 32}/report/",
        f"/schoolwatch/1/{'0' * 32}/report",
        f"schoolwatch/2/{'0' * 32}/report",
        f"schoolwatch/1/{'0' * 32}/command",
        f"schoolwatch/1/{'A' * 32}/report",
        f"schoolwatch/1/{'٠' * 32}/report",
        f"schoolwatch/1/{'0' * 32}/+",
        "schoolwatch/1/+/report",
        "schoolwatch/1/#",
        "\ud800",
    ],
)
def test_what_only_looks_like_a_topic_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="topic"):
        topics.parse(text)


def test_a_device_writes_no_topic_that_it_reads() -> None:
    written = {*topics.DEVICE_WRITES, *topics.GATEWAY_WRITES}
    assert not written & set(topics.DEVICE_READS)
    assert {*written, *topics.DEVICE_READS} == set(topics.Leaf.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("device", ["", "+", "#", "0" * 31, "0" * 32 + "/x"])
def test_a_topic_cannot_be_made_for_another_name(device: str) -> None:
    with pytest.raises(ContractError, match="topic"):
        topics.topic(device, "report")
