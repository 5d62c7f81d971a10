"""How many requests of one API token are answered in a minute: no program takes the server from all."""

import threading
import time
from collections import OrderedDict

REQUESTS = 1200
"""In a minute, of one token: who asks for each of 1,500 schools is done in little more than one."""

SECONDS = 60.0
_TOKENS = 10_000


class Pace:
    """Requests of each token within a window that begins with its first; in memory, bounded."""

    def __init__(self, most: int = REQUESTS, seconds: float = SECONDS) -> None:
        self._most, self._seconds = most, seconds
        self._seen: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, token: str, weight: float = 1.0, *, now: float | None = None) -> float:
        """Counts a request by its weight; 0 when it is to be answered, else seconds until one is again."""
        at = time.monotonic() if now is None else now
        with self._lock:
            since, count = self._seen.pop(token, (at, 0.0))
            if at - since >= self._seconds:
                since, count = at, 0.0
            self._seen[token] = (since, count + weight)
            if len(self._seen) > _TOKENS:
                self._seen.popitem(last=False)
        return since + self._seconds - at if count >= self._most else 0.0
