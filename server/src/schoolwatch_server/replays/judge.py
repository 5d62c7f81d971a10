"""Reports through a rule and its draft, and what events come to as incidents. Pure."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schoolwatch_contract.records import Envelope
from schoolwatch_server.replays.job import Count, Found
from schoolwatch_server.rules.follow import Cleared, Ended, Occurrence, Row, follow
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.sighted import Seen
from schoolwatch_server.rules.silence import fall_quiet
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.told import NOTHING, Given
from schoolwatch_server.vietnam import day_of


def named_apart(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Versions of one rule under names of their own, so that neither meets the other's memory."""
    named = (msgspec.structs.replace(rule, id=f"replay_{n}") for n, rule in enumerate(rules))
    return tuple(
        msgspec.structs.replace(rule, known_by=f"{rule.id}_teacher") if rule.known_by else rule
        for rule in named
    )


def teachers(named: Sequence[Rule], teacher: Rule | None) -> tuple[Rule, ...]:
    """For each of `named_apart` that is known by another rule, that one: it learns for it and finds nothing.

    It keeps only what it knows: what is unknown to it is its own incident, which nobody asked for.
    """
    if teacher is None or teacher.learn is None:
        return ()
    return tuple(
        msgspec.structs.replace(
            teacher, id=rule.known_by, learn=msgspec.structs.replace(teacher.learn, changed=rule.id)
        )
        for rule in named
        if rule.known_by
    )


def of_reports(
    rules: Sequence[Rule],
    reports: Iterable[tuple[Row, Envelope | None]],
    end: float,
    given: Given = NOTHING,
    sightings: Mapping[int, Sequence[Seen]] | None = None,
    apart: Container[tuple[str, Subject]] = (),
    cleared: Cleared | None = None,
    ended: Ended | None = None,
    beside: Sequence[Rule] = (),
) -> list[list[Found]]:
    """Per rule (of `named_apart`) what it would have found by `end`, had it begun with the first report.

    Rules `beside` them are followed too, and what they find is nobody's.
    """
    memory, occurrences = follow((*rules, *beside), reports, {}, given, sightings, apart, cleared, ended)
    _, quiet = fall_quiet(rules, memory, end)
    finds = {rule.id: Finds() for rule in rules}
    for one in (*occurrences, *quiet):
        if one.rule.id in finds:
            finds[one.rule.id].note(one)
    return compared([its.found for its in finds.values()])


def compared(lists: list[list[Found]]) -> list[list[Found]]:
    """With what the other of two versions finds as well."""
    if len(lists) < 2:
        return lists
    held = [_by_subject(found) for found in lists]
    return [
        [msgspec.structs.replace(one, in_both=_has(other.get(one.subject, ()), one)) for one in mine]
        for mine, other in zip(lists, held[::-1], strict=True)
    ]


def _by_subject(found: Sequence[Found]) -> dict[str, list[Found]]:
    of: dict[str, list[Found]] = {}
    for one in found:
        of.setdefault(one.subject, []).append(one)
    return of


@dataclass
class Finds:
    """What one version has found so far, from its events: in the order in which it opened."""

    found: list[Found] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)

    def note(self, one: Occurrence) -> None:
        """An incident opens, is over, returns within its time; a standing one goes on the list."""
        event, about = one.event, str(one.subject)
        at = self.last.get(about)
        match event.kind:
            case "opened" | "listed":
                if event.kind == "opened" and at is not None and _returns(one, self.found[at]):
                    self._change(at, until=None, is_part=False)
                else:
                    self._add(one, is_listed=event.kind == "listed", since=event.since)
            case "closed" | "mended" | "stood" | "merged" | "known" | "unheard" | "untargeted" if (
                at is not None
            ):
                self._change(at, until=event.at, is_part=event.kind == "merged")
                if event.kind == "stood":
                    self._add(one, is_listed=True, since=self.found[at].since)
            case "worsened" if at is not None:
                self._change(at, severity=event.severity)

    def since(self, subject: Subject) -> float:
        """Since when the newest incident of a subject has been, UTC seconds."""
        return self.found[self.last[str(subject)]].since

    def _add(self, one: Occurrence, *, is_listed: bool, since: float) -> None:
        event, about = one.event, str(one.subject)
        self.last[about] = len(self.found)
        self.found.append(
            Found(about, is_listed, since, event.at, event.late, event.last, severity=event.severity)
        )

    def _change(self, at: int, **changes: Any) -> None:
        self.found[at] = msgspec.structs.replace(self.found[at], **changes)


def _returns(one: Occurrence, last: Found) -> bool:
    over = last.until
    return not last.is_listed and over is not None and one.event.since - over <= one.rule.reopen_within


def _has(others: Sequence[Found], one: Found) -> bool:
    """Whether the other version finds the same at an overlapping time."""
    forever = float("inf")
    return any(
        other.is_listed == one.is_listed
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
