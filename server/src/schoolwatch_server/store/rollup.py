"""Folds points into hours and days: count, sum, min, max, last and when it was taken. Pure.

An hour is always made anew from all its raw points, a day from its hours; nothing is ever incremented, so
a report that comes late or twice cannot make it wrong.
"""

import math
import zlib
from collections.abc import Iterable, Mapping
from fractions import Fraction

import msgspec

from schoolwatch_contract.dictionary import DICTIONARY_1
from schoolwatch_contract.records import Envelope
from schoolwatch_server.state import key

HOUR = 3600
DAY = 86400
UTC_PLUS_7 = 7 * 3600
"""A day is Vietnam's: it begins at 17:00 UTC of the day before."""


class Fold(msgspec.Struct, frozen=True, array_like=True):
    """What one series was in one bucket."""

    count: int
    sum: float
    min: float
    max: float
    last: float
    last_at: float


Folds = dict[str, Fold]
"""The series of one device in one bucket, by the `key` of metric and labels."""

Raw = Iterable[tuple[float, Envelope]]
"""Envelopes with the time they were taken, on the server's clock."""


def bucket(at: float, resolution: int) -> int:
    """The beginning of the hour or day that an instant is in, UTC seconds."""
    shift = UTC_PLUS_7 if resolution == DAY else 0
    return int((at + shift) // resolution * resolution - shift)


def fold_raw(raw: Raw) -> Folds:
    """An hour from all its envelopes. Unknown values are no points."""
    points: dict[str, list[tuple[float, float]]] = {}
    for taken_at, envelope in raw:
        for reading in envelope.readings:
            if reading.value is not None:
                name = key(reading.metric, reading.labels)
                points.setdefault(name, []).append((taken_at, reading.value))
    return {name: fold_points(of) for name, of in points.items()}


def fold_points(points: list[tuple[float, float]]) -> Fold:
    """Points (instant, value) of one series as one."""
    values = [value for _, value in points]
    last_at, last = max(points)  # of several at the same instant the largest: whatever order they came in
    return Fold(len(values), _sum(values), min(values), max(values), last, last_at)


def fold_hours(hours: Iterable[Folds]) -> Folds:
    """A day from its hours."""
    found: dict[str, list[Fold]] = {}
    for hour in hours:
        for name, fold in hour.items():
            found.setdefault(name, []).append(fold)
    return {name: _merge(of) for name, of in found.items()}


def _merge(folds: list[Fold]) -> Fold:
    newest = max(folds, key=lambda fold: (fold.last_at, fold.last))
    return Fold(
        sum(fold.count for fold in folds),
        _sum([fold.sum for fold in folds]),
        min(fold.min for fold in folds),
        max(fold.max for fold in folds),
        newest.last,
        newest.last_at,
    )


def keep_fuller(old: Mapping[str, Fold], new: Mapping[str, Fold]) -> Folds:
    """Of each series the fold of more points: for a bucket whose raw points may be gone in part."""
    kept = dict(new)
    for name, fold in old.items():
        if name not in kept or kept[name].count < fold.count:
            kept[name] = fold
    return kept


def _sum(values: list[float]) -> float:
    """Exactly rounded, whatever the order; beyond what a double holds it is the largest double."""
    try:
        return math.fsum(values)
    except OverflowError:  # perhaps only on the way, by this order
        exact = sum(map(Fraction, values), Fraction())
        try:
            return float(exact)
        except OverflowError:
            return 1.7976931348623157e308 if exact > 0 else -1.7976931348623157e308


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Folds)


def pack(folds: Mapping[str, Fold]) -> bytes:
    """As it stands in its row: msgpack in raw deflate."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=DICTIONARY_1)
    return deflate.compress(_encoder.encode(folds)) + deflate.flush()


def unpack(body: bytes) -> Folds:
    """The series in a row."""
    return _decoder.decode(zlib.decompressobj(-15, zdict=DICTIONARY_1).decompress(body))
