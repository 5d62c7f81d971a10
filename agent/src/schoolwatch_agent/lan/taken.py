"""Who claims addresses that others are about to take (RFC 4862 §5.4; an attack of RFC 3756 §4.1.3). Pure."""

from typing import NamedTuple

from schoolwatch_agent.lan.events import Ask, Claim
from schoolwatch_agent.lan.hours import HOUR

WAIT = 3.0
"""Seconds within which a claim answers a question; a host waits for one (RetransTimer)."""
_ASKED_MAX, _WHO_MAX, _ANSWERS_MAX = 256, 64, 256


class _Asked(NamedTuple):
    mac: bytes
    at: float


class Taken:
    """The newest questions, and who answered which of them in the last hour."""

    def __init__(self) -> None:
        self._asked: dict[bytes, _Asked] = {}
        self._answers: dict[bytes, dict[bytes, _Asked]] = {}

    def ask(self, ask: Ask, at: float) -> bytes:
        """Notes the question; who it is that asks at the same time for the same, empty for nobody."""
        before = self._asked.pop(ask.address, None)
        self._asked[ask.address] = _Asked(ask.mac, at)
        if len(self._asked) > _ASKED_MAX:
            del self._asked[next(iter(self._asked))]
        return self._answered(ask.mac, ask.address, before, at)

    def claim(self, claim: Claim, at: float) -> bytes:
        """Who answered a question with this, empty for nobody."""
        return self._answered(claim.mac, claim.address, self._asked.get(claim.address), at)

    def count(self, who: bytes, at: float) -> tuple[int, int]:
        """Addresses that it answered in the last hour, and devices that had asked."""
        answers = [each for each in self._answers.get(who, {}).values() if 0 <= at - each.at < HOUR]
        return len(answers), len({each.mac for each in answers})

    def _answered(self, who: bytes, address: bytes, asked: _Asked | None, at: float) -> bytes:
        if asked is None or asked.mac == who or not 0 <= at - asked.at <= WAIT:
            return b""
        answers = self._answers.pop(who, {})
        answers.pop(address, None)
        answers[address] = _Asked(asked.mac, at)
        if len(answers) > _ANSWERS_MAX:
            del answers[next(iter(answers))]
        self._answers[who] = answers
        if len(self._answers) > _WHO_MAX:
            del self._answers[next(iter(self._answers))]
        return who
