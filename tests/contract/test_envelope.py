"""An envelope survives the wire, and whatever else comes is refused with `ContractError` in bounds."""

import json
import random
import tracemalloc
import zlib
from collections.abc import Callable
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.strategies import envelopes

from schoolwatch_contract import envelope
from schoolwatch_contract.dictionary import DICTIONARY_1
from schoolwatch_contract.errors import DETAIL_MAX, ContractError, Reason
from schoolwatch_contract.records import Envelope, Fact, Reading, Sighting

REASONS = get_args(Reason)
HEAD = b'{"schema":1,"taken_at":1700000000,"agent":"0.1.0"'


def deflated(text: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=DICTIONARY_1)
    return deflate.compress(text) + deflate.flush()


def with_reading(reading: bytes) -> bytes:
    return HEAD + b',"readings":[' + reading + b"]}"


def outcome(action: Callable[[], object]) -> str:
    """The reason of a refusal, or "" when it was none; any other exception goes through."""
    try:
        action()
    except ContractError as error:
        return error.reason if len(error.detail) <= DETAIL_MAX else f"{error.reason}: too long a text"
    return ""


def refusal(action: Callable[[], object]) -> ContractError:
    with pytest.raises(ContractError) as caught:
        action()
    return caught.value


@given(envelopes)
def test_an_envelope_comes_back_as_it_was_and_is_json_that_others_can_read(sent: Envelope) -> None:
    body = envelope.encode(sent)
    assert envelope.decode(body) == sent
    assert json.loads(envelope.inflate(body))["taken_at"] == sent.taken_at


@given(st.binary(max_size=2048))
def test_any_bytes_decode_or_are_refused(body: bytes) -> None:
    assert outcome(lambda: envelope.decode(body)) in {"", *REASONS} - {"too_large", "topic", "hmac"}


@given(st.binary(max_size=2048))
def test_any_inflated_bytes_decode_or_are_refused(text: bytes) -> None:
    assert outcome(lambda: envelope.decode(deflated(text))) in {"", "json", "value", "schema", "time"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "schema": st.just(1) | json_values,
            "taken_at": st.just(1.7e9) | json_values,
            "agent": st.just("x") | json_values,
            "readings": json_values,
            "facts": json_values,
            "sightings": json_values,
        },
    )
)
def test_any_json_of_nearly_the_right_shape_decodes_or_is_refused(document: dict[str, object]) -> None:
    try:
        read = envelope.decode(deflated(json.dumps(document).encode()))
    except ContractError:
        return
    assert envelope.decode(envelope.encode(read)) == read


@given(envelopes, st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_decodes_or_is_refused(sent: Envelope, at: int, byte: int) -> None:
    body = bytearray(envelope.encode(sent))
    body[at % len(body)] = byte
    try:
        read = envelope.decode(bytes(body))
    except ContractError:
        return
    assert envelope.decode(envelope.encode(read)) == read


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(b"[" * 500_000, "json", id="nested arrays"),
        pytest.param(
            HEAD + b',"z":' + b"[" * 400_000 + b"]" * 400_000 + b"}", "json", id="nested, unknown field"
        ),
        pytest.param(
            HEAD + b',"z":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", "json", id="nested objects"
        ),
        pytest.param(HEAD + b',"readings":' + b"[" * 400_000, "json", id="nested, known field"),
        pytest.param(with_reading(b'["a.b",1e400]'), "value", id="1e400"),
        pytest.param(with_reading(b'["a.b",1' + b"0" * 400 + b"]"), "value", id="10^400"),
        pytest.param(with_reading(b'["a.b",1' + b"0" * 300_000 + b"]"), "value", id="10^300000"),
        pytest.param(with_reading(b'["a.b",NaN]'), "json", id="NaN"),
        pytest.param(with_reading(b'["a.b",true]'), "value", id="a bool is no number"),
        pytest.param(with_reading(b'["a.b","1"]'), "value", id="a text is no number"),
        pytest.param(b'{"schema":1' + b"0" * 4000 + b"}", "schema", id="a schema of 4,000 digits"),
        pytest.param(b'{"schema":1' + b"0" * 5000 + b"}", "json", id="a schema of 5,000 digits"),
        pytest.param(b'{"schema":2,"taken_at":"later"}', "schema", id="a later schema, whatever is in it"),
        pytest.param(HEAD + b',"schema":2}', "schema", id="the last of two schemas counts"),
        pytest.param(b'{"schema":1,"taken_at":1e999,"agent":""}', "value", id="infinite time"),
        pytest.param(b'{"schema":1,"taken_at":-11644473600,"agent":""}', "time", id="the year 1601"),
        pytest.param(b'{"schema":1,"taken_at":4102444800,"agent":""}', "time", id="the year 2100"),
        pytest.param(
            HEAD + b',"sightings":[["a.b","s",{},0]]}', "time", id="a sighting at the clock's beginning"
        ),
        pytest.param(HEAD + b',"facts":[["a.b","\\ud800"]]}', "json", id="lone high surrogate"),
        pytest.param(HEAD + b',"facts":[["a.b","\\udc00x"]]}', "json", id="lone low surrogate"),
        pytest.param(HEAD + b',"facts":[["a.b","\xed\xa0\x80"]]}', "json", id="surrogate in UTF-8"),
        pytest.param(HEAD + b',"facts":[["a.b","\xff"]]}', "json", id="not UTF-8"),
        pytest.param(HEAD + b',"z":"\xff"}', "json", id="not UTF-8 in an unknown field"),
        pytest.param(HEAD + b',"facts":[["a.b","\\u0000"]]}', "value", id="NUL, escaped"),
        pytest.param(HEAD + b',"facts":[["a.b","\x00"]]}', "json", id="NUL, raw"),
        pytest.param(with_reading(b'["a.b\\n",1]'), "value", id="a name with a line feed"),
        pytest.param(with_reading(b'["a.b",1,{"K":"v"}]'), "value", id="a label key in capitals"),
        pytest.param(with_reading(b'["' + b"a." * 400_000 + b'a",1]'), "value", id="a name of 800 KB"),
        pytest.param(
            with_reading(b'["a.b",1,{' + b",".join(b'"k%d":""' % n for n in range(20_000)) + b"}]"),
            "value",
            id="20,000 labels",
        ),
        pytest.param(
            with_reading(b'["a.b",1,{"k":"' + b"v" * 262_144 + b'"}]'), "value", id="a label of 256 KB"
        ),
        pytest.param(with_reading(b",".join([b'["a.b",1]'] * 90_000)), "value", id="90,000 readings"),
        pytest.param(b"\xef\xbb\xbf" + HEAD + b"}", "json", id="a byte order mark"),
        pytest.param(HEAD + b"} {}", "json", id="a second document"),
        pytest.param(b"", "json", id="nothing"),
    ],
)
def test_hostile_text_is_refused_by_its_reason(text: bytes, reason: str) -> None:
    assert refusal(lambda: envelope.decode(deflated(text))).reason == reason


