"""What goes wrong, as an answer: problem details for programs, a page for people, and nothing that leaks."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from schoolwatch_contract import slot
from schoolwatch_server import advice, guard, proofs
from schoolwatch_server.access import ForbiddenError, NotManagedError, UnauthenticatedError
from schoolwatch_server.api import looked, problems
from schoolwatch_server.api.headers import HEADERS
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import context_of, principal_of
from schoolwatch_server.console import errors
from schoolwatch_server.passwords import BusyError
from schoolwatch_server.sealing import SealError

log = logging.getLogger(__name__)

_away = guard.Seldom()


def install(app: FastAPI) -> None:
    """Every exception that an endpoint or its gate may raise has its answer."""
    app.add_exception_handler(Problem, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(UnauthenticatedError, _unauthenticated)
    app.add_exception_handler(ForbiddenError, _forbidden)
    app.add_exception_handler(BusyError, _busy)
    app.add_exception_handler(SealError, _sealed)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_exception_handler(Exception, _unforeseen)


def answer(request: Request, problem: Problem) -> Response:
    """The problem as who asks can read it."""
    if errors.wants_page(request):
        return errors.page_of(request, problem)
    return problems.response(problem, request.url.path)


async def _known(request: Request, error: Any) -> Response:
    return answer(request, error)


async def _http(request: Request, error: Any) -> Response:
    detail = "there is nothing at this address" if error.status_code == 404 else str(error.detail)
    return answer(request, Problem(error.status_code, detail, headers=error.headers))


async def _validation(request: Request, error: Any) -> Response:
    return answer(request, problems.of_validation(error.errors()))


async def _unauthenticated(request: Request, _: Any) -> Response:
    if errors.wants_page(request):
        return errors.to_login(request)
    if request.url.path in proofs.PATHS:
        text = "prove which device you are: answer the challenge"
        said = slot.challenge(context_of(request).challenges.issue())
        return answer(request, Problem(401, text, headers={"WWW-Authenticate": said}))
    text = "send a valid token: Authorization: Bearer sw_…"
    return answer(request, Problem(401, text, headers={"WWW-Authenticate": "Bearer"}))


def _forbidden(request: Request, error: Any) -> Response:
    who = principal_of(request) if errors.wants_page(request) else None
    if who is not None and who.must:
        return errors.to_own_account(request)
    _note_refusal(request)
    if not isinstance(error, NotManagedError):
        return answer(request, Problem(403, "your role or token does not allow this"))
    problem = Problem(403, "the school reports to the department: a commune only reads of it")
    if errors.wants_page(request):
        return errors.page_of(request, problem, kind="not_managed")
    return problems.response(problem, request.url.path)


def _note_refusal(request: Request) -> None:
    """By the pattern of its address, which nobody who asks can make up."""
    context = context_of(request)
    pattern = getattr(request.scope.get("route"), "path", "")
    try:
        who = principal_of(request)
        looked.refused(context.looked, context.engine, who, f"{request.method} {pattern}")
    except SQLAlchemyError:
        log.exception("a refusal is not in the audit log")


async def _busy(request: Request, _: Any) -> Response:
    text = "many people are logging in just now: try again in a few seconds"
    return answer(request, Problem(503, text, headers={"Retry-After": "5"}))


async def _sealed(request: Request, error: Any) -> Response:
    """The master key is not there, or is another: what is sealed stays shut, and the rest goes on."""
    log.error("%s %s: %s", request.method, request.url.path, error)
    problem = Problem(503, "what is sealed here can't be opened now: the server's log says what to do")
    if errors.wants_page(request):
        return errors.page_of(request, problem, kind="sealed", is_stored=False)
    return problems.response(problem, request.url.path)


async def _database(request: Request, error: Any) -> Response:
    """It is stopped, full or too busy: nobody did anything wrong, and it is over when it answers again."""
    if not guard.is_away(error):
        return await _unforeseen(request, error)
    if _away.now():  # everybody who looks at a page or a graph asks again and again
        why = advice.line(error)
        log.error("%s %s: the database can't be used just now: %s", request.method, request.url.path, why)
    text = "the database can't be used just now: try again in a minute"
    problem = Problem(503, text, headers={"Retry-After": "30"})
    if errors.wants_page(request):
        return errors.page_of(request, problem, kind="database", is_stored=False)
    return problems.response(problem, request.url.path)


async def _unforeseen(request: Request, error: Any) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    failed = answer(request, Problem(500, "something went wrong here; the server's log says what"))
    failed.headers.update(HEADERS)  # this handler runs outside the middleware that adds them
    failed.headers["Cache-Control"] = "no-store"
    return failed
