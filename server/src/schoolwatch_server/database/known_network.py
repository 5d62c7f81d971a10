"""What schools' networks are known to have, as rules about sightings remember it, and what ended of it.

People's words reach those rules by rows of their own: by incidents that they closed as no fault, and by
`known_end`. Only who judges sightings writes what is remembered.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, insert, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.rules.follow import Ended
from schoolwatch_server.rules.learning import Learnt
from schoolwatch_server.rules.sighted import Sighted
from schoolwatch_server.rules.subject import Subject, parse

_e, _i, _s = t.known_end.c, t.incident.c, t.rule_state.c


@dataclass(frozen=True, slots=True)
class End:
    """From `at` on (UTC seconds) a rule knows it no more; nobody said so (`by` is empty): it was not seen."""

    rule: str
    subject: Subject
    at: float
    by: str


@dataclass(frozen=True, slots=True)
class Found:
    """An incident of a rule that learns, or of one that asks it: of which part, and how far it has come."""

    id: int
    rule: str
    subject: Subject
    since: float
    closed_at: float | None
    verdict: str
    verdict_by: str
    evidence: Any


def read(body: dict[str, Any]) -> Learnt | Sighted:
    """What a rule about sightings remembers, as `rule_state` has it."""
    return msgspec.convert(body, Learnt) if "known" in body else msgspec.convert(body, Sighted)


def ends(conn: Connection, rules: Collection[str], subjects: Collection[Subject]) -> Ended:
    """When what these rules knew of these subjects ended."""
    found: dict[tuple[str, Subject], tuple[float, ...]] = {}
    for part in in_parts(map(str, subjects)):
        query = select(_e.rule, _e.subject, _e.ended_at)
        query = query.where(_e.rule.in_(list(rules)), _e.subject.in_(part)).order_by(_e.id)
        for rule, subject, at in conn.execute(query):
            about = rule, parse(subject)
            found[about] = (*found.get(about, ()), at)
    return found


def put_end(conn: Connection, rule: str, subject: Subject, by: str, now: float) -> None:
    """From now on that rule knows this part of a school's network no more."""
    row = {"rule": rule, "subject": str(subject), "school_id": subject.id, "ended_at": now, "ended_by": by}
    conn.execute(insert(t.known_end).values(**row))


def remembered(
    conn: Connection, rules: Collection[str], school_id: int
) -> dict[tuple[str, Subject], Learnt | Sighted]:
    """What these rules remember of a school's network."""
    query = _remembered(rules, school_id)
    return {(rule, parse(subject)): read(body) for rule, subject, body in conn.execute(query)}


def _remembered(rules: Collection[str], school_id: int) -> Select[Any]:
    about = f"school:{school_id}"
    return select(_s.rule, _s.subject, _s.body).where(
        _s.rule.in_(list(rules)), or_(_s.subject == about, _s.subject.startswith(f"{about}:"))
    )


def is_any(conn: Connection, rules: Collection[str], school_id: int) -> bool:
    """Whether one of these rules remembers anything of a school's network."""
    return conn.scalar(_remembered(rules, school_id).limit(1)) is not None


def ended(conn: Connection, school_id: int) -> tuple[End, ...]:
    """What ended of a school, the newest first."""
    query = select(_e.rule, _e.subject, _e.ended_at, _e.ended_by).where(_e.school_id == school_id)
    rows = conn.execute(query.order_by(_e.id.desc()))
    return tuple(End(rule, parse(subject), at, by) for rule, subject, at, by in rows)


def incidents(conn: Connection, rules: Collection[str], school_id: int) -> tuple[Found, ...]:
    """Incidents of these rules about a school that are open, or that people called no fault; no exercises."""
    query = select(
        _i.id, _i.rule, _i.subject, _i.since, _i.closed_at, _i.verdict, _i.verdict_by, _i.evidence,
    ).where(
        _i.school_id == school_id, _i.rule.in_(list(rules)), _i.device_id.is_(None), ~_i.is_exercise,
        or_(_i.closed_at.is_(None), _i.verdict == "false_alarm"),
    )  # fmt: skip
    rows = conn.execute(query.order_by(_i.id.desc()))
    return tuple(Found(id_, rule, parse(about), *rest) for id_, rule, about, *rest in rows)


def learnt_everywhere(conn: Connection, rules: Collection[str]) -> Iterator[tuple[str, Subject, Learnt]]:
    """What these rules have learned of each school, place by place."""
    query = select(_s.rule, _s.subject, _s.body).where(_s.rule.in_(list(rules)))
    for rule, subject, body in conn.execute(query):
        if "known" in body and subject.startswith("school:"):
            yield rule, parse(subject), msgspec.convert(body, Learnt)


def code_of(conn: Connection, school_id: int) -> str:
    """The school's code, empty where it has none any more."""
    c = t.school_code.c
    found: str | None = conn.scalar(select(c.code).where(c.school_id == school_id, c.valid_to.is_(None)))
    return found or ""
