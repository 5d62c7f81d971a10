"""An envelope to compact JSON in raw deflate, and back, in bounded time and memory."""

import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from schoolwatch_contract.dictionary import DICTIONARY_1
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import EARLIEST as EARLIEST
from schoolwatch_contract.records import LABEL, NAME, SCHEMA, Envelope, Fact, Reading, Sighting
from schoolwatch_contract.records import LATEST as LATEST

DICTIONARY = 1
"""The number of the preset dictionary that bodies are deflated with; it never changes its bytes."""

INFLATED_MAX = 1 << 20
"""Bytes a body may inflate to; a larger one is a deflate bomb."""

UNDERSTOOD: Final = tuple(range(max(1, SCHEMA - 2), SCHEMA + 1))
"""The schemas that are read: today's and the two before it; agents need not be upgraded with the server.

What a newer agent sends is refused as `schema`; a server keeps it, verified, until it has learnt to read it.
"""

_encoder = msgspec.json.Encoder()

_READERS: Final[Mapping[int, Callable[[bytes], Envelope]]] = {1: msgspec.json.Decoder(Envelope).decode}
"""How each of them is read into today's `Envelope`; a test sees that none is forgotten."""


class _Head(msgspec.Struct):
    schema: int


_head = msgspec.json.Decoder(_Head)


def encode(envelope: Envelope) -> bytes:
    """The envelope as JSON in raw deflate (RFC 1951). Raises `ContractError` for what a server refuses."""
    text = to_json(envelope)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=DICTIONARY_1)
    return deflate.compress(text) + deflate.flush()


def decode(body: bytes) -> Envelope:
    """The envelope in a deflated body. Raises `ContractError`, and nothing else, for any other bytes."""
    return from_json(inflate(body))


def to_json(envelope: Envelope) -> bytes:
    """The envelope as compact JSON. Raises `ContractError` for what `from_json` refuses."""
    check(envelope)
    try:
        text = _encoder.encode(envelope)
    except (TypeError, ValueError, RecursionError) as error:  # ValueError: a lone surrogate
        raise ContractError("value", str(error)) from error
    if len(text) > INFLATED_MAX:
        raise ContractError("bomb", f"{len(text)} bytes of JSON, at most {INFLATED_MAX} fit an envelope")
    from_json(text)  # types say what a field may hold, but only decoding holds them to it
    return text


def decode_stored(body: bytes) -> Envelope:
    """The envelope in a body that `decode` has read before, not checked again. Raises `ContractError`."""
    text = inflate(body)
    return _of_today(text) or from_json(text)


def from_json(text: bytes) -> Envelope:
    """The envelope in JSON of at most `INFLATED_MAX` bytes. Raises `ContractError`."""
    envelope = _of_today(text) or _of_any_schema(text)
    check(envelope)
    _check_texts(envelope, text)
    return envelope


