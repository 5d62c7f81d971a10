"""Whom a certificate is for (X.509 in DER: RFC 5280 §4.1, §4.2.1.6), to tell a host from what answers for it.

Nothing is verified: whoever signs, and until when, does not matter to whether a path carries packets. But
a sign-in page or a filter that answers in a host's place is not the host.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

_SEQUENCE, _EXTENSIONS, _DNS_NAME = 0x30, 0xA3, 0x82
_ALTERNATIVE_NAMES: Final = bytes.fromhex("551d11")
_COMMON_NAME: Final = bytes.fromhex("550403")
_SUBJECT: Final = 3
"""Its place among the sequences of the certificate's body: algorithm, issuer, validity, subject."""


def is_for(der: bytes, host: str) -> bool | None:
    """Whether it names the host; None where it can't tell: an address, or a certificate without names."""
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        return None
    try:
        wanted = host.rstrip(".").encode("idna").decode("ascii").lower()
        found = names(der)
    except (IndexError, ValueError):  # UnicodeError is one
        return None
    return any(_matches(name, wanted) for name in found) if found else None


def names(der: bytes) -> tuple[str, ...]:
    """The DNS names, or the subject's common names where there are none; in lower case.

    Raises IndexError or ValueError for what is no certificate.
    """
    (_, whole), *_ = _parts(der)
    (_, body), *_ = _parts(whole)
    parts = tuple(_parts(body))
    return tuple(_alternative(parts)) or tuple(_common(parts))


_Parts = tuple[tuple[int, bytes], ...]


def _alternative(body: _Parts) -> Iterator[str]:
    for tag, extensions in body:
        if tag != _EXTENSIONS:
            continue
        (_, listed), *_ = _parts(extensions)
        for _, extension in _parts(listed):
            (_, kind), *_, (_, value) = _parts(extension)  # between them it may be marked as critical
            if kind == _ALTERNATIVE_NAMES:
                (_, general), *_ = _parts(value)
                yield from (name.decode("ascii").lower() for t, name in _parts(general) if t == _DNS_NAME)


def _common(body: _Parts) -> Iterator[str]:
    subject = [content for tag, content in body if tag == _SEQUENCE][_SUBJECT]
    for _, relative in _parts(subject):
        for _, attribute in _parts(relative):
            (_, kind), (_, value) = _parts(attribute)
            if kind == _COMMON_NAME:
                yield value.decode("utf-8").lower()


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element (X.690 §8.1); lengths of up to three octets."""
    at = 0
    while at < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size >= 0x80:
            octets = size & 0x7F
            if not 1 <= octets <= 3:
                raise ValueError("a length that no certificate has")
            size = int.from_bytes(data[at : at + octets], "big")
            at += octets
        if at + size > len(data):
            raise IndexError(at)
        yield tag, data[at : at + size]
        at += size


def _matches(name: str, wanted: str) -> bool:
    """A star stands for the one label at the left (RFC 9525 §6.3)."""
    if name.startswith("*."):
        return wanted.partition(".")[2] == name[2:] and "." in name[2:]
    return name == wanted
