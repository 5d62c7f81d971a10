"""Planned work: in it, what falls silent is no news. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planned:
    """Work at a place (`level` and `place_id`; `all` is everywhere) from `starts` to `ends`, UTC seconds.

    `rule` is the one rule that is quiet meanwhile; empty is every rule that may be quiet at all.
    """

    id: int
    level: str
    place_id: int
    rule: str
    starts: float
    ends: float
    reason: str
    made_at: float
    made_by: str
    ended_by: str = ""

    def covers(self, rule: str, chain: Mapping[str, int], now: float) -> bool:
        """Whether a rule is quiet at `now` at a place; `chain` has its own level and those above it."""
        here = self.level == "all" or chain.get(self.level) == self.place_id
        return here and self.starts <= now < self.ends and self.rule in ("", rule)


def covering(planned: Iterable[Planned], rule: str, chain: Mapping[str, int], now: float) -> Planned | None:
    """The work during which a rule is quiet at a place, if there is any."""
    return next((each for each in planned if each.covers(rule, chain, now)), None)