def _of_today(text: bytes) -> Envelope | None:
    """What nearly every report is, read in one go; None of another schema, and of what is wrong."""
    try:
        text.decode("utf-8", "strict")
        envelope = _READERS[SCHEMA](text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return envelope if envelope.schema == SCHEMA else None


def _of_any_schema(text: bytes) -> Envelope:
    try:
        text.decode("utf-8", "strict")  # RFC 8259, 8.1; fields that are skipped too
        schema = _head.decode(text).schema
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError("json", str(error)) from error
    if schema not in UNDERSTOOD:
        known = f"{UNDERSTOOD[0]} to {UNDERSTOOD[-1]}" if len(UNDERSTOOD) > 1 else str(SCHEMA)
        raise ContractError("schema", f"schema {schema} is not known here, {known} is")
    try:
        envelope = _READERS[schema](text)
    except msgspec.ValidationError as error:
        raise ContractError("value", str(error)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise ContractError("json", str(error)) from error
    return envelope


def inflate(body: bytes) -> bytes:
    """At most `INFLATED_MAX` bytes of JSON out of a deflated body."""
    inflater = zlib.decompressobj(-15, zdict=DICTIONARY_1)
    try:
        # One byte of room more than allowed tells "exactly full" from "more to come".
        text = inflater.decompress(body, INFLATED_MAX + 1)
    except zlib.error as error:
        raise ContractError("deflate", str(error)) from error
    if len(text) > INFLATED_MAX:
        raise ContractError("bomb", f"inflates to more than {INFLATED_MAX} bytes")
    if not inflater.eof:
        raise ContractError("truncated", f"the deflate stream of {len(body)} bytes has no end")
    if inflater.unused_data:
        raise ContractError("deflate", f"{len(inflater.unused_data)} bytes follow the deflate stream")
    return text


def check(envelope: Envelope) -> None:
    """What the types cannot say: finite numbers and times that a clock can show."""
    _check_time("taken_at", envelope.taken_at)
    for index, reading in enumerate(envelope.readings):
        _check_value(index, reading)
    for index, sighting in enumerate(envelope.sightings):
        if sighting.seen_at is not None:
            _check_time(f"sightings[{index}].seen_at", sighting.seen_at)


_WELL_NAMED_MAX = 10_000
"""Names that are remembered as good: the catalogue has a few hundred."""


class _Known:
    """Which texts match a pattern: those of computers are the same few again and again."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self._good: set[str] = set()

    def check(self, field: str, texts: Iterable[str]) -> None:
        for text in texts:
            if text not in self._good:
                if not self._pattern.search(text):
                    raise ContractError("value", f"{field} {text!r} does not match {self._pattern.pattern}")
                if len(self._good) < _WELL_NAMED_MAX:
                    self._good.add(text)


_names, _labels = _Known(NAME), _Known(LABEL)


def _check_texts(envelope: Envelope, text: bytes) -> None:
    """The patterns that `records` gives. NUL can stand in JSON as an escape alone (RFC 8259, 7)."""
    _names.check("name", [reading.metric for reading in envelope.readings])
    _names.check("name", [fact.name for fact in envelope.facts])
    _names.check("name", [sighting.kind for sighting in envelope.sightings])
    for reading in envelope.readings:
        if reading.labels:
            _labels.check("label", reading.labels)
    for fact in envelope.facts:
        _labels.check("label", fact.labels)
    for sighting in envelope.sightings:
        _labels.check("detail", sighting.detail)
    if _NUL in text and any("\0" in told for told in _texts(envelope)):
        raise ContractError("value", "a text holds the character NUL")


_NUL = b"\\u0000"
"""How NUL stands in JSON."""


def check_record(record: Reading | Fact | Sighting) -> None:
    """The patterns of one record, which its type does not hold it to. Raises `ContractError`."""
    readings = (record,) if isinstance(record, Reading) else ()
    facts = (record,) if isinstance(record, Fact) else ()
    sightings = (record,) if isinstance(record, Sighting) else ()
    _check_texts(Envelope(SCHEMA, EARLIEST, "", readings, facts, sightings), _NUL)


def _texts(envelope: Envelope) -> Iterator[str]:
    yield envelope.agent
    for reading in envelope.readings:
        yield from reading.labels.values()
    for fact in envelope.facts:
        yield from (fact.value or "", fact.reason, *fact.labels.values())
    for sighting in envelope.sightings:
        yield from (sighting.subject, *sighting.detail.values())


def _check_value(index: int, reading: Reading) -> None:
    if reading.value is None:
        return
    try:
        finite = math.isfinite(reading.value)
    except (OverflowError, TypeError):  # an integer beyond a float, or no number at all
        finite = False
    if not finite:
        raise ContractError(
            "value", f"readings[{index}] {reading.metric} has a value that is no finite number"
        )


def _check_time(field: str, at: float) -> None:
    if not EARLIEST <= at < LATEST:
        raise ContractError("time", f"{field} {at} is not between the years 1980 and 2100")
