"""What a school's network is known to have, so that only what is new opens an incident. Pure.

Known becomes what a gateway's link sees in its first days, and what a person has called no fault: a machine,
and each value that it announces, so that an answer with fewer of them is known too. All else is a stranger.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from schoolwatch_server.rules.announced import announced, in_words
from schoolwatch_server.rules.kept import MANY
from schoolwatch_server.rules.rule import Learn, Rule
from schoolwatch_server.rules.sighted import UNHEARD, Seen, Sighted, Spans, concerns, part_of, place_of
from schoolwatch_server.rules.step import Event, Evidence
from schoolwatch_server.rules.subject import Subject

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

SPANS_MAX: Final = 4
"""Times without such a gap that are remembered of a link, the newest."""

SEEN_EVERY: Final = 86_400.0
"""Seconds after which something known is seen again that this is written down: a sensor tells it hourly."""

IN_FIRST_DAYS: Final = 0.0
"""Why something is known where no person has said so: this, or when it was there (UTC seconds) below it."""


def subjects(
    rules: Iterable[Rule], sightings: Mapping[int, Sequence[Seen]], devices: Mapping[int, int]
) -> set[Subject]:
    """All of which rules may remember something that these sightings concern; `devices` is whose a row is."""
    found = set()
    for rule in rules:
        for row_id, told in sightings.items():
            for seen in told:
                if concerns(rule, seen):
                    place = place_of(rule, seen, devices[row_id])
                    parts = {part_of(rule, seen), *(("", OTHERS) if rule.learn else ())}
                    found |= {Subject(place.kind, place.id, part) for part in parts}
    return found


class Listening(msgspec.Struct, frozen=True, omit_defaults=True):
    """Link (`nic`) → since when a gateway's sensor listens there, and when it did so without a gap.

    UTC seconds; of a link whose sensor never said that it listens there is nothing in `spans`.
    """

    since: dict[str, float] = {}
    spans: dict[str, Spans] = {}

    def on(self, nic: str, at: float) -> "Listening":
        """Also then; the same where that is nothing new."""
        if at >= self.since.get(nic, float("inf")) or (
            nic not in self.since and len(self.since) >= LINKS_MAX
        ):
            return self
        return msgspec.structs.replace(self, since={**self.since, nic: at})

    def heard(self, nic: str, at: float) -> "Listening":
        """The sensor said that it listened there then."""
        spans = self.spans.get(nic, ())
        if nic not in self.spans and len(self.spans) >= LINKS_MAX:
            return self
        for begin, end in spans:
            if begin - UNHEARD <= at <= end + UNHEARD:
                longer = (min(begin, at), max(end, at))
                rest = tuple(one for one in spans if one != (begin, end))
                return self._with(nic, (*rest, longer))
        return self._with(nic, (*spans, (at, at)))

    def _with(self, nic: str, spans: Spans) -> "Listening":
        joined: list[tuple[float, float]] = []
        for begin, end in sorted(spans):
            if joined and begin - joined[-1][1] <= UNHEARD:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((begin, end))
        return msgspec.structs.replace(self, spans={**self.spans, nic: tuple(joined[-SPANS_MAX:])})

    def began(self, nic: str, at: float) -> float:
        """Since when, as far as is known."""
        return self.since.get(nic, min(self.since.values(), default=at))


class Learnt(msgspec.Struct, frozen=True):
    """What one rule remembers of a place.

    `known`: machine → each value that it may announce → when a person said so, or minus when it was there in
    the first days of a link (0: then, too); `seen`: machine → since when it is known, and when it was last
    seen, to a day.
    `strangers`: machine → when it was last heard of, where that is an incident or was one just now.
    `journal` is the newest row that was judged. All times are UTC seconds.
    """

    journal: int = 0
    known: dict[str, dict[str, float]] = {}
    strangers: dict[str, float] = {}
    seen: dict[str, tuple[float, float]] = {}

    def since(self, part: str) -> float:
        """Since when it is known."""
        return self.seen.get(part, (0.0, 0.0))[0]


class Stranger(msgspec.Struct, frozen=True):
    """A sighting that is to be judged, under which part; `says` is what it announces.

    `is_known`: the machine is known, what it announces is not.
    """

    part: str
    seen: Seen
    says: tuple[str, ...] = ()
    is_known: bool = False


class Spoken(msgspec.Struct, frozen=True):
    """What a rule remembers of a machine's newest incident, and when people closed such as no fault."""

    rule: Rule
    state: Sighted
    cleared: Collection[float] = ()


