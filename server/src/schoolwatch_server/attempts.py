"""How many wrong secrets an address may send before it must wait; good ones are never counted."""

import ipaddress
import threading
import time
from collections import OrderedDict


class Attempts:
    """Failures of each address within a window; kept in memory, bounded, forgotten at a restart.

    Only failures count: a lab of 50 PCs behind one address enrols without waiting. An IPv6 subscriber has
    a whole /64 (RFC 6177), so that is what is counted there.
    """

    def __init__(self, most: int, seconds: float, addresses: int = 10_000) -> None:
        self._most, self._seconds, self._addresses = most, seconds, addresses
        self._failed: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str, now: float | None = None) -> float:
        """Seconds until the address may try again; 0 when it may now."""
        at = time.monotonic() if now is None else now
        with self._lock:
            since, count = self._failed.get(_source(address), (at, 0))
        return max(0.0, since + self._seconds - at) if count >= self._most else 0.0

    def failed(self, address: str, now: float | None = None) -> None:
        """Counts one failure; the window starts with its first."""
        at = time.monotonic() if now is None else now
        with self._lock:
            since, count = self._failed.pop(_source(address), (at, 0))
            self._failed[_source(address)] = (since, count + 1) if at - since < self._seconds else (at, 1)
            while len(self._failed) > self._addresses:
                self._failed.popitem(last=False)


def _source(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else address
