"""A route is a value: method, path, endpoint, and the permission that lets somebody through its gate."""

import asyncio
import base64
import inspect
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, FastAPI, Request, params
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as PlainRoute

from schoolwatch_contract.slot import SCHEME
from schoolwatch_server import proofs, sessions, tokens
from schoolwatch_server.access import TOKENS, Permission, Principal, authorise
from schoolwatch_server.api import cookies
from schoolwatch_server.api.bounds import is_gone
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import TITLES, Problem
from schoolwatch_server.database.engine import begin_read

SESSION_COOKIE = "schoolwatch_session"


@dataclass(frozen=True, slots=True)
class Route:
    """`permission` is what `access.authorise` asks for; "public" routes are few and listed in a test.

    A route with a `summary` is in the API's description, with the shape of its `answer` where that is JSON
    and the statuses of `refusals` that only this route has. `weight` is what a request counts for of those
    that a token may ask in a minute. One that `is_plain` reads its request itself, a `Plain`: what takes
    parameters apart costs more than the answer of a panel. `body` is the shape of a large body that the
    endpoint reads itself, behind the gate.
    """

    method: Literal["GET", "POST"]
    path: str
    endpoint: Callable[..., Any]
    permission: Permission | Literal["public"]
    summary: str = ""
    status: int = 200
    answer: type[BaseModel] | None = None
    refusals: tuple[int, ...] = ()
    weight: float = 1.0
    is_plain: bool = False
    body: type[BaseModel] | None = None


def add(app: FastAPI, routes: Sequence[Route]) -> None:
    """Puts routes behind their gates; nothing else in the server adds an endpoint to the app."""
    app.router.routes.extend(_gated(tuple(routes)))


@cache
def _gated(routes: tuple[Route, ...]) -> tuple[BaseRoute, ...]:
    """The routes with their gates: made once a process, for they hold nothing of the app that they serve."""
    router = APIRouter()
    for route in routes:
        if route.is_plain:
            router.routes.append(_plain(route))
            continue
        api = route.path.startswith("/api/")
        router.add_api_route(
            route.path,
            route.endpoint,
            methods=[route.method],
            status_code=route.status,
            response_model=None,
            responses=_responses(route),
            summary=route.summary or None,
            dependencies=[Depends(gate(route))],
            include_in_schema=bool(route.summary),
            tags=["v1"] if api else ["server"],
            openapi_extra=None if route.body is None else _described(route.body),
        )
    return tuple(router.routes)


Plain = Callable[[Principal, Context, Request, bytes, Connection], Response]
"""An endpoint that reads its request itself; the bytes are the body, and the transaction reads."""

_QUESTIONS = ThreadPoolExecutor(40, "question")
"""Threads for plain routes, as many as others have. A change to such a thread and back costs 50 µs, to one of
AnyIO's, which tasks may be cancelled in, 200."""


def _plain(route: Route) -> BaseRoute:
    """The gate and what is behind it in one go: in one thread, and for a token in one transaction."""
    passed, endpoint = _passed(route), route.endpoint

    def through(request: Request, body: bytes) -> Response:
        if is_gone(request):  # while it waited for a thread, as a dashboard that somebody has left
            return Response(status_code=408)
        context = context_of(request)
        answer: Response
        if not (token := _token_of(request)):
            passed(request, principal_of(request))
            with begin_read(context.engine) as conn:
                answer = endpoint(_who(request), context, request, body, conn)
            return answer
        now, due = time.time(), None
        try:
            with begin_read(context.engine) as conn:
                who, due = tokens.spoken_for(conn, token, now)
                passed(request, who)
                answer = endpoint(_who(request), context, request, body, conn)
        finally:
            if due is not None:  # with no transaction open: all who read could wait for a second connection
                tokens.used(context.engine, due, now)
        return answer

    async def ask(request: Request) -> Response:
        body = await request.body()
        return await asyncio.get_running_loop().run_in_executor(_QUESTIONS, through, request, body)

    ask.gate_of = route.permission  # type: ignore[attr-defined]  # as in `gate`
    made = PlainRoute(route.path, ask, methods=[route.method], include_in_schema=False)
    made.methods = {route.method}  # without the HEAD that it adds to GET
    return made


