"""What the network of a school is known to have: listed, taken back by people, forgotten when it is gone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from schoolwatch_server.access import Principal
from schoolwatch_server.database import audit
from schoolwatch_server.database import known_network as rows
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.handling import actor
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.known import Known, known, unseen
from schoolwatch_server.rules.learning import OTHERS, Learnt
from schoolwatch_server.rules.sighted import Sighted
from schoolwatch_server.rules.subject import Subject

NOBODY_SAW = "rules"
"""The actor of the audit log where nobody took it back: it was not seen for long."""


@dataclass(frozen=True, slots=True)
class Network:
    """`known` is taken for the school's own, `waiting` are incidents that nobody judged, the newest first.

    `ended` is taken for its own no more. `closed` are incidents that people called no fault, by the rule that
    learns from it, the part, and when: of many that are closed at once the instant is the same.
    """

    known: tuple[Known, ...]
    waiting: tuple[rows.Found, ...]
    ended: tuple[rows.End, ...]
    closed: Mapping[tuple[str, str, float], rows.Found]

    def said(self, one: Known) -> Iterator[tuple[float, rows.Found | None]]:
        """When people said that this is no fault, each with the incident that they closed, if it is kept."""
        return ((at, self.closed.get((one.rule.id, one.part, at))) for at in one.words)


def of_school(conn: Connection, rules: Sequence[Rule], school_id: int) -> Network:
    """All of it, as rules in force remember it; ask first whether the school may be seen."""
    teachers = _teachers(rules)
    asked = {one: rule.id for rule in teachers for one in _both(rule)}
    memory = rows.remembered(conn, asked, school_id)
    found = rows.incidents(conn, asked, school_id)
    ended = rows.ended(conn, school_id)
    listed = [one for rule in teachers for one in _known(rule, memory, found, ended, school_id)]
    return Network(
        tuple(sorted(listed, key=_order)),
        tuple(one for one in found if one.closed_at is None),
        ended,
        {
            (asked[one.rule], one.subject.part, one.closed_at): one
            for one in found
            if one.closed_at is not None
        },
    )


def is_any(conn: Connection, rules: Sequence[Rule], school_id: int) -> bool:
    """Whether anything of a school's network is remembered, known or strange."""
    return rows.is_any(conn, {one for rule in _teachers(rules) for one in _both(rule)}, school_id)


def forget(
    engine: Engine, who: Principal, rules: Sequence[Rule], school: SchoolRow, rule: str, part: str, now: float
) -> bool:
    """From now on it is unknown: seen again, it is an incident. False where it is not known (any more)."""
    with begin_write(engine) as conn:
        here = of_school(conn, rules, school.id).known
        if not any((one.rule.id, one.part) == (rule, part) for one in here):
            return False
        rows.put_end(conn, rule, Subject("school", school.id, part), actor(who), now)
        detail = {"by": who.kind, "rule": rule, "part": part}
        audit.record(
            conn, actor=who.name, action="network.forget", subject=school.code, detail=detail, now=now
        )
    return True


def expire(engine: Engine, rules: Sequence[Rule], now: float) -> int:
    """Forgets what was not seen for long while its network was heard; how many."""
    teachers = {rule.id: rule for rule in _teachers(rules)}
    with begin_read(engine) as conn:
        gone = list(_gone(conn, teachers, now))
    if gone:
        with begin_write(engine) as conn:
            for rule, about, last in gone:
                rows.put_end(conn, rule, about, "", now)
                code = rows.code_of(conn, about.id)
                detail = {"rule": rule, "part": about.part, "last": last}
                audit.record(
                    conn, actor=NOBODY_SAW, action="network.expire", subject=code, detail=detail, now=now
                )
    return len(gone)


def _gone(conn: Connection, teachers: Mapping[str, Rule], now: float) -> Iterator[tuple[str, Subject, float]]:
    """Rule, part and when it was seen last, of what nobody has ended yet."""
    places: dict[Subject, dict[str, tuple[Rule, Learnt]]] = {}
    for name, place, learnt in rows.learnt_everywhere(conn, teachers):
        places.setdefault(place, {})[name] = teachers[name], learnt
    for place, its in places.items():
        for name, part in unseen(its, now):
            about, (since, last) = Subject("school", place.id, part), its[name][1].seen[part]
            if max(rows.ends(conn, [name], [about]).get((name, about), ()), default=0.0) <= since:
                yield name, about, last


def _order(one: Known) -> tuple[bool, str, float]:
    """Servers and routers before who may have an address, each kind together, the oldest first."""
    return bool(one.rule.same), one.rule.id, one.since


def _teachers(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if rule.learn is not None and rule.enabled and rule.scope == "school")


def _both(rule: Rule) -> tuple[str, ...]:
    """A rule that learns, and the one about changes."""
    changed = rule.learn.changed if rule.learn is not None else ""
    return (rule.id, changed) if changed else (rule.id,)


def _known(
    rule: Rule,
    memory: Mapping[tuple[str, Subject], Learnt | Sighted],
    found: Sequence[rows.Found],
    ended: Sequence[rows.End],
    school_id: int,
) -> tuple[Known, ...]:
    its = _both(rule)
    held = memory.get((rule.id, Subject("school", school_id)))
    told: dict[str, tuple[Sighted, ...]] = {}
    for (name, about), state in memory.items():
        if name in its and isinstance(state, Sighted) and about.part not in ("", OTHERS):
            told[about.part] = (*told.get(about.part, ()), state)
    cleared: dict[str, tuple[float, ...]] = {}
    for one in found:
        if one.rule in its and one.closed_at is not None:
            cleared[one.subject.part] = (*cleared.get(one.subject.part, ()), one.closed_at)
    ends: dict[str, float] = {}
    for end in ended:
        if end.rule == rule.id:
            ends[end.subject.part] = max(end.at, ends.get(end.subject.part, 0.0))
    learnt = held if isinstance(held, Learnt) else Learnt()
    return tuple(known(rule, learnt, told, cleared, ends))
