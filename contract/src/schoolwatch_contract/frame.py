"""A frame: clear header, deflated body, and an HMAC over both with the device's key.

`LAYOUT` says what stands where, big-endian. A frame is verified alike whether it came by MQTT, by relay or
in a USB bundle. OpenSSL is loaded with the first frame: an agent that only measures makes none.
"""

import re
import struct
from typing import Final, Literal

import msgspec

from schoolwatch_contract.envelope import DICTIONARY
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import EARLIEST, LATEST

Clock = Literal["own", "assumed", "doubtful"]
"""What `sent_at` says: what the clock by which the report was taken shows at the moment of sending (`own`);
what the sender's clock shows now, since the computer was started anew and nothing speaks against the earlier
clock (`assumed`), or something does (`doubtful`)."""

FORMATS: Final[dict[Clock, int]] = {"own": 1, "assumed": 2, "doubtful": 3}
"""The format byte: one layout, and by it what `sent_at` says."""

_CLOCKS: Final[dict[int, Clock]] = {number: clock for clock, number in FORMATS.items()}

FRAME_MAX = 256 * 1024
"""Bytes of a whole frame; the broker refuses a larger one from its header."""

KEY_BYTES = 32

SEQ_MAX = 2**63 - 1
"""The highest seq: what the server's databases can count."""

LAYOUT = (
    ("format", "B", "what sent_at says: 1 own, 2 assumed, 3 doubtful; another number is another layout"),
    ("dictionary", "B", "the preset dictionary that the body was deflated with, always 1"),
    ("device", "16s", "the device's id, as in the topic"),
    ("spool", "8s", "the generation of the agent's spool: new for each file and each boot"),
    ("seq", "Q", "number of the report in its spool, from 1, unsigned"),
    ("floor", "Q", "the lowest number that the agent still holds, unsigned"),
    ("sent_at", "q", "the clock of the report when it was sent, in milliseconds since 1970 UTC, signed"),
)
"""The header: name, code of Python's `struct`, meaning. The body and the HMAC (32 bytes) follow it."""

_header = struct.Struct(">" + "".join(code for _, code, _ in LAYOUT))
_MAC_BYTES = 32
_DEVICE = re.compile(r"[0-9a-f]{32}")
_SPOOL = re.compile(r"[0-9a-f]{16}")


class Header(msgspec.Struct, frozen=True):
    """Who sends, which report of which spool generation, and the clock by which it was taken.

    `device` is 32 hex digits and `spool` 16; `seq` counts from 1 in its spool; `floor` is the lowest
    number that the agent still holds; `sent_at` is UTC seconds, and `clock` says by which clock.
    """

    device: str
    spool: str
    seq: int
    floor: int
    sent_at: float
    clock: Clock = "own"


class Frame(msgspec.Struct, frozen=True):
    """A header with the body it speaks of, still deflated."""

    header: Header
    body: bytes


def seal(header: Header, body: bytes, key: bytes) -> bytes:
    """The bytes on the wire. Raises `ContractError` for a header or size the server would refuse."""
    _check(header)
    head = _header.pack(
        FORMATS[header.clock],
        DICTIONARY,
        bytes.fromhex(header.device),
        bytes.fromhex(header.spool),
        header.seq,
        header.floor,
        round(header.sent_at * 1000),
    )
    frame = head + body
    if len(frame) + _MAC_BYTES > FRAME_MAX:
        raise ContractError("too_large", f"{len(frame) + _MAC_BYTES} bytes, at most {FRAME_MAX} fit a frame")
    return frame + _mac(frame, key)


def parse(frame: bytes) -> Frame:
    """Header and body as they stand; nothing is proved yet. Raises `ContractError`."""
    if len(frame) > FRAME_MAX:
        raise ContractError("too_large", f"{len(frame)} bytes, at most {FRAME_MAX} fit a frame")
    clock = _CLOCKS.get(frame[0]) if frame else None
    if clock is None:
        raise ContractError("format", f"format byte {frame[:1].hex() or 'missing'} is not 01, 02 or 03")
    if len(frame) < _header.size + _MAC_BYTES:
        raise ContractError("truncated", f"{len(frame)} bytes are less than header and HMAC")
    _, dictionary, device, spool, seq, floor, sent_ms = _header.unpack_from(frame)
    if dictionary != DICTIONARY:
        raise ContractError("dictionary", f"dictionary {dictionary} is not known here, {DICTIONARY} is")
    header = Header(device.hex(), spool.hex(), seq, floor, sent_ms / 1000, clock)
    _check(header)
    return Frame(header, frame[_header.size : -_MAC_BYTES])


def verify(frame: bytes, key: bytes) -> None:
    """Raises `ContractError("hmac")` unless the holder of `key` made exactly these bytes."""
    import hmac

    if not hmac.compare_digest(_mac(frame[:-_MAC_BYTES], key), frame[-_MAC_BYTES:]):
        raise ContractError("hmac", "the frame was not made with this device's key")


def digest(body: bytes) -> bytes:
    """16 bytes that tell two bodies apart; a second delivery has the same, a clone's report another."""
    import hashlib

    return hashlib.sha256(body).digest()[:16]


def _mac(frame: bytes, key: bytes) -> bytes:
    if len(key) != KEY_BYTES:  # an empty key would be one that everybody holds
        raise ContractError("hmac", f"the key has {len(key)} bytes, not {KEY_BYTES}")
    import hmac

    return hmac.digest(key, frame, "sha256")


def _check(header: Header) -> None:
    if not _DEVICE.fullmatch(header.device):
        raise ContractError("header", f"device {header.device[:80]!r} is not 32 hex digits")
    if not _SPOOL.fullmatch(header.spool):
        raise ContractError("header", f"spool {header.spool[:80]!r} is not 16 hex digits")
    if not 1 <= header.floor <= header.seq <= SEQ_MAX:
        raise ContractError("header", f"floor {header.floor} and seq {header.seq} are not 1 <= floor <= seq")
    if not EARLIEST <= header.sent_at < LATEST or round(header.sent_at * 1000) >= LATEST * 1000:
        raise ContractError("time", f"sent_at {header.sent_at} is not between the years 1980 and 2100")
