"""What schools have declared, and how far each answer has come; read within a scope."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, delete, exists, func, or_, select

from schoolwatch_server.claims.claim import Claim
from schoolwatch_server.claims.states import COUNTS, Party, State
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.dependents import delete_with_dependents
from schoolwatch_server.database.managed import by_commune
from schoolwatch_server.database.reach import has_code, inside, place, within
from schoolwatch_server.levels import Manager, manager
from schoolwatch_server.scope import Level, Scope


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """An answer with its school; `changed_at` is since when it is in its state."""

    id: int
    school_id: int
    school_code: str
    school: str
    commune: str
    manager: Manager | None
    question: str
    revision: int
    value: float | None
    text: str
    as_of: date
    state: State
    created_at: float
    created_by: str
    changed_at: float


def recognised(
    conn: Connection,
    scope: Scope,
    questions: Iterable[str] | None = None,
    schools: Collection[int] | None = None,
) -> dict[int, dict[str, Claim]]:
    """Each school's newest answer to each question that came at least as far as `accepted`.

    School id → question → claim; a school without any is not in it. `questions`, `schools` (their ids): these
    alone.
    """
    chosen: dict[str, object] = {}
    if questions is not None:
        chosen["questions"] = list(questions)
    if schools is not None:
        chosen["schools"] = list(schools)
    query = _recognised(scope.level, frozenset(chosen))
    found: dict[int, dict[str, Claim]] = {}
    for school, question, value, state, as_of, *rest in conn.execute(query, chosen | place(scope)):
        claim = Claim(question, value, state, date.fromisoformat(as_of), *rest)
        found.setdefault(school, {})[question] = claim
    return found


@cache
def _recognised(level: Level, chosen: frozenset[str]) -> Select[Any]:
    c, s, newer = t.claim.c, t.school.c, t.claim.alias().c
    seen = select(s.id).where(inside(level), has_code())
    # one seek for each answer: SQLite takes twice as long to group them all and to look their newest up
    replaced = exists().where(
        newer.school_id == c.school_id,
        newer.question == c.question,
        newer.revision > c.revision,
        newer.state.in_(COUNTS),
    )
    query = select(
        c.school_id, c.question, c.value, c.state, c.as_of, c.changed_at, c.text, c.revision, c.id
    ).where(c.state.in_(COUNTS), c.school_id.in_(seen), ~replaced)
    if "questions" in chosen:
        query = query.where(c.question.in_(bindparam("questions", expanding=True)))
    if "schools" in chosen:
        query = query.where(c.school_id.in_(bindparam("schools", expanding=True)))
    return query


def standings(conn: Connection, scope: Scope) -> dict[int, dict[str, tuple[State, bool]]]:
    """How far all answers have come: school id → question → state of the newest, and whether one counts."""
    c = t.claim.c
    query = select(c.school_id, c.question, c.state).select_from(t.claim.join(t.school))
    found: dict[int, dict[str, tuple[State, bool]]] = {}
    for school, question, state in conn.execute(query.where(within(scope), has_code()).order_by(c.revision)):
        of = found.setdefault(school, {})
        of[question] = state, state in COUNTS or of.get(question, (state, False))[1]
    return found


def newest(conn: Connection, scope: Scope, school_id: int) -> dict[str, ClaimRow]:
    """A school's newest answer to each question, in whatever state."""
    rows = _rows(conn, _query().where(within(scope), t.claim.c.school_id == school_id))
    return {row.question: row for row in sorted(rows, key=lambda row: row.revision)}


def history(conn: Connection, scope: Scope, school_id: int, question: str) -> tuple[ClaimRow, ...]:
    """All that a school has answered to a question, the newest first."""
    c = t.claim.c
    query = _query().where(within(scope), c.school_id == school_id, c.question == question)
    return _rows(conn, query.order_by(c.revision.desc()))


def some(conn: Connection, scope: Scope, ids: Collection[int]) -> tuple[ClaimRow, ...]:
    """Those of the answers that lie in the scope, in the order of their numbers."""
    c = t.claim.c
    return _rows(conn, _query().where(within(scope), c.id.in_(list(ids))).order_by(c.id))


