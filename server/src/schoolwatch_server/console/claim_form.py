"""One question that a school is asked, as a page: its form, its history, the decision that waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.claims import answer as answers
from schoolwatch_server.claims.answer import Lack
from schoolwatch_server.claims.claim import Claim
from schoolwatch_server.claims.evidence import BYTES_MAX, FILES_MAX
from schoolwatch_server.claims.questions import SCORE_MAX, Question
from schoolwatch_server.claims.states import CLOSED, may_answer, may_take
from schoolwatch_server.console import claim_words
from schoolwatch_server.console.claim_figures import note_of
from schoolwatch_server.console.page import page, words_of
from schoolwatch_server.console.schools import place_of
from schoolwatch_server.console.words import ZONE
from schoolwatch_server.database import attachments, claim_steps, claims
from schoolwatch_server.database.attachments import Attachment
from schoolwatch_server.database.claims import ClaimRow
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.registry import SchoolRow

Id = Annotated[int, Field(ge=1, le=2**53)]
"""Of an answer or a file, as a form or an address says it: no database takes a larger one."""


@dataclass(frozen=True, slots=True)
class Line:
    """A question on a school's page: its newest answer, the one that counts, and what the newest lacks."""

    question: Question
    newest: ClaimRow | None
    counts: Claim | None
    files: Sequence[Attachment]
    lacks: tuple[Lack, ...]

    @property
    def is_ready(self) -> bool:
        """Whether it is a draft that may be handed in."""
        return self.newest is not None and self.newest.state == "draft" and "evidence" not in self.lacks

    @property
    def counted_before(self) -> Claim | None:
        """What counts until the newest answer does."""
        return None if self.counts and self.newest and self.counts.id == self.newest.id else self.counts


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form of a question holds, as it was typed."""

    value: str
    text: str
    as_of: str


def today() -> date:
    """The day that it is in schools."""
    return datetime.now(ZONE).date()


def form(
    request: Request,
    who: Principal,
    server: Context,
    school: SchoolRow,
    question: Question,
    *,
    typed: Typed | None = None,
    trouble: str = "",
) -> Response:
    """The page; `typed` and `trouble`: what somebody sent, and what is wrong with it."""
    with begin_read(server.engine) as conn:
        rows = claims.history(conn, who.scope, school.id, question.id)
        files = attachments.of_claims(conn, [row.id for row in rows])
        events = claim_steps.events(conn, [row.id for row in rows])
        counted = claims.recognised(conn, who.scope, [question.id], [school.id]).get(school.id, {})
    newest = rows[0] if rows else None
    state = None if newest is None else newest.state
    return page(
        request,
        "claim.html",
        who,
        422 if trouble else 200,
        at=f"/schools/{school.code}/claims/{question.id}",
        school=school,
        place=place_of(school),
        question=question,
        line=line_of(question, newest, counted.get(question.id), files),
        typed=typed or _typed(request, server, question, newest),
        trouble=trouble,
        rows=rows,
        files=files,
        events=events,
        is_open=bool(school.code) and (state == "draft" or may_answer(state)),
        decides=_decides(who, newest),
        may_withdraw=newest is not None and may_take(who.role, newest.state, "withdraw", newest.manager),
        today=today().isoformat(),
        most=most_of(question, server),
        bytes_max=BYTES_MAX,
        files_max=FILES_MAX,
        told=claim_words,
    )


def _decides(who: Principal, newest: ClaimRow | None) -> str:
    """The decision on the newest answer that is this person's to take: `approve`, `accept`, `recognise`."""
    if newest is None or not may_take(who.role, newest.state, "return", newest.manager):
        return ""
    return {"submitted": "approve", "approved": "accept"}.get(newest.state, "recognise")


def most_of(question: Question, server: Context) -> float:
    """The highest score, as the packs in force say; where no source says it, that of a whole group."""
    known = {f"{of.id}.{one.code}": one.max for of in server.packs.criteria for one in of.criteria}
    return known.get(question.id) or SCORE_MAX


def line_of(
    question: Question,
    newest: ClaimRow | None,
    counted: Claim | None,
    files: Mapping[int, Sequence[Attachment]],
) -> Line:
    """How a question stands today."""
    if newest is None:
        return Line(question, None, counted, (), ("answer",))
    own = files.get(newest.id, ())
    lack = answers.lacks(question, newest.value, len(own), newest.as_of, today())
    return Line(question, newest, counted, own, lack)


def _typed(request: Request, server: Context, question: Question, newest: ClaimRow | None) -> Typed:
    """What the form begins with: the draft, or what came back, to be corrected; else nothing."""
    if newest is None or newest.state not in ("draft", *CLOSED):
        return Typed("", newest.text if newest is not None and question.kind == "text" else "", "")
    value = answers.typed(question, newest.value, words_of(request).language)
    text = note_of(server, newest.text) if question.with_figures else newest.text
    return Typed(value, text, newest.as_of.isoformat())
