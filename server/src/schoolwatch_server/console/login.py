"""Logging in and out, and choosing the language."""

import hmac
import secrets
import time
from typing import Annotated, Literal

from fastapi import Form, Query, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import people
from schoolwatch_server.api.route import SESSION_COOKIE, Route, Server, Who
from schoolwatch_server.console.page import LANGUAGE_COOKIE, check_form, page
from schoolwatch_server.texts import Language

FORM_COOKIE = "schoolwatch_form"
YEAR = 365 * 86400

Next = Annotated[str, Query(alias="next", max_length=500)]


def show(request: Request, server: Server, after: Next = "/") -> Response:
    """The form; its token is also in a cookie, so that another site cannot send it."""
    form = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
    answer = page(request, "login.html", None, form=form, after=local(after), trouble="")
    answer.set_cookie(FORM_COOKIE, form, httponly=True, samesite="strict", secure=_secure(request, server))
    return answer


def log_in(  # nosec B107 # an empty field of a form
    request: Request,
    server: Server,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    csrf: Annotated[str, Form(max_length=200)] = "",
    after: Annotated[str, Form(alias="next", max_length=500)] = "/",
) -> Response:
    """Opens a session; whatever was wrong, the answer is the same."""
    form = request.cookies.get(FORM_COOKIE, "")
    if not form or not hmac.compare_digest(form.encode(), csrf.encode()):
        return page(request, "login.html", None, 403, form=form, after=local(after), trouble="login.stale")
    address = request.client.host if request.client else ""
    if server.attempts.wait(address) > 0:
        return page(request, "login.html", None, 429, form=form, after=local(after), trouble="login.wait")
    login = people.log_in(server.engine, name, password, address=address, now=time.time())
    if login is None:
        server.attempts.failed(address)
        return page(request, "login.html", None, 403, form=form, after=local(after), trouble="login.wrong")
    answer = RedirectResponse(local(after), 303)
    answer.set_cookie(
        SESSION_COOKIE,
        login.secret,
        max_age=int(people.SESSION_SECONDS),
        httponly=True,
        samesite="lax",
        secure=_secure(request, server),
    )
    if LANGUAGE_COOKIE not in request.cookies:
        answer.set_cookie(LANGUAGE_COOKIE, login.language, max_age=YEAR, samesite="lax")
    answer.delete_cookie(FORM_COOKIE)
    return answer


def log_out(
    request: Request, who: Who, server: Server, csrf: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Ends the session here and on the server."""
    check_form(who, csrf)
    people.log_out(server.engine, request.cookies.get(SESSION_COOKIE, ""), by=who.name, now=time.time())
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


def choose_language(language: Literal["vi", "en"], after: Next = "/") -> Response:
    """Remembers the language in this browser for a year."""
    chosen: Language = language
    answer = RedirectResponse(local(after), 303)
    answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=YEAR, samesite="lax")
    return answer


def local(path: str) -> str:
    """The path when it is one of ours, else the start page: a link must not lead away from here."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours and "\\" not in path else "/"


def _secure(request: Request, server: Server) -> bool:
    return server.secure or request.url.scheme == "https"


ROUTES = (
    Route("GET", "/login", show, "public"),
    Route("POST", "/login", log_in, "public"),
    Route("POST", "/logout", log_out, "read"),
    Route("GET", "/language/{language}", choose_language, "public"),
)
