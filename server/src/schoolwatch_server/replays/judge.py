"""One computer's reports through a rule and its draft. Pure."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence

import msgspec

from schoolwatch_contract.records import Envelope
from schoolwatch_server.replays.job import Count, Found
from schoolwatch_server.rules.follow import Occurrence, Row, fall_quiet, follow
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.sighted import Seen
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.told import NOTHING, Given
from schoolwatch_server.vietnam import day_of


def named_apart(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Versions of one rule under names of their own, so that neither meets the other's memory."""
    return tuple(msgspec.structs.replace(rule, id=f"replay_{n}") for n, rule in enumerate(rules))


def of_device(
    rules: Sequence[Rule],
    reports: Iterable[tuple[Row, Envelope | None]],
    end: float,
    given: Given = NOTHING,
    sightings: Mapping[int, Sequence[Seen]] | None = None,
    apart: Container[tuple[str, Subject]] = (),
) -> list[list[Found]]:
    """Per rule (of `named_apart`) what it would have found by `end`, had it begun with the first report."""
    memory, occurrences = follow(rules, reports, {}, given, sightings, apart)
    _, quiet = fall_quiet(rules, memory, end)
    found = {rule.id: list[Found]() for rule in rules}
    for one in (*occurrences, *quiet):
        _note(found[one.rule.id], one)
    lists = list(found.values())
    if len(lists) < 2:
        return lists
    return [
        [msgspec.structs.replace(one, in_both=_has(other, one)) for one in mine]
        for mine, other in (lists, lists[::-1])
    ]


def _note(found: list[Found], one: Occurrence) -> None:
    """Events as incidents: one opens, is over, returns within its time; a standing one goes on the list."""
    event, part = one.event, one.subject.part
    last = next((n for n in range(len(found) - 1, -1, -1) if found[n].part == part), None)
    match event.kind:
        case "opened" | "listed":
            if event.kind == "opened" and last is not None and _returns(one, found[last]):
                found[last] = msgspec.structs.replace(found[last], until=None)
                return
            listed = event.kind == "listed"
            evidence = event.last
            found.append(Found(one.subject.id, part, listed, event.since, event.at, event.late, evidence))
        case "closed" | "mended" | "stood" if last is not None:
            found[last] = msgspec.structs.replace(found[last], until=event.at)
            if event.kind == "stood":
                before = found[last]
                found.append(Found(before.device, part, True, before.since, event.at, event.late, event.last))


def _returns(one: Occurrence, last: Found) -> bool:
    over = last.until
    return not last.is_listed and over is not None and one.event.since - over <= one.rule.reopen_within


def _has(others: Sequence[Found], one: Found) -> bool:
    """Whether the other version finds the same at an overlapping time."""
    forever = float("inf")
    return any(
        (other.part, other.is_listed) == (one.part, one.is_listed)
        and other.since <= (one.until or forever)
        and one.since <= (other.until or forever)
        for other in others
    )


def count(before: Count, found: Sequence[Found]) -> Count:
    """The numbers with one computer's more."""
    opened = [one for one in found if not one.is_listed]
    days = Counter(before.by_day)
    days.update(day_of(one.at).isoformat() for one in opened)
    return Count(
        before.opened + len(opened),
        before.still_open + sum(one.until is None for one in opened),
        before.listed + len(found) - len(opened),
        dict(days),
    )
