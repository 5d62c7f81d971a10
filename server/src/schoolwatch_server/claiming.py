"""A school's answers are filled in, handed in and decided on, each step with a line in the audit log."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import Connection, Engine

from schoolwatch_server.access import Principal
from schoolwatch_server.claims.answer import Answer, lacks
from schoolwatch_server.claims.evidence import File
from schoolwatch_server.claims.questions import Question
from schoolwatch_server.claims.states import Step, leads_to, may_take
from schoolwatch_server.database import attachments, audit, claims
from schoolwatch_server.database import claim_steps as steps
from schoolwatch_server.database.attachments import Attachment
from schoolwatch_server.database.claim_steps import EventRow
from schoolwatch_server.database.claim_steps import WaitsError as WaitsError
from schoolwatch_server.database.claims import ClaimRow
from schoolwatch_server.database.engine import begin_write

REMARK_MIN, REMARK_MAX = 5, 1000
"""Characters of the remark with which an answer goes back: the school must know what to do."""

Why = Literal["moved", "not_yours", "evidence"]
"""Why a step was not taken: somebody was first, it is another's to take, or evidence lacks."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step with several answers."""

    done: tuple[ClaimRow, ...]
    refused: tuple[tuple[ClaimRow, Why], ...]

    @property
    def is_forbidden(self) -> bool:
        """Whether none of them was this person's to decide on."""
        return not self.done and bool(self.refused) and all(why == "not_yours" for _, why in self.refused)


def save(
    engine: Engine,
    school: tuple[int, str],
    question: Question,
    answer: Answer,
    files: Collection[File],
    *,
    by: str,
    now: float,
) -> int:
    """Keeps an answer and its files as the school's draft (`school`: its id and code); its number.

    Raises `WaitsError` and `EvidenceError`, and then nothing is kept.
    """
    with begin_write(engine) as conn:
        claim = steps.draft(conn, school[0], question.id, answer, by=by, now=now)
        for file in files:
            attachments.add(conn, school[0], claim, file, now)
        detail = {"question": question.id, "claim": claim, "value": answer.value, "files": len(files)}
        audit.record(conn, actor=by, action="claim.save", subject=school[1], detail=detail, now=now)
    return claim


def remove_file(engine: Engine, attachment_id: int, who: Principal, now: float) -> ClaimRow | None:
    """Takes a file from a draft; the draft, or None when there is no such file of a draft in one's scope."""
    with begin_write(engine) as conn:
        file = attachments.find(conn, who.scope, attachment_id)
        steps.lock(conn, [] if file is None else [file.claim_id])
        rows = claims.some(conn, who.scope, [] if file is None else [file.claim_id])
        if file is None or not rows or rows[0].state != "draft":
            return None
        attachments.remove(conn, file.id)
        detail = {"question": rows[0].question, "claim": rows[0].id, "sha256": file.sha256}
        audit.record(
            conn,
            actor=who.name,
            action="claim.remove_file",
            subject=rows[0].school_code,
            detail=detail,
            now=now,
        )
    return rows[0]


def is_remark(text: str) -> bool:
    """Whether an answer may go back with it."""
    return REMARK_MIN <= len(_plain(text)) <= REMARK_MAX


def take(
    engine: Engine,
    ids: Collection[int],
    step: Step,
    who: Principal,
    asked: Mapping[str, Question],
    *,
    remark: str = "",
    now: float,
    today: date,
) -> Outcome:
    """Takes a step with each of the answers that lie in the person's scope.

    `asked` is what schools are asked. What the school's head hands in is approved with it.
    Raises ValueError for a return without a remark.
    """
    if step == "return" and not is_remark(remark):
        raise ValueError("say why it goes back")
    done: list[ClaimRow] = []
    refused: list[tuple[ClaimRow, Why]] = []
    with begin_write(engine) as conn:
        steps.lock(conn, ids)
        rows = claims.some(conn, who.scope, ids)
        files = attachments.of_claims(conn, [row.id for row in rows])
        for row in rows:
            held = files.get(row.id, ())
            why = _why_not(row, step, who, asked.get(row.question), len(held), today)
            if why is None and not _taken(conn, row, step, who, held, _plain(remark)[:REMARK_MAX], now):
                why = "moved"
            if why is None:
                done.append(row)
            else:
                refused.append((row, why))
    return Outcome(tuple(done), tuple(refused))


def _why_not(
    row: ClaimRow, step: Step, who: Principal, question: Question | None, files: int, today: date
) -> Why | None:
    if leads_to(row.state, step) is None or not row.school_code:
        return "moved"
    if not may_take(who.role, row.state, step, row.manager):
        return "not_yours"
    if step == "submit" and question is not None:
        lack = lacks(question, row.value, files, row.as_of, today)
        return "evidence" if "evidence" in lack else None
    return None


def _taken(
    conn: Connection,
    row: ClaimRow,
    step: Step,
    who: Principal,
    files: Collection[Attachment],
    remark: str,
    now: float,
) -> bool:
    """Takes the step and writes it down; False when somebody was first."""
    state, role = row.state, str(who.role or "")
    chain: tuple[Step, ...] = ("submit", "approve") if step == "submit" and role == "school_head" else (step,)
    for one in chain:
        after = leads_to(state, one)
        event = EventRow(now, one, who.name, role, remark)
        if after is None or not steps.move(conn, row.id, state, after, event):
            return False
        detail = {
            "question": row.question,
            "claim": row.id,
            "revision": row.revision,
            "value": row.value,
            "as_of": row.as_of.isoformat(),
            "files": [file.sha256 for file in files],
            "remark": remark,
        }
        audit.record(
            conn, actor=who.name, action=f"claim.{one}", subject=row.school_code, detail=detail, now=now
        )
        state = after
    return True


def _plain(text: str) -> str:
    """In one line, of characters that can be read and that every database takes."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
