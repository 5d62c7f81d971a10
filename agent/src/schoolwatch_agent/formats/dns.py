"""A question to a resolver for the addresses of a name, and its answer (RFC 1035 §4, RFC 3596)."""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Literal

from schoolwatch_agent.errors import NotUnderstood

Kind = Literal["a", "aaaa"]

_TYPES: Final[dict[Kind, int]] = {"a": 1, "aaaa": 28}
_SIZES: Final = {1: 4, 28: 16}
_INTERNET: Final = 1
_HEADER: Final = struct.Struct("!6H")
_MOST: Final = 64
"""Records of an answer that are looked at."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The response code (RFC 1035 §4.1.1: 0 no error, 2 server failure, 3 no such name, 5 refused).

    A truncated answer is to be asked for again over TCP.
    """

    code: int
    truncated: bool
    addresses: tuple[str, ...]


def question(identifier: int, name: str, kind: Kind) -> bytes:
    """A recursive question. Raises `NotUnderstood` for what is no domain name."""
    try:
        labels = [label.encode("idna") for label in name.rstrip(".").split(".")]
    except UnicodeError as error:
        raise NotUnderstood("not a domain name", name) from error
    written = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if not all(labels) or len(written) > 255:
        raise NotUnderstood("not a domain name", name)
    return (
        _HEADER.pack(identifier, 0x0100, 1, 0, 0, 0) + written + struct.pack("!2H", _TYPES[kind], _INTERNET)
    )


def answer(message: bytes, asked: bytes) -> Answer:
    """The addresses in the answer to a `question`, those of the names it is an alias of included.

    Names are stepped over, never followed: a compression loop costs nothing. Raises `NotUnderstood` for
    what does not answer this question, or ends before it should.
    """
    try:
        identifier, flags, questions, answers, _, _ = _HEADER.unpack_from(message)
        at = len(asked)  # the question is repeated in front of the answer
        same = message[_HEADER.size : at].lower() == asked[_HEADER.size :].lower()
        if identifier != int.from_bytes(asked[:2], "big") or not flags & 0x8000 or questions != 1 or not same:
            raise NotUnderstood("not the answer to the question", f"{len(message)} bytes")
        code, truncated = flags & 0xF, bool(flags & 0x0200)
        if truncated:
            return Answer(code, truncated, ())
        kind = int.from_bytes(asked[-4:-2], "big")
        return Answer(code, truncated, _addresses(message, at, min(answers, _MOST), kind))
    except (struct.error, IndexError) as error:
        raise NotUnderstood("the answer is cut off", f"{len(message)} bytes") from error


def _addresses(message: bytes, at: int, records: int, wanted: int) -> tuple[str, ...]:
    found: list[str] = []
    for _ in range(records):
        at = _after_name(message, at)
        kind, network, _, size = struct.unpack_from("!HHIH", message, at)
        data = message[at + 10 : at + 10 + size]
        at += 10 + size
        if len(data) != size:
            raise IndexError(at)
        if (kind, network) == (wanted, _INTERNET) and size == _SIZES[wanted]:
            found.append(str(IPv4Address(data) if size == 4 else IPv6Address(data)))
    return tuple(found)


def _after_name(message: bytes, at: int) -> int:
    while size := message[at]:
        if size >= 0xC0:  # a pointer ends the name (RFC 1035 §4.1.4)
            return at + 2
        at += 1 + size
    return at + 1