def _described(body: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": body.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


def _responses(route: Route) -> dict[int | str, dict[str, Any]]:
    """What the description says of answers and refusals; their shape is said in `description`."""
    known: dict[int | str, dict[str, Any]] = {}
    if route.answer is not None:
        known[route.status] = {"model": route.answer}
    refusals = set(route.refusals)
    if route.permission != "public":
        refusals |= {401, 403}
    if any(route.permission in allowed for allowed in TOKENS.values()):
        refusals |= {429}
    if inspect.signature(route.endpoint).parameters.keys() - {"who", "server", "request"}:
        refusals |= {422} if route.permission == "public" else {404, 422}
    if route.method == "POST":
        refusals |= {400, 408, 413}
    return known | {status: {"description": TITLES[status]} for status in sorted(refusals)}


def gate(route: Route) -> Callable[[Request], None]:
    """What runs before the endpoint: finds out who asks, and has `authorise` decide."""
    passed = _passed(route)

    def check(request: Request) -> None:
        if "\0" in request.url.path:  # nothing is called so, and PostgreSQL does not take it
            raise Problem(404, "there is nothing at this address")
        passed(request, principal_of(request) if route.permission != "public" else None)

    check.gate_of = route.permission  # type: ignore[attr-defined]  # read by the test that walks the routes
    return check


def _passed(route: Route) -> Callable[[Request, Principal | None], None]:
    """Raises what keeps somebody out, or writes down who it is."""
    known = _query_names(route.endpoint) if route.path.startswith("/api/") else None

    def passed(request: Request, who: Principal | None) -> None:
        if route.permission != "public":
            request.state.principal = authorise(_paced(request, who, route.weight), route.permission)
        if known is not None:
            _refuse_unknown(request, known)

    return passed


def _paced(request: Request, who: Principal | None, weight: float) -> Principal | None:
    """Who asks. Raises a 429 `Problem` for an API token that asks too often."""
    if who is not None and who.kind == "token":
        wait = context_of(request).pace.wait(tokens.hashed(request.headers["authorization"]), weight)
        if wait > 0:
            text = "this token asks too often: wait"
            raise Problem(429, text, headers={"Retry-After": str(int(wait) + 1)})
    return who


def principal_of(request: Request, *, is_watched: bool = False) -> Principal | None:
    """Whom the device's proof, the bearer token, or else the session cookie, speaks for.

    What asks by itself does not keep a session open, unless people watch it without touching anything.
    """
    context, now = context_of(request), time.time()
    engine, header = context.engine, request.headers.get("authorization", "")
    if token := _token_of(request):
        return tokens.bearer(engine, token, now)
    scheme, _, _ = header.partition(" ")
    if scheme.lower() == SCHEME.lower():
        return proofs.device(engine, header, context.challenges)
    secret = "" if scheme else cookies.get(request, SESSION_COOKIE)
    if not secret:
        return None
    # a part of a page that refreshes by itself, or a stream that comes again by itself
    asleep = "hx-request" in request.headers or "text/event-stream" in request.headers.get("accept", "")
    return sessions.person(engine, secret, now, context.config.people, awake=is_watched or not asleep)


def _token_of(request: Request) -> str:
    """The API token, whatever it is; empty where there is none.

    Clients of InfluxDB say `Token`, `Token user:password` and Basic (RFC 7617), where the token is the
    password of any user. Basic nowhere else: a browser sends by itself what somebody once typed, so it may
    be no key to what changes something.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return token.strip()
        case "token":
            return token.strip().rpartition(":")[2]
        case "basic" if request.url.path.startswith("/influx/"):
            return _password(token)
    return ""


def _password(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode().partition(":")[2].strip()
    except ValueError:
        return ""


def context_of(request: Request) -> Context:
    """The running server's settings, database, texts."""
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


def _who(request: Request) -> Principal:
    principal = request.state.principal  # only a gate sets it: a route without one fails here
    assert isinstance(principal, Principal)
    return principal


async def _who_asks(request: Request) -> Principal:
    return _who(request)  # awaited, as what is not goes to a thread and back


async def _server(request: Request) -> Context:
    return context_of(request)


Who = Annotated[Principal, Depends(_who_asks)]
Server = Annotated[Context, Depends(_server)]


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        takes = f"known here: {', '.join(sorted(known))}" if known else "there are none here"
        raise Problem(
            422,
            f"unknown query parameter {unknown[0][:40]!r}; {takes}",
            errors=[{"field": name[:40], "detail": "unknown query parameter"} for name in unknown[:20]],
        )


def _query_names(endpoint: Callable[..., Any]) -> frozenset[str]:
    return frozenset(
        mark.alias or name
        for name, parameter in inspect.signature(endpoint, eval_str=True).parameters.items()
        for mark in get_args(parameter.annotation)[1:]
        if isinstance(mark, params.Query)
    )