def test_the_last_of_two_equal_keys_counts() -> None:
    twice = HEAD + b',"readings":[["a.b",1,{"k":"1","k":"2"}]],"readings":[["a.b",2,{"k":"1","k":"2"}]]}'
    assert envelope.decode(deflated(twice)).readings == (Reading("a.b", 2.0, {"k": "2"}),)


def test_unknown_fields_are_ignored() -> None:
    read = envelope.decode(deflated(HEAD + b',"new":{"a":[1]},"readings":[["a.b",1,{},"new"]]}'))
    assert read.readings == (Reading("a.b", 1.0),)


@pytest.mark.parametrize("over", [-1, 0])
def test_a_body_may_inflate_to_the_limit(over: int) -> None:
    padding = b"a" * (envelope.INFLATED_MAX + over - len(HEAD) - 8)
    text = HEAD + b',"z":"' + padding + b'"}'
    assert len(text) == envelope.INFLATED_MAX + over
    assert envelope.decode(deflated(text)).agent == "0.1.0"


@pytest.mark.parametrize("over", [1, 2, 257, 258, 259, 300, 32_768])
def test_a_body_may_not_inflate_to_more(over: int) -> None:
    text = HEAD + b',"z":"' + b"a" * (envelope.INFLATED_MAX + over - len(HEAD) - 8) + b'"}'
    assert refusal(lambda: envelope.decode(deflated(text))).reason == "bomb"


def test_a_bomb_takes_little_memory() -> None:
    bomb = deflated(b"\0" * 250_000_000)  # the largest that fits a frame: 1 : 1,029
    assert len(bomb) < 256 * 1024
    tracemalloc.start()
    try:
        assert refusal(lambda: envelope.decode(bomb)).reason == "bomb"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * envelope.INFLATED_MAX


@pytest.mark.parametrize("item", [b'["a.b",1]', b'["a.b",1,{"a":"1","b":"1","c":"1","d":"1"}]', b"[[],[]]"])
def test_the_costliest_json_takes_bounded_memory(item: bytes) -> None:
    count = (envelope.INFLATED_MAX - len(HEAD) - 20) // (len(item) + 1)
    body = deflated(with_reading(b",".join([item] * count)))
    tracemalloc.start()
    try:
        assert refusal(lambda: envelope.decode(body)).reason == "value"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 48 * envelope.INFLATED_MAX


def test_truncated_and_trailing_bytes_are_refused() -> None:
    body = deflated(HEAD + b"}")
    assert {refusal(lambda end=end: envelope.decode(body[:end])).reason for end in range(len(body))} == {
        "truncated"
    }
    assert refusal(lambda: envelope.decode(body + b"\0")).reason == "deflate"
    assert refusal(lambda: envelope.decode(b"\xff" * 64)).reason == "deflate"


