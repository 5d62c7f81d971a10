"""Logging in, with a second step for those who have a second factor, and out; and choosing the language."""

import hmac
import secrets
import time
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from schoolwatch_server import people, second_factor, sessions
from schoolwatch_server.api import cookies
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import SESSION_COOKIE, Route, Server, Who, context_of
from schoolwatch_server.config import Oidc
from schoolwatch_server.console.page import LANGUAGE_COOKIE, check_form, language_of, page
from schoolwatch_server.sessions import Login
from schoolwatch_server.texts import Language

FORM_COOKIE = "schoolwatch_form"
WAITING_COOKIE = "schoolwatch_waiting"
"""Holds the secret of a login whose second factor is still to come."""

YEAR = 365 * 86400

Next = Annotated[str, Query(alias="next", max_length=500)]
Csrf = Annotated[str, Form(max_length=200)]
After = Annotated[str, Form(alias="next", max_length=500)]


def show(request: Request, after: Next = "/") -> Response:
    """The form; its token is also in a cookie, so that another site cannot send it."""
    return fresh(request, "login.html", after)


def show_code(request: Request, after: Next = "/") -> Response:
    """The form of the second step, for who was sent back from a provider."""
    return fresh(request, "code.html", after)


def fresh(request: Request, template: str, after: str, trouble: str = "", status: int = 200) -> Response:
    """A form for a browser that may have none: one that comes from another site shows no cookie of it."""
    form = cookies.get(request, FORM_COOKIE) or secrets.token_urlsafe(32)
    answer = _form(request, template, status, form, after, trouble)
    cookies.put(answer, request, FORM_COOKIE, form, same_site="strict")
    return answer


def log_in(  # nosec B107 # an empty field of a form
    request: Request,
    server: Server,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    csrf: Csrf = "",
    after: After = "/",
) -> Response:
    """Opens a session, or asks for the code; whatever was wrong, the answer is the same."""
    if not _is_ours(request, csrf):
        return _again(request, "login.html", 403, "login.stale", after)
    address = address_of(request)
    wait = server.attempts.wait(address, f"account {name}")
    if wait > 0:
        return _again(request, "login.html", 429, "login.wait", after, wait)
    login = people.log_in(
        server.engine,
        name,
        password,
        address=address,
        now=time.time(),
        terms=server.config.people,
        failed=server.failed_logins,
    )
    if login is None:
        server.attempts.failed(address, f"account {name}")
        return _again(request, "login.html", 403, "login.wrong", after)
    if not login.waits:
        return let_in(request, server, login, after)
    answer = _form(request, "code.html", 200, csrf, after, "")
    keep_waiting(answer, request, login)
    return answer


def give_code(
    request: Request,
    server: Server,
    code: Annotated[str, Form(max_length=100)] = "",
    csrf: Csrf = "",
    after: After = "/",
) -> Response:
    """The second step: a code of the phone, or a recovery code."""
    if not _is_ours(request, csrf):
        return _again(request, "code.html", 403, "login.stale", after)
    waiting, address, now = cookies.get(request, WAITING_COOKIE), address_of(request), time.time()
    wait = server.attempts.wait(address, f"code {waiting}")
    if wait > 0:
        return _again(request, "code.html", 429, "login.wait", after, wait)
    if not second_factor.waits(server.engine, waiting, now):
        return _again(request, "login.html", 403, "login.code_late", after)
    login = second_factor.finish(
        server.engine,
        waiting,
        code,
        address=address,
        now=now,
        terms=server.config.people,
        failed=server.failed_logins,
    )
    if login is None:
        server.attempts.failed(address, f"code {waiting}")
        return _again(request, "code.html", 403, "login.code_wrong", after)
    return let_in(request, server, login, after)


def log_out(request: Request, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Ends the session here and on the server."""
    check_form(who, csrf)
    sessions.log_out(server.engine, cookies.get(request, SESSION_COOKIE), by=who.name, now=time.time())
    answer = RedirectResponse("/login", 303)
    cookies.drop(answer, request, SESSION_COOKIE)
    return answer


def choose_language(request: Request, language: Literal["vi", "en"], after: Next = "/") -> Response:
    """Remembers the language in this browser for a year."""
    chosen: Language = language
    answer = RedirectResponse(local(after), 303)
    cookies.put(answer, request, LANGUAGE_COOKIE, chosen, seconds=YEAR)
    return answer


def keep_session(answer: Response, request: Request, server: Context, login: Login) -> None:
    """Puts the session into the browser's cookie."""
    hours = server.config.people.session_hours
    cookies.put(answer, request, SESSION_COOKIE, login.secret, seconds=hours * 3600)


def address_of(request: Request) -> str:
    """Where the request comes from."""
    return request.client.host if request.client else ""


def local(path: str) -> str:
    """The path when it is one of ours, else the start page: a link must not lead away from here."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours and "\\" not in path else "/"


def _is_ours(request: Request, csrf: str) -> bool:
    """Whether the form was given to this browser."""
    form = cookies.get(request, FORM_COOKIE)
    return bool(form) and hmac.compare_digest(form.encode(), csrf.encode())


def _again(
    request: Request, template: str, status: int, trouble: str, after: str, wait: float = 0.0
) -> Response:
    answer = _form(request, template, status, cookies.get(request, FORM_COOKIE), after, trouble)
    if wait > 0:
        answer.headers["Retry-After"] = str(int(wait) + 1)
    return answer


def _form(request: Request, template: str, status: int, form: str, after: str, trouble: str) -> HTMLResponse:
    at, provider = "/login", provider_name(context_of(request).config.oidc, language_of(request))
    return page(
        request,
        template,
        None,
        status,
        form=form,
        after=local(after),
        trouble=trouble,
        at=at,
        provider=provider,
    )


def provider_name(section: Oidc, language: Language) -> str:
    """What people call the provider through whom they may log in; empty when there is none."""
    name = section.name_vi if language == "vi" else section.name_en
    return name or urlsplit(section.issuer).hostname or ""


def keep_waiting(answer: Response, request: Request, login: Login) -> None:
    """Puts a login that waits for its second factor into a cookie of its own."""
    seconds = sessions.FIRST_STEP_SECONDS
    cookies.put(answer, request, WAITING_COOKIE, login.secret, seconds=seconds, same_site="strict")


def let_in(request: Request, server: Context, login: Login, after: str) -> Response:
    """To the page that was asked for, with the session."""
    answer = RedirectResponse(local(after), 303)
    keep_session(answer, request, server, login)
    if not cookies.get(request, LANGUAGE_COOKIE):
        cookies.put(answer, request, LANGUAGE_COOKIE, login.language, seconds=YEAR)
    cookies.drop(answer, request, FORM_COOKIE)
    cookies.drop(answer, request, WAITING_COOKIE)
    return answer


ROUTES = (
    Route("GET", "/login", show, "public"),
    Route("POST", "/login", log_in, "public"),
    Route("GET", "/login/code", show_code, "public"),
    Route("POST", "/login/code", give_code, "public"),
    Route("POST", "/logout", log_out, "self"),
    Route("GET", "/language/{language}", choose_language, "public"),
)
