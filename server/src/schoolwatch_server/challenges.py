"""Challenges to devices: each is good for one proof and one minute, and costs no memory until then."""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict

VALID = 60.0
"""Seconds in which a challenge must be answered."""


class Challenges:
    """Nonces of the form `<until>-<random>-<mac>`, which only this process can make.

    Only those that were answered rightly are remembered, so strangers cannot fill the memory.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._spent: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def issue(self, now: float | None = None) -> str:
        """A fresh nonce."""
        until = int(_clock(now) + VALID)
        text = f"{until}-{secrets.token_hex(8)}"
        return f"{text}-{self._mac(text)}"

    def is_ours(self, nonce: str, now: float | None = None) -> bool:
        """Whether it was issued here less than a minute ago."""
        text, _, mac = nonce.rpartition("-")
        until = text.partition("-")[0]
        if not hmac.compare_digest(mac.encode(), self._mac(text).encode()) or not until.isdecimal():
            return False
        return _clock(now) <= int(until)

    def spend(self, nonce: str, now: float | None = None) -> bool:
        """Uses it up; False when it was used before. To be asked only after the proof was right."""
        at = _clock(now)
        with self._lock:
            while self._spent and next(iter(self._spent.values())) < at - 2 * VALID:
                self._spent.popitem(last=False)
            if nonce in self._spent:
                return False
            self._spent[nonce] = at
            return True

    def _mac(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), hashlib.sha256).hex()[:32]


def _clock(now: float | None) -> float:
    return time.monotonic() if now is None else now
