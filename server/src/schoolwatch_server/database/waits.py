"""What waits for somebody: answers of schools and reports, counted by place and by whose turn it is."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, literal, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.managed import by_commune, of_communes
from schoolwatch_server.database.reach import has_code, within
from schoolwatch_server.database.reports import seen
from schoolwatch_server.levels import Manager
from schoolwatch_server.scope import Scope

Turn = Literal["head", "xa", "so", "recognise", "school"]
"""Whose turn it is: the school's head, the commune or the Sở as direct manager, the Sở as who recognises; the
school itself, where something came back to it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many answers, or reports, of one place that wait for the same party; `commune` is its name."""

    turn: Turn
    place: str
    commune: str
    count: int


def answers(conn: Connection, scope: Scope) -> tuple[Waiting, ...]:
    """Answers of schools, the places with most first; what came back and was answered anew is none."""
    c, s, newer = t.claim.c, t.school.c, t.claim.alias().c
    again = exists().where(
        newer.school_id == c.school_id, newer.question == c.question, newer.revision > c.revision
    )
    turn = case(
        (c.state == "submitted", literal("head")),
        (and_(c.state == "approved", by_commune()), literal("xa")),
        (c.state == "approved", literal("so")),
        (c.state == "accepted", literal("recognise")),
        (and_(c.state == "returned", ~again), literal("school")),
    )
    waiting = c.state.in_(("submitted", "approved", "accepted", "returned"))
    count = func.count()
    query = (
        select(turn, s.name, t.commune.c.name, count)
        .select_from(t.claim.join(t.school).join(t.commune))
        .where(within(scope), has_code(), waiting, turn.is_not(None))
        .group_by(turn, s.id, s.name, t.commune.c.name)
        .order_by(count.desc(), s.id)
    )
    return tuple(Waiting(*row) for row in conn.execute(query))


def decided_by(manager: Manager) -> ColumnElement[bool]:
    """Whether a report is one on which the communes decide (`xa`), or the department: for a query of them."""
    r = t.report.c
    of_commune = r.place_id.in_(of_communes())
    if manager == "xa":
        return and_(r.level == "school", of_commune)
    return or_(r.level == "commune", and_(r.level == "school", ~of_commune))


def reports(conn: Connection, scope: Scope) -> tuple[Waiting, ...]:
    """Revisions that were handed in and not decided on, or that came back; a later draft takes no place."""
    r, newer = t.report.c, t.report.alias().c
    same = [getattr(newer, name) == getattr(r, name) for name in ("kind", "level", "place_id", "period")]
    again = exists().where(*same, newer.revision > r.revision, newer.state != "frozen")
    turn = case(
        (r.state == "returned", literal("school")),
        (and_(r.level == "school", by_commune()), literal("xa")),
        else_=literal("so"),
    )
    query = (
        select(turn, r.name, func.coalesce(t.commune.c.name, ""), func.count())
        .select_from(
            t.report.outerjoin(t.school, and_(r.level == "school", t.school.c.id == r.place_id)).outerjoin(
                t.commune, t.commune.c.id == t.school.c.commune_id
            )
        )
        .where(seen(scope), r.state.in_(("handed_in", "returned")), r.level != "province", ~again)
        .group_by(turn, r.level, r.place_id, r.name, t.commune.c.name)
        .order_by(func.count().desc(), r.place_id)
    )
    return tuple(Waiting(*row) for row in conn.execute(query))
