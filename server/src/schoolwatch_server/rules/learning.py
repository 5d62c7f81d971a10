"""What a school's network is known to have, so that only what is new opens an incident. Pure.

Known becomes what a gateway's link sees in its first days, and what a person has called no fault; known is a
machine together with what it announces. Whatever else is seen is a stranger.
"""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from schoolwatch_server.rules.announced import announced
from schoolwatch_server.rules.rule import Learn, Rule
from schoolwatch_server.rules.sighted import Seen, Sighted
from schoolwatch_server.rules.step import Event, Evidence

KNOWN_MAX: Final = 64
"""Machines that a place may know; of more in its first days each is a stranger: somebody fakes them."""

SAYS_MAX: Final = 8
"""Different things that a known machine may announce."""

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

    `known`: machine → what it may announce → when a person said so (0: it was there in the first days).
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
    says: str = ""


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
    why = learnt.known.get(part, {}).get(says)
    if why is not None and (why == IN_FIRST_DAYS or why in cleared):
        return learnt, None
    if why is not None:  # that person, or another, took it back
        learnt = _unknown(learnt, part, says)
    if says in state.told:
        by_whom = [at for at in cleared if state.since <= at <= seen.arrived_at]
        if by_whom:
            return _known(learnt, part, says, max(by_whom)), _cleared(rule, state, seen, max(by_whom))
    heard = _heard(learnt, rule, seen)
    is_new = part not in heard and not state.is_open
    if is_new and seen.seen_at < since + learn.seconds and _has_room(learnt, part):
        return _known(learnt, part, says, IN_FIRST_DAYS), None
    before = " / ".join(learnt.known.get(part, ()))
    if before:
        seen = msgspec.structs.replace(seen, detail={**seen.detail, "before": before})
    if part not in heard and len(heard) >= STRANGERS_MAX:
        return msgspec.structs.replace(learnt, strangers=heard), Stranger(OTHERS, seen, says)
    heard[part] = max(heard.get(part, 0.0), seen.heard_at)
    return msgspec.structs.replace(learnt, strangers=heard), Stranger(part, seen, says)


def _heard(learnt: Learnt, rule: Rule, seen: Seen) -> dict[str, float]:
    """Without those of whom nothing was heard for so long that their incident is over."""
    return {part: at for part, at in learnt.strangers.items() if seen.heard_at - at < rule.close_after}


def _has_room(learnt: Learnt, part: str) -> bool:
    says: Mapping[str, float] | None = learnt.known.get(part)
    return len(learnt.known) < KNOWN_MAX if says is None else len(says) < SAYS_MAX


def _known(learnt: Learnt, part: str, says: str, why: float) -> Learnt:
    """What people say is known in any case: the oldest makes room."""
    mine = [*learnt.known.get(part, {}).items(), (says, why)][-SAYS_MAX:]
    others = [(name, told) for name, told in learnt.known.items() if name != part]
    strangers = {name: at for name, at in learnt.strangers.items() if name != part}
    known = dict([*others, (part, dict(mine))][-KNOWN_MAX:])
    return Learnt(learnt.journal, known, strangers)


def _unknown(learnt: Learnt, part: str, says: str) -> Learnt:
    mine = {each: why for each, why in learnt.known[part].items() if each != says}
    known = {name: told for name, told in learnt.known.items() if name != part}
    return msgspec.structs.replace(learnt, known={**known, part: mine} if mine else known)


def _cleared(rule: Rule, state: Sighted, seen: Seen, at: float) -> Event:
    return Event("known", state.since, at, False, None, Evidence(0, seen.seen_at), rule.severity, state.count)
