"""What schools have declared, and how far each answer has come."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, and_, delete, exists, or_, select

from schoolwatch_server.claims.claim import Claim
from schoolwatch_server.claims.states import COUNTS
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.dependents import delete_with_dependents
from schoolwatch_server.database.reach import has_code, within
from schoolwatch_server.scope import Scope


def recognised(
    conn: Connection, scope: Scope, questions: Iterable[str] | None = None
) -> dict[int, dict[str, Claim]]:
    """Each school's newest answer to each question that came at least as far as `accepted`.

    School id → question → claim; a school without any is not in it. `questions`: these alone.
    """
    c = t.claim.c
    query = (
        select(c.school_id, c.question, c.value, c.state, c.as_of, c.changed_at, c.text, c.revision, c.id)
        .join_from(t.claim, t.school)
        .where(within(scope), has_code(), c.state.in_(COUNTS))
        .order_by(c.school_id, c.question, c.revision)  # the newest is read last and stays
    )
    if questions is not None:
        query = query.where(c.question.in_(list(questions)))
    found: dict[int, dict[str, Claim]] = {}
    for school, question, value, state, as_of, *rest in conn.execute(query):
        claim = Claim(question, value, state, date.fromisoformat(as_of), *rest)
        found.setdefault(school, {})[question] = claim
    return found


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
