"""What a school declares with evidence: all questions on one page, each with its form and its history."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import claiming
from schoolwatch_server.access import ForbiddenError, Principal, authorise
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.claims import answer as answers
from schoolwatch_server.claims.answer import AnswerError
from schoolwatch_server.claims.evidence import BYTES_MAX, FILES_MAX, EvidenceError, accept
from schoolwatch_server.claims.questions import Question, of_school
from schoolwatch_server.claims.states import Step
from schoolwatch_server.console import claim_words
from schoolwatch_server.console.claim_figures import vouched
from schoolwatch_server.console.claim_form import Id, Line, Typed, form, line_of, most_of, today
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.schools import commune_code_of, place_of, school_for, school_in_use
from schoolwatch_server.database import attachments, claim_steps, claims
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.registry import SchoolRow
from schoolwatch_server.packs.asked import questions

Ids = Annotated[list[Id], Form(max_length=1000)]


def show(
    request: Request, code: str, who: Who, server: Server, missed: Annotated[int, Query(ge=0, le=1000)] = 0
) -> Response:
    """Every question that the school is asked, with the present answer, its state and what is missing."""
    school = school_for(who, server, code)
    with begin_read(server.engine) as conn:
        newest = claims.newest(conn, who.scope, school.id)
        counted = claims.recognised(conn, who.scope, schools=[school.id]).get(school.id, {})
        files = attachments.of_claims(conn, [row.id for row in newest.values()])
        back = [row.id for row in newest.values() if row.state == "returned"]
        remarks = {id_: told[-1] for id_, told in claim_steps.events(conn, back).items()}
        commune = commune_code_of(conn, who, school)
    asked = of_school(school.level, questions(server.packs).values())
    lines = [line_of(q, newest.get(q.id), counted.get(q.id), files) for q in asked]
    by_subject: dict[str, list[Line]] = {}
    for line in lines:
        by_subject.setdefault(line.question.subject, []).append(line)
    return page(
        request,
        "claims.html",
        who,
        school=school,
        place=place_of(school),
        commune_code=commune,
        subjects=by_subject,
        states=claim_words.tally(line.newest for line in lines),
        returned=[line for line in lines if line.newest and line.newest.id in remarks],
        remarks=remarks,
        ready=[line.newest.id for line in lines if line.newest and line.is_ready],
        missed=missed,
        told=claim_words,
    )


def ask(request: Request, code: str, question: str, who: Who, server: Server) -> Response:
    """One question: the form, when it is the school's turn, and all that happened with its answers."""
    return form(request, who, server, school_for(who, server, code), _question(server, question))


async def save(request: Request, who: Who, server: Server) -> Response:
    """Keeps the draft with its files; hands it in when that was asked for."""
    # More than an answer takes are read too: how many it may have is said beside what was typed.
    async with request.form(max_files=4 * FILES_MAX, max_fields=8) as sent_form:
        check_form(who, _field(sent_form, "csrf"))
        code, question = _field(sent_form, "code"), _question(server, _field(sent_form, "question"))
        typed = Typed(_field(sent_form, "value"), _field(sent_form, "text"), _field(sent_form, "as_of"))
        is_handed_in = _field(sent_form, "then") == "submit"
        sent = [one for one in sent_form.getlist("file") if isinstance(one, UploadFile) and one.filename]
        files = [(str(one.filename), await one.read(BYTES_MAX + 1)) for one in sent]

    def work() -> Response:
        school = school_in_use(who, server, code)
        authorise(who, "claim", place_of(school))
        return _save(request, who, server, school, question, typed, files, is_handed_in=is_handed_in)

    return await run_in_threadpool(work)


def submit(who: Who, server: Server, csrf: Csrf = "", claim: Ids = []) -> Response:  # noqa: B006  FastAPI copies
    """Hands in drafts; the head's own are approved with it."""
    return _stepped(who, server, csrf, claim, "submit")


def withdraw(who: Who, server: Server, csrf: Csrf = "", claim: Ids = []) -> Response:  # noqa: B006
    """Takes back what nobody outside the school has decided on."""
    return _stepped(who, server, csrf, claim, "withdraw")


def remove_file(who: Who, server: Server, file: Annotated[Id, Form()], csrf: Csrf = "") -> Response:
    """Takes a file from a draft."""
    check_form(who, csrf)
    row = claiming.remove_file(server.engine, file, who, time.time())
    if row is None:
        raise not_found("file of a draft", str(file))
    return RedirectResponse(f"/schools/{row.school_code}/claims/{row.question}", 303)


def _stepped(who: Principal, server: Context, csrf: str, ids: Sequence[int], step: Step) -> Response:
    check_form(who, csrf)
    outcome = claiming.take(
        server.engine, ids, step, who, questions(server.packs), now=time.time(), today=today()
    )
    rows = [*outcome.done, *(row for row, _ in outcome.refused)]
    if not rows:
        raise not_found("answer", ", ".join(map(str, ids[:3])))
    if outcome.is_forbidden:
        raise ForbiddenError(step)
    missed = f"?missed={len(outcome.refused)}" if outcome.refused else ""
    return RedirectResponse(f"/schools/{rows[0].school_code}/claims{missed}", 303)


def _save(
    request: Request,
    who: Principal,
    server: Context,
    school: SchoolRow,
    question: Question,
    typed: Typed,
    files: Sequence[tuple[str, bytes]],
    *,
    is_handed_in: bool,
) -> Response:
    words, now = words_of(request), time.time()
    try:
        most = most_of(question, server)
        answer = answers.parse(question, typed.value, typed.text, typed.as_of, today(), most)
        if question.with_figures:
            answer = replace(answer, text=vouched(server, who, school.id, answer.text))
        kept = [accept(name, body) for name, body in files]
        of = (school.id, school.code)
        claim = claiming.save(server.engine, of, question, answer, kept, by=who.name, now=now)
    except AnswerError as error:
        trouble = words.text(f"claims.fault.{error.fault}", most=words.number(error.most, 2))
        return form(request, who, server, school, question, typed=typed, trouble=trouble)
    except EvidenceError as error:
        trouble = f"{error.name}: {words.text(f'claims.refused.{error.refusal}')}"
        return form(request, who, server, school, question, typed=typed, trouble=trouble)
    except claiming.WaitsError:
        return form(request, who, server, school, question, trouble=words.text("claims.waits"))
    at = f"/schools/{school.code}/claims"
    if not is_handed_in:
        return RedirectResponse(f"{at}/{question.id}", 303)
    outcome = claiming.take(
        server.engine, [claim], "submit", who, {question.id: question}, now=now, today=today()
    )
    if outcome.refused:
        trouble = words.text(f"claims.why.{outcome.refused[0][1]}")
        return form(request, who, server, school, question, trouble=trouble)
    return RedirectResponse(f"{at}#{question.id}", 303)


def _question(server: Context, id_: str) -> Question:
    found = questions(server.packs).get(id_)
    if found is None:
        raise not_found("question", id_[:60])
    return found


def _field(form: FormData, name: str) -> str:
    text = form.get(name)
    return text[:2000].replace("\0", "") if isinstance(text, str) else ""  # which PostgreSQL does not take


ROUTES = (
    Route("GET", "/schools/{code}/claims", show, "evidence"),
    Route("GET", "/schools/{code}/claims/{question}", ask, "evidence"),
    Route("POST", "/claims/save", save, "claim"),
    Route("POST", "/claims/submit", submit, "claim"),
    Route("POST", "/claims/withdraw", withdraw, "claim"),
    Route("POST", "/claims/remove-file", remove_file, "claim"),
)
