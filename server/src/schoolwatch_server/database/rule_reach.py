"""Whom rules judge: which schools a restricted one is about, and what ends when one no longer judges."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Select, delete, select, update

from schoolwatch_server.database import incidents, memories
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.levels import stages
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.rule import Only
from schoolwatch_server.rules.subject import Kind, Subject, device, parse


@dataclass(frozen=True, slots=True)
class _Place:
    commune: str
    level: str | None  # None of a commune: its schools teach all


def apart(
    conn: Connection, rules: Sequence[Rule], subjects: Collection[Subject]
) -> frozenset[tuple[str, Subject]]:
    """(rule, subject) of those subjects that are in no school or commune to which the rule is restricted."""
    limited = [rule for rule in rules if rule.only != Only()]
    if not limited:
        return frozenset()
    places = dict(_places(conn, subjects))
    return frozenset(
        (rule.id, subject)
        for rule in limited
        for subject in subjects
        if not _is_within(rule.only, places.get(subject))
    )


def withdraw(conn: Connection, id_: str, rule: Rule | None, now: float) -> int:
    """Ends what a rule had found where it judges no more, and forgets what it remembered; how many incidents.

    `rule` is as it is now, None when there is none any more. That the fault is mended is not said: nobody
    looks any longer.
    """
    found, remembered = _found(conn, id_), _remembered(conn, id_)
    if rule is None or not rule.enabled:
        conn.execute(delete(t.rule_state).where(t.rule_state.c.rule == id_))
        memories.forget(conn, id_)
    else:
        gone = {subject for _, subject in apart(conn, [rule], found | remembered)}
        incidents.write_states(conn, {(id_, subject): {} for subject in remembered & gone})
        memories.forget(conn, id_, {subject.id for subject in gone if subject.kind == "device"})
        found &= gone
    f, closed = t.standing_fault.c, 0
    detail = {"at": now, "rule": rule.name if rule else id_}
    for subject in sorted(found, key=str):
        mark = incidents.fingerprint(id_, subject)
        closed += incidents.close_incident(conn, mark, now, detail, now, kind="withdrawn") is not None
        standing = update(t.standing_fault).where(f.fingerprint == mark, f.ended_at.is_(None))
        conn.execute(standing.values(ended_at=now, withdrawn=True))
    return closed


def rules_found(conn: Connection) -> frozenset[str]:
    """The rules of which there is an open incident, but for exercises, or a standing fault."""
    i, f = t.incident.c, t.standing_fault.c
    is_open = i.closed_at.is_(None), ~i.is_exercise
    return frozenset(
        (
            *conn.scalars(select(i.rule).where(*is_open).distinct()),
            *conn.scalars(select(f.rule).where(f.ended_at.is_(None)).distinct()),
        )
    )


def _found(conn: Connection, id_: str) -> set[Subject]:
    """Of what a rule has an open incident or a standing fault; an exercise ends by itself."""
    i, f = t.incident.c, t.standing_fault.c
    marks = (
        *conn.scalars(select(i.fingerprint).where(i.rule == id_, i.closed_at.is_(None), ~i.is_exercise)),
        *conn.scalars(select(f.fingerprint).where(f.rule == id_, f.ended_at.is_(None))),
    )
    return {parse(mark.removeprefix(f"{id_}:")) for mark in marks}


def _remembered(conn: Connection, id_: str) -> set[Subject]:
    s = t.rule_state.c
    rows = {parse(text) for text in conn.scalars(select(s.subject).where(s.rule == id_))}
    return rows | {device(one) for one in memories.remembering(conn, id_)}


def _is_within(only: Only, place: _Place | None) -> bool:
    if place is None:
        return False
    if only.communes and place.commune not in only.communes:
        return False
    return not only.levels or place.level is None or bool(set(only.levels) & set(stages(place.level)))


def _places(conn: Connection, subjects: Iterable[Subject]) -> Iterator[tuple[Subject, _Place]]:
    by_id: dict[tuple[Kind, int], list[Subject]] = {}
    for subject in subjects:
        by_id.setdefault((subject.kind, subject.id), []).append(subject)
    c, m, r, of = t.commune.c, t.membership.c, t.room.c, t.school.c
    in_commune = of.commune_id == c.id
    queries: tuple[tuple[Kind, Column[int], Select[Any]], ...] = (
        (
            "device",
            m.device_id,
            select(m.device_id, c.code, of.level)
            .join(t.school, of.id == m.school_id)
            .join(t.commune, in_commune)
            .where(m.valid_to.is_(None)),
        ),
        (
            "room",
            r.id,
            select(r.id, c.code, of.level).join(t.school, of.id == r.school_id).join(t.commune, in_commune),
        ),
        ("school", of.id, select(of.id, c.code, of.level).join(t.commune, in_commune)),
    )
    for kind, column, query in queries:
        for part in in_parts(id_ for which, id_ in by_id if which == kind):
            for id_, code, level in conn.execute(query.where(column.in_(part))):
                for subject in by_id[kind, id_]:
                    yield subject, _Place(code, level)
    communes = [id_ for which, id_ in by_id if which == "commune"]
    for id_, code in conn.execute(select(c.id, c.code).where(c.id.in_(communes))) if communes else ():
        for subject in by_id["commune", id_]:
            yield subject, _Place(code, None)
