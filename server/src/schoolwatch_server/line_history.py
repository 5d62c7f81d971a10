"""The last speed tests of a school's line, as the device that tests it keeps them beside its state. Pure.

A test comes twice a day and a state forgets what is a day old; the indicators ask for the median of a month.
"""

import statistics
from collections.abc import Iterator

import msgspec

from schoolwatch_contract.records import Envelope

KEPT = 60
"""Tests that are kept: a month of two a day."""


class SpeedTest(msgspec.Struct, frozen=True, array_like=True):
    """Taken when (UTC seconds), and bit/s of the family that was quicker; None where it was held back."""

    at: float
    download: float | None
    upload: float | None


_decode = msgspec.msgpack.Decoder(tuple[SpeedTest, ...]).decode


def extended(kept: bytes | None, envelope: Envelope, at: float) -> bytes | None:
    """What is kept after an envelope; as it was when it tells of no test."""
    download, upload = (_best(envelope, f"bandwidth.{way}") for way in ("download", "upload"))
    if download is None and upload is None:
        return kept
    before = () if kept is None else _decode(kept)
    return msgspec.msgpack.encode((*before, SpeedTest(at, download, upload))[-KEPT:])


def growing(kept: bytes) -> Iterator[tuple[float, bytes]]:
    """When each kept test was taken, and what was kept from then on until the next one."""
    tests = _decode(kept)
    for n, test in enumerate(tests, 1):
        yield test.at, msgspec.msgpack.encode(tests[:n])


def since(kept: bytes | None, after: float) -> tuple[SpeedTest, ...]:
    """The tests that were taken from an instant on, the newest last."""
    return () if kept is None else tuple(test for test in _decode(kept) if test.at >= after)


def medians(kept: bytes | None, after: float) -> tuple[int, float | None, float | None]:
    """How many tests were taken from an instant on, and their median download and upload in bit/s."""
    tests = since(kept, after)
    return (
        len(tests),
        _median([test.download for test in tests]),
        _median([test.upload for test in tests]),
    )


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _best(envelope: Envelope, metric: str) -> float | None:
    found = [r.value for r in envelope.readings if r.metric == metric and r.value is not None]
    return max(found, default=None)
