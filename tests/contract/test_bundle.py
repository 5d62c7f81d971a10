"""A bundle holds what was put into it, and one changed, missing or additional byte anywhere is found."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.strategies import KEY

from schoolwatch_contract import bundle, frame
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.frame import FRAME_MAX, Header

HEAD = bundle.Head("0123456789abcdef" * 2, 1_700_000_000.125)
FRAMES = tuple(
    frame.seal(Header(HEAD.device, "fedcba9876543210", seq, 1, HEAD.made_at), b"x" * 40 * seq, KEY)
    for seq in range(1, 6)
)


def written(frames=FRAMES, head: bundle.Head = HEAD, key: bytes = KEY) -> bytes:
    out = io.BytesIO()
    writer = bundle.Writer(out.write, head, key)
    for each in frames:
        writer.add(each)
    writer.end()
    return out.getvalue()


def read(content: bytes, key: bytes = KEY) -> tuple[bundle.Head, list[bytes]]:
    reader = bundle.Reader(io.BytesIO(content).read)
    return reader.head, list(reader.frames(key))


def reason(content: bytes, key: bytes = KEY) -> str:
    with pytest.raises(ContractError) as caught:
        read(content, key)
    return caught.value.reason


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=12))
def test_what_was_put_in_comes_out(frames: list[bytes]) -> None:
    assert read(written(frames)) == (HEAD, frames)


@given(st.integers(0), st.integers(1, 255))
def test_a_changed_byte_is_found(at: int, flip: int) -> None:
    content = bytearray(written())
    content[at % len(content)] ^= flip
    assert reason(bytes(content)) in {"format", "hmac", "truncated", "too_large", "time", "header"}


@given(st.integers(0))
def test_a_file_cut_anywhere_is_found(at: int) -> None:
    content = written()
    assert reason(content[: at % len(content)]) in {"format", "truncated"}


@given(st.binary(min_size=1, max_size=200))
def test_what_follows_the_end_is_found(more: bytes) -> None:
    assert reason(written() + more) == "format"


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_refused_with_a_reason(junk: bytes, starts_well: bool) -> None:
    reason(bundle.MAGIC + b"\x01" + junk if starts_well else junk)


def test_frames_left_out_or_swapped_are_found() -> None:
    whole = written()
    assert reason(whole.replace(FRAMES[1], FRAMES[2])) != ""
    without = whole.replace(len(FRAMES[1]).to_bytes(4, "big") + FRAMES[1], b"")
    assert reason(without) == "hmac"


def test_another_devices_key_or_none_is_refused() -> None:
    assert reason(written(), bytes(32)) == "hmac"
    assert reason(written(), b"") == "hmac"


def test_a_length_beyond_any_frame_is_refused_before_it_is_read() -> None:
    asked: list[int] = []
    content = io.BytesIO(written(())[:33] + (2**32 - 1).to_bytes(4, "big") + b"x" * 100)

    def watched(size: int) -> bytes:
        asked.append(size)
        return content.read(size)

    with pytest.raises(ContractError, match="too_large"):
        list(bundle.Reader(watched).frames(KEY))
    assert max(asked) <= FRAME_MAX


def test_a_frame_is_no_bundle_and_a_bundle_no_frame() -> None:
    assert reason(FRAMES[0]) == "format"
    with pytest.raises(ContractError, match="format"):
        frame.parse(written())
