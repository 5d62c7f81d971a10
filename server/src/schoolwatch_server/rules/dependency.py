"""What is part of something larger is no incident of its own: which open incident silences a finding. Pure.

A rule names the rules that silence it. Where one of these has an open incident about the same place, or one
above it, the smaller finding waits; a smaller incident that is open already becomes part of the larger.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.subject import Subject

Place = tuple[str, int]
"""A kind of subject and the id."""


def in_order(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Each rule after those that silence it; where they go in a circle, one of them comes first."""
    by_id = {rule.id: rule for rule in rules}
    done: dict[str, Rule] = {}

    def visit(rule: Rule, way: frozenset[str]) -> None:
        if rule.id in done or rule.id in way:
            return
        for name in rule.silenced_by:
            if name in by_id:
                visit(by_id[name], way | {rule.id})
        done[rule.id] = rule

    for rule in rules:
        visit(rule, frozenset())
    return tuple(done.values())


def circle(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Rules that silence each other, from one back to itself; empty when there are none."""
    by_id = {rule.id: rule for rule in rules}

    def way_back(way: tuple[str, ...]) -> tuple[str, ...]:
        for name in by_id[way[-1]].silenced_by if way[-1] in by_id else ():
            if name == way[0]:
                return (*way, name)
            if name not in way and (found := way_back((*way, name))):
                return found
        return ()

    return next((found for rule in rules if (found := way_back((rule.id,)))), ())


def silencer(
    rule: Rule,
    subject: Subject,
    above: Mapping[str, int],
    open_now: Mapping[str, Iterable[Subject]],
    parts: Collection[str] = (),
) -> tuple[str, Subject] | None:
    """Rule and subject of the open incident that a finding is part of; None when it stands by itself.

    `above` are the places in which the subject lies, by kind; the server is above all. An incident about a
    part of a place (an indicator, a provider) silences what is about that part, or has it among its own
    `parts`, alone.
    """
    places: set[Place] = {(subject.kind, subject.id), *above.items()}
    for name in rule.silenced_by:
        for other in open_now.get(name, ()):
            here = other.kind == "server" or (other.kind, other.id) in places
            if here and other.part in ("", subject.part, *parts):
                return name, other
    return None
