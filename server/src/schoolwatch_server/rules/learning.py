"""What a school's network is known to have, so that only what is new opens an incident. Pure.

Known becomes what a gateway's link sees in its first days, and what a person has called no fault: a machine,
and each value that it announces, so that an answer with fewer of them is known too. All else is a stranger.
"""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from schoolwatch_server.rules.announced import announced, in_words
from schoolwatch_server.rules.rule import Learn, Rule
from schoolwatch_server.rules.sighted import Seen, Sighted
from schoolwatch_server.rules.step import Event, Evidence

KNOWN_MAX: Final = 64
"""Machines that a place may know; of more in its first days each is a stranger: somebody fakes them."""

SAYS_MAX: Final = 24
"""Different values that a known machine may announce."""

STRANGERS_MAX: Final = 10
"""Strangers at one time that are an incident each; all others together are one."""

OTHERS: Final = "others"
"""The part of that one."""

LINKS_MAX: Final = 16
"""Links of a gateway of which it is remembered since when they are listened to."""

IN_FIRST_DAYS: Final = 0.0
"""Why something is known, where no person has said so."""


class Listening(msgspec.Struct, frozen=True):
    """Link (`nic`) → since when a gateway's sensor listens there, UTC seconds."""

    since: dict[str, float] = {}

    def on(self, nic: str, at: float) -> "Listening":
        """Also then; the same where that is nothing new."""
        if at >= self.since.get(nic, float("inf")) or (
            nic not in self.since and len(self.since) >= LINKS_MAX
        ):
            return self
        return Listening({**self.since, nic: at})

    def began(self, nic: str, at: float) -> float:
        """Since when, as far as is known."""
        return self.since.get(nic, min(self.since.values(), default=at))


class Learnt(msgspec.Struct, frozen=True):
    """What one rule remembers of a place.

    `known`: machine → each value that it may announce → when a person said so (0: it was there in the first
    days).
    `strangers`: machine → when it was last heard of, where that is an incident or was one just now.
    `journal` is the newest row that was judged.
    """

    journal: int = 0
    known: dict[str, dict[str, float]] = {}
    strangers: dict[str, float] = {}


class Stranger(msgspec.Struct, frozen=True):
    """A sighting that is to be judged, under which part; `says` is what it announces."""

    part: str
    seen: Seen
    says: tuple[str, ...] = ()


def look(
    rule: Rule,
    learn: Learn,
    learnt: Learnt,
    part: str,
    seen: Seen,
    state: Sighted,
    since: float,
    cleared: Collection[float] = (),
) -> tuple[Learnt, Stranger | Event | None]:
    """What is known after a sighting, and whether it is a stranger, or has become known by a person's word.

    `since` is when its link was first listened to; `cleared` are the instants at which a person closed an
    incident about this part as no fault (UTC seconds). Nothing comes of what is known.
    """
    says = announced(learn.by, seen.detail)
    held = learnt.known.get(part, {})
    mine = {one: why for one, why in held.items() if why == IN_FIRST_DAYS or why in cleared}
    if all(one in mine for one in says):
        return learnt, None
    learnt = _knowing(learnt, part, mine) if mine != held else learnt  # a person took a word back
    if all(one in mine or one in state.told for one in says):
        by_whom = [at for at in cleared if state.since <= at <= seen.arrived_at]
        if by_whom:
            known = _knowing(learnt, part, {**mine, **dict.fromkeys(says, max(by_whom))})
            return known, _cleared(rule, state, seen, max(by_whom))
    heard = _heard(learnt, rule, seen)
    is_new = part not in heard and not state.is_open
    more = {**dict.fromkeys(says, IN_FIRST_DAYS), **mine}
    if is_new and seen.seen_at < since + learn.seconds and _has_room(learnt, part, more):
        return _knowing(learnt, part, more), None
    if mine:
        seen = msgspec.structs.replace(seen, detail={**seen.detail, "before": in_words(learn.by, mine)})
    if part not in heard and len(heard) >= STRANGERS_MAX:
        return msgspec.structs.replace(learnt, strangers=heard), Stranger(OTHERS, seen, says)
    heard[part] = max(heard.get(part, 0.0), seen.heard_at)
    return msgspec.structs.replace(learnt, strangers=heard), Stranger(part, seen, says)


def _heard(learnt: Learnt, rule: Rule, seen: Seen) -> dict[str, float]:
    """Without those of whom nothing was heard for so long that their incident is over."""
    return {part: at for part, at in learnt.strangers.items() if seen.heard_at - at < rule.close_after}


def _has_room(learnt: Learnt, part: str, says: Collection[str]) -> bool:
    return (part in learnt.known or len(learnt.known) < KNOWN_MAX) and len(says) <= SAYS_MAX


def _knowing(learnt: Learnt, part: str, says: Mapping[str, float]) -> Learnt:
    """With these as what is known of it; the oldest makes room for what people say."""
    others = [(name, told) for name, told in learnt.known.items() if name != part]
    mine = [(part, dict([*says.items()][-SAYS_MAX:]))] if says else []
    strangers = {name: at for name, at in learnt.strangers.items() if name != part or not says}
    return Learnt(learnt.journal, dict([*others, *mine][-KNOWN_MAX:]), strangers)


def _cleared(rule: Rule, state: Sighted, seen: Seen, at: float) -> Event:
    return Event("known", state.since, at, False, None, Evidence(0, seen.seen_at), rule.severity, state.count)
