"""The web server: API and console behind one gate, with problem details for whatever goes wrong."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from schoolwatch_server import __version__, people, texts
from schoolwatch_server.access import ForbiddenError, UnauthenticatedError
from schoolwatch_server.api import description, devices, enrol, health, incidents, places, problems
from schoolwatch_server.api.attempts import Attempts
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.headers import HEADERS, SecurityHeaders
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, add
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.console import errors, routes
from schoolwatch_server.database.engine import open_database
from schoolwatch_server.packs import load as load_packs
from schoolwatch_server.rules.load import load as load_rules
from schoolwatch_server.store.sqlite import SqliteStore

BODY_MAX = 64 * 1024
"""Bytes of a request's body: forms and enrolments are far below."""

STATIC = Path(routes.__file__).with_name("static")

ROUTES: tuple[Route, ...] = (
    *places.ROUTES,
    *devices.ROUTES,
    *incidents.ROUTES,
    *enrol.ROUTES,
    *health.ROUTES,
    *description.ROUTES,
    *routes.ROUTES,
)

log = logging.getLogger(__name__)


def create_app(config: ServerConfig) -> FastAPI:
    """The application on an open database. Raises `DatabaseError` or `SheetError`."""
    engine = open_database(config.database_url)
    people.warm_up()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(
        title="SchoolWatch",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        max_body_size=BODY_MAX,
    )
    app.state.context = Context(
        config=config,
        engine=engine,
        store=SqliteStore(engine),
        packs=load_packs(_folder(config, config.evaluation.packs, "packs")),
        rules={rule.id: rule for rule in load_rules(_folder(config, config.evaluation.rules, "rules"))},
        texts=texts.load(),
        attempts=Attempts(most=20, seconds=60.0),
    )
    add(app, ROUTES)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _answer_errors(app)
    app.add_middleware(SecurityHeaders)
    return app


def run(config: ServerConfig) -> None:
    """Serves until SIGTERM or SIGINT; open connections get 2 s to finish."""
    uvicorn.run(
        create_app(config),
        host=config.http.host,
        port=config.http.port,
        access_log=False,  # addresses may hold what nobody should read in a log
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=5,
        ws="none",
    )


def _folder(config: ServerConfig, chosen: str, usual: str) -> Path | None:
    folder = Path(chosen) if chosen else config.folder / usual
    return folder if folder.is_dir() else None


def _answer_errors(app: FastAPI) -> None:
    def answer(request: Request, problem: Problem) -> Response:
        if errors.wants_page(request):
            return errors.page_of(request, problem)
        return problems.response(problem)

    async def known(request: Request, error: Any) -> Response:
        return answer(request, error)

    async def http(request: Request, error: Any) -> Response:
        detail = "there is nothing at this address" if error.status_code == 404 else str(error.detail)
        return answer(request, Problem(error.status_code, detail, headers=error.headers))

    async def validation(request: Request, error: Any) -> Response:
        return answer(request, problems.of_validation(error.errors()))

    async def unauthenticated(request: Request, _: Any) -> Response:
        if errors.wants_page(request):
            return errors.to_login(request)
        text = "send a valid token: Authorization: Bearer sw_…"
        return answer(request, Problem(401, text, headers={"WWW-Authenticate": "Bearer"}))

    async def forbidden(request: Request, _: Any) -> Response:
        return answer(request, Problem(403, "your role or token does not allow this"))

    async def unforeseen(request: Request, error: Any) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        failed = answer(request, Problem(500, "something went wrong here; the server's log says what"))
        failed.headers.update(HEADERS)  # this handler runs outside the middleware that adds them
        return failed

    app.add_exception_handler(Problem, known)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(UnauthenticatedError, unauthenticated)
    app.add_exception_handler(ForbiddenError, forbidden)
    app.add_exception_handler(Exception, unforeseen)