def test_a_body_without_the_dictionary_is_refused() -> None:
    """Bytes that point before the window are a broken stream, not somebody's memory."""
    body = deflated(DICTIONARY_1)
    plain = zlib.decompressobj(-15)
    with pytest.raises(zlib.error):
        plain.decompress(body)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("a.b", float("nan")),)), id="NaN"),
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("a.b", float("inf")),)), id="infinite"),
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("a.b", 10**400),)), id="10^400"),
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("a.b", True),)), id="a bool"),
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("a.b", "1"),)), id="a text"),  # type: ignore[arg-type]
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("nodot", 1.0),)), id="a name without a dot"),
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("a.b\n", 1.0),)), id="a line feed in a name"),
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("a.b", 1.0, {"k": "v" * 129}),)), id="a long label"),
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("a.b", 1.0),) * 2001), id="too many readings"),
        pytest.param(Envelope(1, 1.7e9, "x", facts=(Fact("a.b", "\ud800"),)), id="a lone surrogate"),
        pytest.param(Envelope(1, 1.7e9, "x", facts=(Fact("a.b", "a\0b"),)), id="NUL"),
        pytest.param(Envelope(1, 1.7e9, "x", facts=(Fact("a.b", "v" * 513),)), id="a long fact"),
        pytest.param(Envelope(1, 1.7e9, "x", sightings=(Sighting("a.b", "s", {}, 0.0),)), id="seen in 1970"),
        pytest.param(
            Envelope(
                1, 1.7e9, "x", sightings=(Sighting("a.b", "s", {f"k{n}": "v" * 512 for n in range(32)}),) * 70
            ),
            id="over 1 MiB",
        ),
        pytest.param(Envelope(2, 1.7e9, "x"), id="another schema"),
        pytest.param(Envelope(1, float("nan"), "x"), id="no time"),
        pytest.param(Envelope(1, 0.0, "x"), id="1970"),
        pytest.param(Envelope(1, 1.7e9, "v" * 33), id="a long version"),
    ],
)
def test_encode_refuses_what_decode_refuses(sent: Envelope) -> None:
    encoded = refusal(lambda: envelope.encode(sent))
    try:
        text = msgspec.json.encode(sent)
    except UnicodeEncodeError:
        return  # a lone surrogate cannot even be written
    text = text.replace(b"null", b"1e999")  # how msgspec writes NaN, which JSON does not have
    assert refusal(lambda: envelope.decode(deflated(text))).reason in {encoded.reason, "value"}


def test_a_hundred_thousand_random_bodies_are_each_refused() -> None:
    noise = random.Random(2)
    refused = 0
    for _ in range(100_000):
        try:
            envelope.decode(noise.randbytes(noise.randrange(1, 200)))
        except ContractError:
            refused += 1
    assert refused == 100_000


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(Envelope(1, 1.7e9, "x\0"), id="version"),
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("a.b", 1.0, {"k": "\0"}),)), id="label of a reading"),
        pytest.param(Envelope(1, 1.7e9, "x", facts=(Fact("a.b", None, {}, "\0"),)), id="reason"),
        pytest.param(Envelope(1, 1.7e9, "x", facts=(Fact("a.b", "v", {"k": "\0"}),)), id="label of a fact"),
        pytest.param(Envelope(1, 1.7e9, "x", sightings=(Sighting("a.b", "\0"),)), id="subject"),
        pytest.param(Envelope(1, 1.7e9, "x", sightings=(Sighting("a.b", "s", {"k": "\0"}),)), id="detail"),
        pytest.param(Envelope(1, 1.7e9, "x", (Reading("a.b", 1.0, {"K": "v"}),)), id="name of a label"),
        pytest.param(Envelope(1, 1.7e9, "x", facts=(Fact("A.b", "v"),)), id="name of a fact"),
        pytest.param(Envelope(1, 1.7e9, "x", facts=(Fact("a.b", "v", {"k\n": "v"}),)), id="label, line feed"),
        pytest.param(Envelope(1, 1.7e9, "x", sightings=(Sighting("b", "s"),)), id="kind of a sighting"),
        pytest.param(Envelope(1, 1.7e9, "x", sightings=(Sighting("a.b", "s", {"": "v"}),)), id="no name"),
    ],
)
def test_patterns_are_seen_to_wherever_a_text_stands(sent: Envelope) -> None:
    for _ in "12":  # what was refused once is not remembered as good
        assert outcome(lambda: envelope.from_json(msgspec.json.encode(sent))) == "value"


def test_a_text_that_only_spells_nul_is_a_text() -> None:
    sent = Envelope(1, 1.7e9, "x", facts=(Fact("a.b", r"C:\u0000", {"k": r"\\u0000"}),))
    assert envelope.decode(envelope.encode(sent)) == sent


@given(envelopes)
def test_what_was_taken_in_is_read_again_as_it_was(sent: Envelope) -> None:
    body = envelope.encode(sent)
    assert envelope.decode_stored(body) == envelope.decode(body) == sent
