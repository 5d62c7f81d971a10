"""Payloads that no honest agent sends, each with the reason that it must be counted under."""

import json
import random
import zlib
from collections.abc import Callable

from end_to_end.system import Device
from schoolwatch_contract import envelope, frame
from schoolwatch_contract.dictionary import DICTIONARY_1

Hostile = tuple[str, bytes]
"""What the server must say of it, and the bytes."""


class Attacker:
    """Somebody who took a device's key and password, and knows the format."""

    def __init__(self, device: Device, victim: Device, seed: int, now: float) -> None:
        self.device, self.victim, self.now = device, victim, now
        self.random = random.Random(seed)
        self.spool = self.random.randbytes(8).hex()
        self.seq = 0

    def kinds(self) -> tuple[Callable[[], Hostile], ...]:
        return (
            self.noise, self.cut_off, self.bomb, self.other_device, self.bad_hmac, self.huge_label,
            self.many_labels, self.nan, self.year_1601, self.year_2100, self.clock_1601, self.deep,
            self.no_json,
        )  # fmt: skip

    def _sealed(self, body: bytes) -> bytes:
        """A frame that verifies: only its inside is wrong."""
        self.seq += 1
        header = frame.Header(self.device.device, self.spool, self.seq, 1, self.now)
        return frame.seal(header, body, self.device.key)

    def _json(self, **fields: object) -> bytes:
        whole = {"schema": 1, "taken_at": self.now, "agent": "0", "readings": []} | fields
        return _deflate(json.dumps(whole).encode())

    def noise(self) -> Hostile:
        return "format", b"\x7f" + self.random.randbytes(self.random.randrange(600))

    def cut_off(self) -> Hostile:
        body = self._json(readings=[["uptime.seconds", float(n), {}] for n in range(50)])
        return "truncated", self._sealed(body[: len(body) // 2])

    def bomb(self) -> Hostile:
        return "bomb", self._sealed(_BOMB)

    def other_device(self) -> Hostile:
        """In the victim's name, on the attacker's own topic."""
        body = self._json()
        header = frame.Header(self.victim.device, self.spool, 1, 1, self.now)
        return "other_device", frame.seal(header, body, self.device.key)

    def bad_hmac(self) -> Hostile:
        header = frame.Header(self.device.device, self.spool, 1, 1, self.now)
        return "hmac", frame.seal(header, self._json(), self.random.randbytes(32))

    def huge_label(self) -> Hostile:
        return "value", self._sealed(self._json(readings=[["link.up", 1.0, {"nic": "x" * 100_000}]]))

    def many_labels(self) -> Hostile:
        labels = {f"l{n}": "x" for n in range(5000)}
        return "value", self._sealed(self._json(readings=[["link.up", 1.0, labels]]))

    def nan(self) -> Hostile:
        return "json", self._sealed(self._json(readings=[["link.up", float("nan"), {}]]))

    def year_1601(self) -> Hostile:
        return "time", self._sealed(self._json(taken_at=-11644473600.0))

    def year_2100(self) -> Hostile:
        return "time", self._sealed(self._json(taken_at=4102444800.0))

    def clock_1601(self) -> Hostile:
        """The header's own clock, which `seal` refuses to write."""
        whole = bytearray(self._sealed(self._json()))
        self.seq -= 1
        whole[42:50] = (-11644473600000).to_bytes(8, "big", signed=True)
        return "time", bytes(whole)

    def deep(self) -> Hostile:
        return "json", self._sealed(_deflate(b'{"schema":1,"readings":' + b"[" * 100_000))

    def no_json(self) -> Hostile:
        return "json", self._sealed(_deflate(self.random.randbytes(40)))


def _deflate(text: bytes) -> bytes:
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15, zdict=DICTIONARY_1)
    return deflate.compress(text) + deflate.flush()


_BOMB = _deflate(b" " * (2 * envelope.INFLATED_MAX))
