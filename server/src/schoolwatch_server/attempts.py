"""How many wrong secrets an address may send before it must wait; good ones are never counted."""

import hashlib
import ipaddress
import threading
import time
from collections import OrderedDict

CROWD = 10
"""A whole school behind one address (NAT) may be wrong so many times as often as one person."""


class Attempts:
    """Failures of each address within a window; kept in memory, bounded, forgotten at a restart.

    Only failures count: a lab of 50 PCs behind one address enrols without waiting. What is said to be `about`
    one account is counted for that account, and `CROWD` times as many for all of them: who guesses passwords
    in a school's lab does not lock its teachers out. An IPv6 subscriber has a whole /64 (RFC 6177), so that
    is what is counted there.
    """

    def __init__(self, most: int, seconds: float, addresses: int = 10_000) -> None:
        self._most, self._seconds, self._addresses = most, seconds, addresses
        self._failed: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str, about: str = "", *, now: float | None = None) -> float:
        """Seconds until the address may try again; 0 when it may now."""
        at, source = time.monotonic() if now is None else now, source_of(address)
        if not about:
            return self._left((source, ""), self._most, at)
        return max(
            self._left((source, _short(about)), self._most, at),
            self._left((source, _ALL), self._most * CROWD, at),
        )

    def failed(self, address: str, about: str = "", *, now: float | None = None) -> None:
        """Counts one failure; the window starts with its first."""
        at, source = time.monotonic() if now is None else now, source_of(address)
        with self._lock:
            for key in [(source, _short(about)), (source, _ALL)] if about else [(source, "")]:
                since, count = self._failed.pop(key, (at, 0))
                self._failed[key] = (since, count + 1) if at - since < self._seconds else (at, 1)
            while len(self._failed) > self._addresses:
                self._failed.popitem(last=False)

    def _left(self, key: tuple[str, str], most: int, at: float) -> float:
        with self._lock:
            since, count = self._failed.get(key, (at, 0))
        return max(0.0, since + self._seconds - at) if count >= most else 0.0


_ALL = "*"
"""Stands for all accounts together; a digest is never it."""


def _short(about: str) -> str:
    return hashlib.sha256(about.encode("utf-8", "replace")).hexdigest()[:32]


def source_of(address: str) -> str:
    """Whom an address stands for: itself, or its IPv6 network of 64 bits."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else address
