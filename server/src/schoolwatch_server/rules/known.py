"""What a school's network is known to have, as people are told it, and what nobody saw for long. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from schoolwatch_server.rules.announced import by_detail
from schoolwatch_server.rules.learning import IN_FIRST_DAYS, Learnt, known_of
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.sighted import Sighted


@dataclass(frozen=True, slots=True)
class Known:
    """A machine (or whatever the rule tells apart) that is known; times are UTC seconds.

    `says` is what it announces, detail by detail. `words` are when people said that it is no fault;
    `was_there`: something of it was there in the first days. `last` is when it was seen last, to a day; None:
    not since a person said so.
    """

    rule: Rule
    part: str
    says: tuple[tuple[str, str], ...]
    since: float
    was_there: bool
    words: tuple[float, ...]
    last: float | None


def known(
    rule: Rule,
    learnt: Learnt,
    told: Mapping[str, tuple[Sighted, ...]],
    cleared: Mapping[str, Collection[float]],
    ended: Mapping[str, float],
) -> Iterator[Known]:
    """What this rule lets pass: what it has learned, and what people said of which nothing was seen since.

    By part: `told` is what its incidents remember (of this rule and of the one about changes), `cleared` when
    people closed one as no fault, `ended` when it was known no more (see `learning.look`).
    """
    by = rule.learn.by if rule.learn is not None else ()
    for part in dict.fromkeys((*learnt.known, *told)):
        end = ended.get(part, 0.0)
        words = [at for at in cleared.get(part, ()) if at > end]
        mine = known_of(learnt, part, words, end)
        new = {
            value: at
            for state in told.get(part, ())
            for at in words
            if at >= state.since
            for value in state.told
            if value not in mine
        }
        if not mine and not new:
            continue
        since, last = learnt.seen.get(part, (0.0, 0.0)) if mine else (min(new.values()), None)
        reasons = {**mine, **new}.values()
        spoken = tuple(sorted({at for at in reasons if at > IN_FIRST_DAYS}))
        was_there = len(spoken) < len(set(reasons))
        yield Known(rule, part, by_detail(by, {**mine, **new}), since, was_there, spoken, last)


def unseen(of_place: Mapping[str, tuple[Rule, Learnt]], now: float) -> Iterator[tuple[str, str]]:
    """Rule and part of what a place has not shown for the rule's `keep`, while others of it were seen.

    A network that nobody hears shows nothing: the newest sighting of anything known there is the clock, but
    for one that is after `now`, which was written while the server's clock was ahead.
    """
    seen = [last for _, learnt in of_place.values() for _, last in learnt.seen.values()]
    now = max((last for last in seen if last <= now), default=0.0)
    for name, (rule, learnt) in of_place.items():
        for part, (_, last) in learnt.seen.items():
            if rule.learn is not None and now - last > rule.learn.keep:
                yield name, part