def waiting(
    conn: Connection,
    scope: Scope,
    party: Party,
    *,
    by: Manager = "so",
    question: str | None = None,
    limit: int,
) -> tuple[ClaimRow, ...]:
    """Answers on which that party has to decide, those that have waited longest first.

    `by`: whose schools, where the direct manager is asked for. `question`: to this one alone.
    """
    query = _query().where(within(scope), *_turn(party, by)).order_by(t.claim.c.changed_at).limit(limit)
    return _rows(conn, query if question is None else query.where(t.claim.c.question == question))


def waiting_by_question(
    conn: Connection, scope: Scope, party: Party, *, by: Manager = "so"
) -> dict[str, int]:
    """How many answers to each question `waiting` would give without a limit."""
    c = t.claim.c
    query = select(c.question, func.count()).select_from(t.claim.join(t.school)).group_by(c.question)
    return {row[0]: row[1] for row in conn.execute(query.where(within(scope), *_turn(party, by)))}


def count_waiting(conn: Connection, scope: Scope, party: Party, *, by: Manager = "so") -> int:
    """How many answers wait for that party."""
    return sum(waiting_by_question(conn, scope, party, by=by).values())


def returned(conn: Connection, scope: Scope, school_id: int) -> tuple[ClaimRow, ...]:
    """A school's answers that came back and that it has not answered anew."""
    return tuple(row for row in newest(conn, scope, school_id).values() if row.state == "returned")


def prune(conn: Connection, before: float, limit: int) -> int:
    """Deletes answers that had their time, with their evidence; gives how many rows.

    One that counts stays until another that counts had taken its place by then; one that never counted goes
    when nothing has happened to it since.
    """
    c, newer = t.claim.c, t.claim.alias().c
    replaced = exists().where(
        newer.school_id == c.school_id,
        newer.question == c.question,
        newer.revision > c.revision,
        newer.state.in_(COUNTS),
        newer.changed_at < before,
    )
    over = and_(c.changed_at < before, or_(c.state.not_in(COUNTS), replaced))
    rows = [(id_,) for id_ in conn.scalars(select(c.id).where(over).limit(limit))]
    gone = delete_with_dependents(conn, t.claim, rows)
    body = t.attachment_body.c
    unused = ~exists().where(t.attachment.c.body_id == body.id)
    ids = list(conn.scalars(select(body.id).where(unused).limit(max(1, limit - gone))))
    return gone + conn.execute(delete(t.attachment_body).where(body.id.in_(ids))).rowcount


_STATE_OF: dict[Party, State] = {"head": "submitted", "manager": "approved", "so": "accepted"}


def _turn(party: Party, by: Manager) -> tuple[ColumnElement[bool], ...]:
    state = t.claim.c.state == _STATE_OF[party]
    if party != "manager":
        return state, has_code()
    return state, has_code(), by_commune() if by == "xa" else ~by_commune()


def _query() -> Select[Any]:
    c, s = t.claim.c, t.school.c
    present = and_(t.school_code.c.school_id == s.id, t.school_code.c.valid_to.is_(None))
    return select(
        c.id, c.school_id, func.coalesce(t.school_code.c.code, "").label("school_code"),
        s.name.label("school"), t.commune.c.name.label("commune"), s.level, s.is_specialised, s.is_boarding,
        s.manager.label("chosen"), c.question, c.revision, c.value,
        c.text, c.as_of, c.state, c.created_at, c.created_by, c.changed_at,
    ).select_from(t.claim.join(t.school).join(t.commune).outerjoin(t.school_code, present))  # fmt: skip


def _rows(conn: Connection, query: Select[Any]) -> tuple[ClaimRow, ...]:
    return tuple(_row(dict(row)) for row in conn.execute(query).mappings())


def _row(found: dict[str, Any]) -> ClaimRow:
    of_school = {name: found.pop(name) for name in ("level", "is_specialised", "is_boarding", "chosen")}
    as_of = date.fromisoformat(found.pop("as_of"))
    if found["state"] not in get_args(State):  # a newer version wrote it
        raise ValueError(f"{found['state']!r} is no state of a claim")
    return ClaimRow(**found, as_of=as_of, manager=manager(**of_school))
