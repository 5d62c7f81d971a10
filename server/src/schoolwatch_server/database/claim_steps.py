"""Writes answers and their steps: what was handed in is never changed, a new answer is a new row."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from schoolwatch_server.claims.answer import Answer
from schoolwatch_server.claims.states import CLOSED, State, Step, may_answer
from schoolwatch_server.database import attachments
from schoolwatch_server.database import tables as t


class WaitsError(Exception):
    """The school's last answer to this question still waits for somebody."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """A step that somebody took with an answer."""

    at: float
    step: Step
    actor: str
    role: str
    remark: str


def draft(conn: Connection, school_id: int, question: str, answer: Answer, *, by: str, now: float) -> int:
    """Keeps an answer as the school's draft; its number.

    A new one brings along the evidence of the answer that came back. Raises `WaitsError`.
    """
    c = t.claim.c
    conn.execute(select(t.school.c.id).where(t.school.c.id == school_id).with_for_update())  # one at a time
    last = conn.execute(
        select(c.id, c.state, c.revision)
        .where(c.school_id == school_id, c.question == question)
        .order_by(c.revision.desc())
        .limit(1)
    ).first()
    values = {"value": answer.value, "text": answer.text, "as_of": answer.as_of.isoformat()}
    values |= {"changed_at": now, "created_by": by}
    if last is not None and last.state == "draft":
        kept = conn.execute(update(t.claim).where(c.id == last.id, c.state == "draft").values(values))
        if kept.rowcount != 1:  # it was handed in meanwhile
            raise WaitsError
        return int(last.id)
    if last is not None and not may_answer(last.state):
        raise WaitsError
    row = {"school_id": school_id, "question": question, "revision": 1 + (last.revision if last else 0)}
    made = conn.execute(insert(t.claim).values(**row, **values, created_at=now).returning(c.id)).scalar_one()
    if last is not None and last.state in CLOSED:
        attachments.carry_over(conn, last.id, made, now)
    return int(made)


def lock(conn: Connection, claim_ids: Collection[int]) -> None:
    """Nobody else changes these answers, or their files, until the transaction ends."""
    c = t.claim.c
    conn.execute(select(c.id).where(c.id.in_(list(claim_ids))).order_by(c.id).with_for_update())


def move(conn: Connection, claim_id: int, was: State, to: State, event: EventRow) -> bool:
    """Takes a step; False when the answer is in another state by now."""
    c = t.claim.c
    moved = update(t.claim).where(c.id == claim_id, c.state == was).values(state=to, changed_at=event.at)
    if conn.execute(moved).rowcount != 1:
        return False
    conn.execute(
        insert(t.claim_event).values(
            claim_id=claim_id,
            at=event.at,
            step=event.step,
            actor=event.actor,
            role=event.role,
            remark=event.remark,
        )
    )
    return True


def events(conn: Connection, claim_ids: list[int]) -> dict[int, tuple[EventRow, ...]]:
    """What happened to each of the answers, the first first."""
    e = t.claim_event.c
    query = select(e.claim_id, e.at, e.step, e.actor, e.role, e.remark).where(e.claim_id.in_(claim_ids))
    found: dict[int, tuple[EventRow, ...]] = {}
    for claim_id, *rest in conn.execute(query.order_by(e.id)):
        found[claim_id] = (*found.get(claim_id, ()), EventRow(*rest))
    return found
