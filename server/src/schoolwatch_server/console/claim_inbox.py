"""What waits for whoever looks: to be approved by the head, accepted by the manager, recognised by the Sở."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Form, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import claiming
from schoolwatch_server.access import ForbiddenError, Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.claims import answer as answers
from schoolwatch_server.claims.claim import Claim
from schoolwatch_server.claims.questions import Question
from schoolwatch_server.claims.states import Step
from schoolwatch_server.console import claim_words
from schoolwatch_server.console.claim_form import Id, today
from schoolwatch_server.console.claim_turns import TURNS, Turn
from schoolwatch_server.console.page import check_form, page, words_of
from schoolwatch_server.database import attachments, claim_steps, claims, registry
from schoolwatch_server.database.attachments import Attachment
from schoolwatch_server.database.claims import ClaimRow
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.packs.asked import questions
from schoolwatch_server.scope import Scope

MOST = 200
"""Answers shown at once: those that have waited longest."""


class Decision(BaseModel):
    """What somebody decides: with which of the answers shown, and with what remark."""

    csrf: str = Field("", max_length=200)
    decision: Literal["take", "take_all", "return"] = "take"
    claim: list[Id] = Field([], max_length=1000)
    all_shown: list[Id] = Field([], max_length=1000)
    remark: str = Field("", max_length=4000)


Decided = Annotated[Decision, Form()]


@dataclass(frozen=True, slots=True)
class Item:
    """An answer to decide on: with its evidence, who handed it in, and what counted before."""

    row: ClaimRow
    files: Sequence[Attachment]
    handed_in: claim_steps.EventRow | None
    before: Claim | None
    is_old: bool


@dataclass(frozen=True, slots=True)
class Pile:
    """What waits for one decision; `count` are all that were asked for, `items` the first of them.

    `by_question`: how many answers to each question wait.
    """

    turn: Turn
    by_question: Mapping[str, int]
    count: int
    items: Sequence[Item]

    @property
    def plain(self) -> Sequence[Item]:
        """Those that nothing speaks against."""
        return [item for item in self.items if not item.is_old]


def show(
    request: Request,
    who: Who,
    server: Server,
    done: Annotated[int, Query(ge=0, le=1000)] = 0,
    missed: Annotated[int, Query(ge=0, le=1000)] = 0,
    question: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """Everything that waits for this person's decision, or the answers to one question."""
    if who.role == "technician" and who.scope.level == "school":  # who decides on nothing, and has one school
        return RedirectResponse("/schools/" + _own_code(who, server) + "/claims", 303)
    return _inbox(request, who, server, done=done, missed=missed, question=question)


def approve(request: Request, who: Who, server: Server, form: Decided) -> Response:
    """The school's head lets answers go to the manager, or sends them back."""
    return _decided(request, who, server, form, "approve")


def accept(request: Request, who: Who, server: Server, form: Decided) -> Response:
    """The direct manager accepts answers, or sends them back."""
    return _decided(request, who, server, form, "accept")


def recognise(request: Request, who: Who, server: Server, form: Decided) -> Response:
    """The Sở recognises answers, or sends them back, also those that it had recognised."""
    return _decided(request, who, server, form, "recognise")


def _decided(request: Request, who: Principal, server: Context, form: Decision, agrees: Step) -> Response:
    check_form(who, form.csrf)
    chosen = form.all_shown if form.decision == "take_all" else form.claim
    step, remark = "return" if form.decision == "return" else agrees, form.remark
    words = words_of(request)
    if not chosen:
        return _inbox(request, who, server, trouble=words.text("claims.nothing_chosen"), remark=remark)
    if step == "return" and not claiming.is_remark(remark):
        least = claiming.REMARK_MIN
        trouble = words.text("claims.no_remark", least=least, most=claiming.REMARK_MAX)
        return _inbox(request, who, server, trouble=trouble, chosen=chosen, remark=remark)
    asked = questions(server.packs)
    outcome = claiming.take(
        server.engine, chosen, step, who, asked, remark=remark, now=time.time(), today=today()
    )
    if not outcome.done and not outcome.refused:
        raise not_found("answer", ", ".join(map(str, chosen[:3])))
    if outcome.is_forbidden:
        raise ForbiddenError(agrees)
    return RedirectResponse(f"/claims?done={len(outcome.done)}&missed={len(outcome.refused)}", 303)


def _inbox(
    request: Request,
    who: Principal,
    server: Context,
    *,
    done: int = 0,
    missed: int = 0,
    trouble: str = "",
    chosen: Sequence[int] = (),
    remark: str = "",
    question: str = "",
) -> Response:
    asked = questions(server.packs)
    with begin_read(server.engine) as conn:
        piles = [_pile(conn, who.scope, turn, asked, question) for turn in TURNS.get(str(who.role), ())]
        communes = claims.count_waiting(conn, who.scope, "manager", by="xa") if who.role != "commune" else 0
        heads = claims.count_waiting(conn, who.scope, "head") if who.role != "school_head" else 0
    return page(
        request,
        "claim_inbox.html",
        who,
        422 if trouble else 200,
        at="/claims",
        piles=piles,
        done=done,
        missed=missed,
        trouble=trouble,
        chosen=set(chosen),
        remark=remark,
        communes=communes,
        heads=heads,
        most=MOST,
        least=claiming.REMARK_MIN,
        longest=claiming.REMARK_MAX,
        told=claim_words,
        questions=asked,
        question=question,
    )


def _own_code(who: Principal, server: Context) -> str:
    with begin_read(server.engine) as conn:
        schools = registry.schools(conn, who.scope)
    if not schools:
        raise not_found("school", "of this account")
    return schools[0].code


def _pile(conn: Connection, scope: Scope, turn: Turn, asked: Mapping[str, Question], question: str) -> Pile:
    counts = claims.waiting_by_question(conn, scope, turn.party, by=turn.manager)
    only = question if question in counts else None
    rows = claims.waiting(conn, scope, turn.party, by=turn.manager, question=only, limit=MOST)
    ids = [row.id for row in rows]
    files, events = attachments.of_claims(conn, ids), claim_steps.events(conn, ids)
    before = claims.recognised(conn, scope, schools={row.school_id for row in rows})
    items = [
        _item(
            row,
            asked.get(row.question),
            files.get(row.id, ()),
            events.get(row.id, ()),
            before.get(row.school_id, {}).get(row.question),
        )
        for row in rows
    ]
    return Pile(turn, counts, counts[only] if only else sum(counts.values()), items)


def _item(
    row: ClaimRow,
    question: Question | None,
    files: Sequence[Attachment],
    events: Sequence[claim_steps.EventRow],
    before: Claim | None,
) -> Item:
    lack = () if question is None else answers.lacks(question, row.value, len(files), row.as_of, today())
    handed_in = next((event for event in reversed(events) if event.step == "submit"), None)
    return Item(row, files, handed_in, None if before and before.id == row.id else before, "old" in lack)


ROUTES = (
    Route("GET", "/claims", show, "evidence"),
    Route("POST", "/claims/approve", approve, "approve"),
    Route("POST", "/claims/accept", accept, "accept"),
    Route("POST", "/claims/recognise", recognise, "recognise"),
)
