"""What a client may ask, and what it is answered. Pure."""

import ipaddress

HEAD_MAX = 4096
"""Bytes of a request's head."""

OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"

_REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed\r\nAllow: CONNECT",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}

Address = tuple[str, int]
"""Host and port; the host as it is compared: a name in lower case, an IP address in its one short form."""


def asked(head: bytes) -> Address | int:
    """Where a request's head asks to be led, or the status (RFC 9110 §15) to answer it with."""
    words = head.partition(b"\r\n")[0].split(b" ")
    if len(words) != 3 or words[2] not in (b"HTTP/1.0", b"HTTP/1.1"):
        return 400
    if words[0] != b"CONNECT":
        return 405
    try:
        return address(words[1].decode("ascii"))
    except ValueError:
        return 400


def address(text: str) -> Address:
    """The host and port of `host:port`; an IPv6 address may stand in brackets. Raises `ValueError`."""
    host, _, port = text.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) <= 65_535
    if not host or not is_port:
        raise ValueError(f"not host:port: {text[:80]!r}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    try:
        return ipaddress.ip_address(host).compressed, int(port)
    except ValueError:
        return host.lower(), int(port)


def is_elsewhere(ip: str) -> bool:
    """Whether an IP address may be another machine's on the way to a server: a name that means this one, or
    everybody, leads nowhere."""
    try:
        found = ipaddress.ip_address(ip)
    except ValueError:  # such as one with a scope: it is of this link alone
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return not (found.is_loopback or found.is_unspecified or found.is_link_local or found.is_multicast)


def answer(status: int) -> bytes:
    """A refusal, without a body."""
    return f"HTTP/1.1 {status} {_REASONS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
