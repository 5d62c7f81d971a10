"""Logging in through a provider of identities: there, and back with what it says."""

import logging
import time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import linking
from schoolwatch_server.api import cookies
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server
from schoolwatch_server.console import login
from schoolwatch_server.console.login import Next, address_of, local
from schoolwatch_server.console.page import page
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.oidc.errors import ProofError, ProviderError
from schoolwatch_server.oidc.flow import SECONDS, Flow, Return
from schoolwatch_server.oidc.identity import Identity

if TYPE_CHECKING:
    from schoolwatch_server.oidc.client import Client

FLOW_COOKIE = "schoolwatch_oidc"
"""Binds what the provider answers to this browser; Lax, because the answer comes from another site."""

ABOUT = "oidc"
"""Nobody is named before the provider was asked: only what an address gets wrong in all is counted."""

Brought = Annotated[str, Query(max_length=8000)]

_log = logging.getLogger(__name__)


def begin(request: Request, server: Server, after: Next = "/") -> Response:
    """To the provider; where it can't be reached, back to the form, by which a password logs in."""
    client = _client(server)
    if server.attempts.wait(address_of(request), ABOUT) > 0:
        return login.fresh(request, "login.html", after, "login.wait", 429)
    try:
        url, cookie = client.begin(local(after), time.time())
    except ProviderError as error:
        return _not_reached(request, after, error)
    answer = RedirectResponse(url, 303)
    cookies.put(answer, request, FLOW_COOKIE, cookie, seconds=SECONDS)
    return answer


def come_back(
    request: Request,
    server: Server,
    code: Brought = "",
    state: Brought = "",
    iss: Brought = "",
    error: Brought = "",
) -> Response:
    """What the provider sent this browser back with; it counts once, in the browser that asked for it."""
    client, now, address = _client(server), time.time(), address_of(request)
    if server.attempts.wait(address, ABOUT) > 0:
        return login.fresh(request, "login.html", "/", "login.wait", 429)
    flow = client.flow_of(cookies.get(request, FLOW_COOKIE), state, now)
    if flow is None:
        return login.fresh(request, "login.html", "/", "login.oidc_late", 403)
    try:
        who = client.finish(flow, Return(code, iss, error), now)
    except ProviderError as wrong:
        return _over(_not_reached(request, flow.after, wrong), request)
    except ProofError as wrong:
        return _over(_proves_nothing(request, server, flow, wrong), request)
    return _over(_enter(request, server, flow, who), request)


def _enter(request: Request, server: Context, flow: Flow, who: Identity) -> Response:
    address = address_of(request)
    done = linking.log_in(
        server.engine,
        who,
        address=address,
        now=time.time(),
        terms=server.config.people,
        failed=server.failed_logins,
    )
    if isinstance(done, linking.NotLetIn):
        server.attempts.failed(address, f"{ABOUT} {flow.state}")
        if done.why == "closed":
            return login.fresh(request, "login.html", flow.after, "login.oidc_closed", 403)
        return page(request, "oidc_unlinked.html", None, 403, at="/login", subject=who.subject)
    if not done.waits:
        return login.let_in(request, server, done, flow.after)
    answer = RedirectResponse(f"/login/code?next={quote(flow.after)}", 303)
    login.keep_waiting(answer, request, done)
    return answer


def _not_reached(request: Request, after: str, error: ProviderError) -> Response:
    _log.warning("login through the provider: %s", error)
    return login.fresh(request, "login.html", after, "login.oidc_unreachable", 503)


def _proves_nothing(request: Request, server: Context, flow: Flow, error: ProofError) -> Response:
    _log.warning("login through the provider: %s", error)
    address = address_of(request)
    server.attempts.failed(address, f"{ABOUT} {flow.state}")
    with begin_write(server.engine) as conn:
        linking.refused(conn, "", str(error), address=address, now=time.time(), failed=server.failed_logins)
    return login.fresh(request, "login.html", flow.after, "login.oidc_refused", 403)


def _over(answer: Response, request: Request) -> Response:
    """What bound this login to the browser has done its work, however it ended."""
    cookies.drop(answer, request, FLOW_COOKIE)
    return answer


def _client(server: Context) -> "Client":
    if server.oidc is None:
        raise Problem(404, "there is nothing at this address")
    return server.oidc


ROUTES = (
    Route("GET", "/login/oidc", begin, "public"),
    Route("GET", "/login/oidc/callback", come_back, "public"),
)
