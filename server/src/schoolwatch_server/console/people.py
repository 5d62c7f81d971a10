"""Accounts of others: the list, a new one, and what one does for somebody who is locked out or leaves."""

import time
from typing import Annotated

from fastapi import Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import delegation, tokens
from schoolwatch_server.access import Principal, may
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem, bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.login import provider_name
from schoolwatch_server.console.page import check_form, language_of, page
from schoolwatch_server.people import AccountError

Csrf = Annotated[str, Form(max_length=200)]
Name = Annotated[str, Form(max_length=80)]
Choice = Annotated[str, Form(max_length=20)]
Code = Annotated[str, Form(max_length=40)]
Account = Annotated[int, Path(ge=1, le=2**62)]
Text = Annotated[str, Query(max_length=80)]


def show(
    request: Request, who: Who, server: Server, q: Text = "", role: Text = "", after: Text = ""
) -> Response:
    """The list, and the form for a new account."""
    return _list(request, who, server, q=q, role=role, after=after)


def create(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    name: Name = "",
    role: Choice = "",
    place: Code = "",
) -> Response:
    """A new account, whose first password is shown this once."""
    check_form(who, csrf)
    try:
        made, password = delegation.create(server.engine, who, name.strip(), role, place.strip())
    except AccountError as error:
        raise refused(error) from error
    return _password(request, who, made, name.strip(), password, "people.made")


def one(request: Request, who: Who, server: Server, account: Account) -> Response:
    """An account's page."""
    found = delegation.found(server.engine, who, account)
    if found is None:
        raise not_found("account", str(account))
    held, place = found
    return page(
        request,
        "person.html",
        who,
        account=held,
        place=place,
        roles=delegation.grantable(who),
        placed=_placed(who),
        issued=tokens.issued_by(server.engine, who, held.name, time.time()) if may(who, "tokens") else 0,
        provider=provider_name(server.config.oidc, language_of(request)),
    )


def reset_password(request: Request, who: Who, server: Server, account: Account, csrf: Csrf = "") -> Response:
    """A new first password, shown this once; the sessions end."""
    check_form(who, csrf)
    found = delegation.found(server.engine, who, account)
    password = delegation.reset_password(server.engine, who, account)
    if found is None or password is None:
        raise not_found("account", str(account))
    return _password(request, who, account, found[0].name, password, "people.reset_done")


def reset_factor(who: Who, server: Server, account: Account, csrf: Csrf = "") -> Response:
    """Takes a lost second factor away."""
    check_form(who, csrf)
    return _back(account, delegation.reset_factor(server.engine, who, account))


def end_sessions(who: Who, server: Server, account: Account, csrf: Csrf = "") -> Response:
    """Ends all that are open."""
    check_form(who, csrf)
    return _back(account, delegation.end_sessions(server.engine, who, account))


def switch_off(who: Who, server: Server, account: Account, csrf: Csrf = "") -> Response:
    """Nobody gets in with it."""
    check_form(who, csrf)
    return _back(account, delegation.switch_off(server.engine, who, account))


def switch_on(who: Who, server: Server, account: Account, csrf: Csrf = "") -> Response:
    """It may be used again."""
    check_form(who, csrf)
    return _back(account, delegation.switch_on(server.engine, who, account))


def set_role(
    who: Who, server: Server, account: Account, csrf: Csrf = "", role: Choice = "", place: Code = ""
) -> Response:
    """Another role or place; the sessions end."""
    check_form(who, csrf)
    try:
        return _back(account, delegation.set_role(server.engine, who, account, role, place.strip()))
    except AccountError as error:
        raise refused(error) from error


def link_identity(  # nosec B107 # an empty field of a form
    who: Who,
    server: Server,
    account: Account,
    csrf: Csrf = "",
    subject: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """The provider's identity that opens it from now on; the sessions end."""
    check_form(who, csrf)
    issuer = server.config.oidc.issuer
    if not issuer:
        raise Problem(404, "there is nothing at this address")
    try:
        return _back(account, delegation.link_identity(server.engine, who, account, issuer, subject.strip()))
    except AccountError as error:
        raise refused(error) from error


def unlink_identity(who: Who, server: Server, account: Account, csrf: Csrf = "") -> Response:
    """No identity opens it; the sessions end."""
    check_form(who, csrf)
    return _back(account, delegation.unlink_identity(server.engine, who, account))


def refused(error: AccountError) -> Problem:
    """The field that has to be put right: the error names it, or it is the account's name."""
    field, _, detail = str(error).partition(": ")
    known = {"role": "person_role", "place": "place", "oidc_subject": "oidc_subject"}
    return bad_field(known[field], detail) if field in known else bad_field("account_name", str(error))


def _list(request: Request, who: Principal, server: Context, *, q: str, role: str, after: str) -> Response:
    return page(
        request,
        "people.html",
        who,
        listed=delegation.listed(server.engine, who, query=q.strip(), role=role, after=after),
        roles=delegation.grantable(who),
        placed=_placed(who),
        q=q,
        role=role,
    )


def _placed(who: Principal) -> bool:
    """Whether there is a place to choose: a school's head has but one."""
    return who.scope.level != "school"


def _password(
    request: Request, who: Principal, account: Account, name: str, password: str, title: str
) -> Response:
    return page(
        request,
        "first_password.html",
        who,
        at=f"/people/{account}",
        name=name,
        password=password,
        title=title,
    )


def _back(account: Account, done: bool) -> Response:
    if not done:
        raise not_found("account", str(account))
    return RedirectResponse(f"/people/{account}", 303)


ROUTES = (
    Route("GET", "/people", show, "people"),
    Route("POST", "/people", create, "people"),
    Route("GET", "/people/{account}", one, "people"),
    Route("POST", "/people/{account}/password", reset_password, "people"),
    Route("POST", "/people/{account}/second-factor", reset_factor, "people"),
    Route("POST", "/people/{account}/sessions", end_sessions, "people"),
    Route("POST", "/people/{account}/off", switch_off, "people"),
    Route("POST", "/people/{account}/on", switch_on, "people"),
    Route("POST", "/people/{account}/role", set_role, "people"),
    Route("POST", "/people/{account}/oidc", link_identity, "people"),
    Route("POST", "/people/{account}/oidc/unlink", unlink_identity, "people"),
)
