"""A frame says who sent it, and one changed bit anywhere is found."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.strategies import KEY, headers

from schoolwatch_contract import frame
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.frame import FRAME_MAX, Frame, Header
from schoolwatch_contract.records import LATEST

HEADER = Header("0123456789abcdef" * 2, "fedcba9876543210", 7, 3, 1_700_000_000.125)
OVERHEAD = len(frame.seal(HEADER, b"", KEY))


def reason(header: Header = HEADER, body: bytes = b"body", key: bytes = KEY) -> str:
    with pytest.raises(ContractError) as caught:
        frame.seal(header, body, key)
    return caught.value.reason


@given(headers, st.binary(max_size=500))
def test_a_frame_comes_back_as_it_was(header: Header, body: bytes) -> None:
    sealed = frame.seal(header, body, KEY)
    frame.verify(sealed, KEY)
    assert frame.parse(sealed) == Frame(header, body)


@given(st.binary(max_size=400))
def test_any_bytes_parse_or_are_refused_and_never_verify(junk: bytes) -> None:
    with pytest.raises(ContractError, match="hmac"):
        frame.verify(junk, KEY)
    try:
        frame.parse(junk)
        refused = ""
    except ContractError as error:
        refused = error.reason
    assert refused in {"", "format", "truncated", "dictionary", "header", "time"}


@given(st.sampled_from(sorted(frame.FORMATS.values())), st.binary(min_size=OVERHEAD - 2, max_size=400))
def test_whatever_parses_could_have_been_sealed(number: int, junk: bytes) -> None:
    start = bytes([number, 1])
    try:
        parsed = frame.parse(start + junk)
    except ContractError:
        return
    assert frame.seal(parsed.header, parsed.body, KEY)[:-32] == (start + junk)[:-32]


@given(headers, st.binary(max_size=200), st.integers(0), st.integers(1, 255))
def test_a_changed_byte_never_verifies(header: Header, body: bytes, at: int, flip: int) -> None:
    sealed = bytearray(frame.seal(header, body, KEY))
    sealed[at % len(sealed)] ^= flip
    with pytest.raises(ContractError, match="hmac"):
        frame.verify(bytes(sealed), KEY)


@given(headers, st.binary(max_size=200), st.integers(0), st.binary(min_size=1, max_size=40))
def test_a_cut_or_lengthened_frame_never_verifies(header: Header, body: bytes, at: int, more: bytes) -> None:
    sealed = frame.seal(header, body, KEY)
    for other in (sealed[: at % len(sealed)], sealed + more, more + sealed):
        with pytest.raises(ContractError, match="hmac"):
            frame.verify(other, KEY)


def test_another_devices_key_does_not_verify() -> None:
    with pytest.raises(ContractError, match="hmac"):
        frame.verify(frame.seal(HEADER, b"body", KEY), bytes(32))


@pytest.mark.parametrize("key", [b"", b"short", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    assert reason(key=key) == "hmac"
    with pytest.raises(ContractError, match="hmac"):
        frame.verify(frame.seal(HEADER, b"body", KEY), key)


def test_a_frame_of_the_largest_size_passes_and_one_more_byte_does_not() -> None:
    largest = frame.seal(HEADER, bytes(FRAME_MAX - OVERHEAD), KEY)
    assert len(frame.parse(largest).body) == FRAME_MAX - OVERHEAD
    assert reason(body=bytes(FRAME_MAX - OVERHEAD + 1)) == "too_large"
    with pytest.raises(ContractError, match="too_large"):
        frame.parse(largest + b"\0")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"device": "0" * 31}, "header"),
        ({"device": "0" * 33}, "header"),
        ({"device": "A" * 32}, "header"),
        ({"device": "0" * 32 + "\n"}, "header"),
        ({"device": "é" * 32}, "header"),
        ({"spool": "0 " * 8}, "header"),
        ({"spool": ""}, "header"),
        ({"floor": 0}, "header"),
        ({"floor": 8}, "header"),
        ({"seq": 2**63}, "header"),
        ({"seq": 2**64}, "header"),
        ({"sent_at": float("nan")}, "time"),
        ({"sent_at": float("inf")}, "time"),
        ({"sent_at": 0.0}, "time"),
        ({"sent_at": LATEST}, "time"),
        ({"sent_at": LATEST - 0.0001}, "time"),  # rounds up to it
    ],
)
def test_an_impossible_header_cannot_be_sealed(change: dict[str, object], expected: str) -> None:
    fields = {name: getattr(HEADER, name) for name in ("device", "spool", "seq", "floor", "sent_at")}
    assert reason(Header(**{**fields, **change})) == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"", "format"),
        (b"\x00", "format"),
        (b"\x04" * 200, "format"),
        (b"\x01", "truncated"),
        (b"\x03", "truncated"),
        (b"\x01\x00" + bytes(200), "dictionary"),
        (b"\x01\x02" + bytes(200), "dictionary"),
        (b"\x01\x01" + bytes(200), "header"),
    ],
)
def test_other_bytes_are_refused_by_their_reason(start: bytes, expected: str) -> None:
    with pytest.raises(ContractError) as caught:
        frame.parse(start)
    assert caught.value.reason == expected


def test_a_second_delivery_has_the_same_digest_and_another_body_has_not() -> None:
    noise = random.Random(1)
    bodies = {noise.randbytes(40) for _ in range(1000)}
    assert len({frame.digest(body) for body in bodies}) == len(bodies)
    assert frame.digest(b"body") == frame.digest(bytearray(b"body"))
    assert len(frame.digest(b"")) == 16