def look(
    rule: Rule,
    learn: Learn,
    learnt: Learnt,
    part: str,
    seen: Seen,
    told: Sequence[Spoken],
    since: float,
    ended: float = 0.0,
) -> tuple[Learnt, Stranger | tuple[Rule, Event] | None]:
    """What is known after a sighting, and whether it is a stranger, or has become known by a person's word.

    `told` is of this rule, and of its `changed`. `since` is when its link was first listened to, `ended` when
    a person said last that this part is known no more (UTC seconds; 0: never): what was known until then
    isn't, nor is it learned again without a word. Nothing comes of what is known; but what came to be known
    in the first days of a newer link is new on one that has listened for longer, and known no more.
    """
    says = announced(learn.by, {**seen.detail, "subject": seen.subject})
    cleared = {at for one in told for at in one.cleared if at > ended}
    held = learnt.known.get(part, {})
    mine = known_of(learnt, part, cleared, ended, since + learn.seconds)
    if all(one in mine for one in says):
        if earlier := {one: -seen.seen_at for one in says if seen.seen_at < -mine[one]}:  # it came late
            learnt = _knowing(learnt, part, {**mine, **earlier}, seen.seen_at)
        return _seen(learnt, part, seen), None
    if mine != held:  # a word was taken back, or who knew it had not listened for long
        learnt = _knowing(learnt, part, mine, seen.seen_at)
    for one in told:
        if all(value in mine or value in one.state.told for value in says):
            by_whom = [at for at in one.cleared if max(one.state.since, ended) <= at <= seen.arrived_at]
            if by_whom:
                word = max(by_whom)
                news = {value: word for value in says if value not in mine}
                known = _knowing(learnt, part, {**mine, **news}, seen.seen_at)
                return known, (one.rule, _known(one, seen, word))
    heard = _heard(learnt, rule, seen)
    is_new = part not in heard and not ended and not any(one.state.is_open for one in told)
    more = {**dict.fromkeys(says, IN_FIRST_DAYS - seen.seen_at), **mine}
    if is_new and seen.seen_at < since + learn.seconds and _has_room(learnt, part, more):
        return _knowing(learnt, part, more, seen.seen_at), None
    if mine:
        learnt = _seen(learnt, part, seen)
        seen = msgspec.structs.replace(seen, detail={**seen.detail, "before": in_words(learn.by, mine)})
    if part not in heard and len(heard) >= STRANGERS_MAX:
        one_of_many = msgspec.structs.replace(seen, detail={**seen.detail, MANY: "yes"})
        return msgspec.structs.replace(learnt, strangers=heard), Stranger(
            OTHERS, one_of_many, says, bool(mine)
        )
    heard[part] = max(heard.get(part, 0.0), seen.heard_at)
    return msgspec.structs.replace(learnt, strangers=heard), Stranger(part, seen, says, bool(mine))


def known_of(
    learnt: Learnt, part: str, cleared: Collection[float], ended: float, until: float = math.inf
) -> dict[str, float]:
    """What it may announce, and by whose word, without what people took back; empty where it is not known.

    `until` is when the first days of the link that hears it ended: without what was learned later elsewhere.
    """
    if ended and learnt.since(part) <= ended:
        return {}
    held = learnt.known.get(part, {})
    return {
        one: why for one, why in held.items() if (-why < until if why <= IN_FIRST_DAYS else why in cleared)
    }


def _heard(learnt: Learnt, rule: Rule, seen: Seen) -> dict[str, float]:
    """Without those of whom nothing was heard for so long that their incident is over."""
    return {part: at for part, at in learnt.strangers.items() if seen.heard_at - at < rule.close_after}


def _has_room(learnt: Learnt, part: str, says: Collection[str]) -> bool:
    return (part in learnt.known or len(learnt.known) < KNOWN_MAX) and len(says) <= SAYS_MAX


def _knowing(learnt: Learnt, part: str, says: Mapping[str, float], at: float) -> Learnt:
    """With these as what is known of it; the oldest makes room for what people say."""
    others = [(name, told) for name, told in learnt.known.items() if name != part]
    mine = [(part, dict([*says.items()][-SAYS_MAX:]))] if says else []
    strangers = {name: when for name, when in learnt.strangers.items() if name != part or not says}
    known = dict([*others, *mine][-KNOWN_MAX:])
    seen = {name: when for name, when in learnt.seen.items() if name in known}
    if part in known:
        began, last = seen.get(part, (max(at, *says.values()), at))
        seen[part] = (began, max(last, at))
    return Learnt(learnt.journal, known, strangers, seen)


def _seen(learnt: Learnt, part: str, seen: Seen) -> Learnt:
    """With when something known was last seen, where that is news; not what the server's clock was ahead."""
    at = seen.seen_at
    began, last = learnt.seen.get(part, (at, 0.0))
    if at < last + SEEN_EVERY and last <= seen.arrived_at:
        return learnt
    return msgspec.structs.replace(learnt, seen={**learnt.seen, part: (began, at)})


def _known(told: Spoken, seen: Seen, at: float) -> Event:
    state, evidence = told.state, Evidence(0, seen.seen_at)
    return Event("known", state.since, at, False, None, evidence, told.rule.severity, state.count)
