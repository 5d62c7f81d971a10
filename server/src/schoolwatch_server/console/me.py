"""One's own account: password, second factor, language, and the sessions that are open."""

import time
from typing import Annotated, Any, Literal

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import own_account, second_factor, sessions
from schoolwatch_server.access import Principal
from schoolwatch_server.api import cookies
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import SESSION_COOKIE, Route, Server, Who
from schoolwatch_server.console import qr
from schoolwatch_server.console.login import YEAR, address_of, keep_session
from schoolwatch_server.console.page import LANGUAGE_COOKIE, check_form, page
from schoolwatch_server.database import people, scopes
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.sessions import Login

Csrf = Annotated[str, Form(max_length=200)]
Password = Annotated[str, Form(max_length=1000)]


def show(request: Request, who: Who, server: Server) -> Response:
    """The page."""
    return _page(request, who, server)


def change_password(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    old: Password = "",
    new: Password = "",
    again: Password = "",
) -> Response:
    """Another password; every other session ends."""
    check_form(who, csrf)
    if new != again:
        return _page(request, who, server, 422, trouble="differ")
    if _must_wait(request, server):
        return _page(request, who, server, 429, trouble="wait")
    done = own_account.change_password(
        server.engine,
        _account(who),
        old,
        new,
        address=address_of(request),
        now=time.time(),
        terms=server.config.people,
        proof=who.proof,
    )
    if not isinstance(done, Login):
        _count_wrong(request, server, done == "wrong")
        return _page(request, who, server, 422, trouble=done)
    answer = RedirectResponse("/me" if _is_due(who, server) else "/", 303)
    keep_session(answer, request, server, done)
    return answer


def begin_factor(  # nosec B107 # an empty field of a form
    request: Request, who: Who, server: Server, csrf: Csrf = "", password: Password = ""
) -> Response:
    """A new secret as a QR code; it counts once a code of it comes back."""
    check_form(who, csrf)
    trouble = _unproved(request, who, server, password)
    if trouble:
        return _page(request, who, server, 422, factor_trouble=trouble)
    return _factor_page(request, who, second_factor.begin(server.engine, _account(who)))


def confirm_factor(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    code: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """The second factor is on; its recovery codes are shown this once."""
    check_form(who, csrf)
    proposal = second_factor.proposed(server.engine, _account(who))
    if proposal is None:
        return RedirectResponse("/me", 303)
    codes = second_factor.confirm(server.engine, _account(who), code, time.time())
    if codes is None:
        return _factor_page(request, who, proposal, 422, trouble="wrong")
    return page(request, "codes.html", who, at="/me", codes=codes)


def renew_codes(  # nosec B107 # an empty field of a form
    request: Request, who: Who, server: Server, csrf: Csrf = "", password: Password = ""
) -> Response:
    """New recovery codes, shown this once; the old ones are void."""
    check_form(who, csrf)
    trouble = _unproved(request, who, server, password)
    if trouble or not _held(who, server).has_totp:
        return _page(request, who, server, 422, factor_trouble=trouble)
    codes = second_factor.renew_codes(server.engine, _account(who), time.time())
    return page(request, "codes.html", who, at="/me", codes=codes)


def turn_factor_off(  # nosec B107 # an empty field of a form
    request: Request, who: Who, server: Server, csrf: Csrf = "", password: Password = ""
) -> Response:
    """No second factor any more, where the role does not ask for one."""
    check_form(who, csrf)
    if who.role in server.config.people.second_factor_roles:
        return _page(request, who, server, 422, factor_trouble="needed")
    trouble = _unproved(request, who, server, password)
    if trouble:
        return _page(request, who, server, 422, factor_trouble=trouble)
    second_factor.turn_off(server.engine, _account(who), time.time())
    return RedirectResponse("/me#second-factor", 303)


def set_language(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    language: Annotated[Literal["vi", "en"], Form()] = "vi",
) -> Response:
    """The language of every new browser, and of this one."""
    check_form(who, csrf)
    with begin_write(server.engine) as conn:
        people.set_language(conn, _account(who), language)
    answer = RedirectResponse("/me", 303)
    cookies.put(answer, request, LANGUAGE_COOKIE, language, seconds=YEAR)
    return answer


def end_session(who: Who, server: Server, number: str, csrf: Csrf = "") -> Response:
    """Ends one of one's own sessions."""
    check_form(who, csrf)
    sessions.end_one(server.engine, who, number, time.time())
    return RedirectResponse("/me#sessions", 303)


def _page(request: Request, who: Principal, server: Context, status: int = 200, **trouble: str) -> Response:
    terms, now = server.config.people, time.time()
    account = _held(who, server)
    with begin_read(server.engine) as conn:
        place = scopes.where(conn, [account.scope]).get(account.scope)
    values: dict[str, Any] = {"trouble": "", "factor_trouble": "", **trouble}
    return page(
        request,
        "me.html",
        who,
        status,
        at="/me",
        account=account,
        place=place,
        due=sessions.factor_due(account, terms, who.proof),
        is_needed=account.role in terms.second_factor_roles,
        codes_left=second_factor.codes_left(server.engine, account.id),
        sessions=sessions.open_of(
            server.engine, account.id, now, terms, secret=cookies.get(request, SESSION_COOKIE)
        ),
        terms=terms,
        **values,
    )


def _factor_page(
    request: Request, who: Principal, proposal: second_factor.Proposal, status: int = 200, trouble: str = ""
) -> Response:
    return page(
        request,
        "factor.html",
        who,
        status,
        at="/me",
        qr=qr.svg(proposal.uri),
        typed=proposal.typed,
        trouble=trouble,
    )


def _held(who: Principal, server: Context) -> people.AccountRow:
    with begin_read(server.engine) as conn:
        account = people.account_by_id(conn, _account(who))
    assert account is not None  # the session is its own
    return account


def _account(who: Principal) -> int:
    assert who.account is not None  # only accounts have the permission "self"
    return who.account


def _is_due(who: Principal, server: Context) -> bool:
    due = sessions.factor_due(_held(who, server), server.config.people, who.proof)
    return due is not None and due <= time.time()


def _unproved(request: Request, who: Principal, server: Context, password: str) -> str:
    """Why somebody at an open session is not believed to be its owner; empty when the password is right."""
    if _must_wait(request, server):
        return "wait"
    good = own_account.proves(
        server.engine, _account(who), password, address=address_of(request), now=time.time()
    )
    _count_wrong(request, server, not good)
    return "" if good else "wrong"


def _must_wait(request: Request, server: Context) -> bool:
    return server.attempts.wait(address_of(request), f"me {request.state.principal.name}") > 0


def _count_wrong(request: Request, server: Context, is_wrong: bool) -> None:
    if is_wrong:
        server.attempts.failed(address_of(request), f"me {request.state.principal.name}")


ROUTES = (
    Route("GET", "/me", show, "self"),
    Route("POST", "/me/password", change_password, "self"),
    Route("POST", "/me/second-factor", begin_factor, "self"),
    Route("POST", "/me/second-factor/confirm", confirm_factor, "self"),
    Route("POST", "/me/second-factor/codes", renew_codes, "self"),
    Route("POST", "/me/second-factor/off", turn_factor_off, "self"),
    Route("POST", "/me/language", set_language, "self"),
    Route("POST", "/me/sessions/{number}/end", end_session, "self"),
)
