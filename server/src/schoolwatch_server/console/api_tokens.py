"""API tokens of programs: who may issue one gives it no more than their own scope, and ends it there."""

import time
from typing import Annotated

from fastapi import Form, Path, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import tokens
from schoolwatch_server.access import TOKENS, TokenPermission
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import check_form, page

DAYS_MAX = 366
"""Days that a token of the console is valid at most; a program's secret is renewed each year."""

Csrf = Annotated[str, Form(max_length=200)]
Name = Annotated[str, Form(max_length=80)]
Code = Annotated[str, Form(max_length=40)]
May = Annotated[TokenPermission, Form()]
Days = Annotated[str, Form(pattern=r"^\s*[0-9]{1,4}\s*$")]


def show(request: Request, who: Who, server: Server) -> Response:
    """Those that are good, and the form for a new one."""
    listed = tokens.listed(server.engine, who, time.time())
    return page(
        request,
        "tokens.html",
        who,
        listed=listed,
        placed=who.scope.level != "school",
        days_max=DAYS_MAX,
        permissions=tuple(TOKENS),
    )


def issue(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    name: Name = "",
    place: Code = "",
    days: Days = "90",
    permission: May = "read",
) -> Response:
    """A new token, shown this once."""
    check_form(who, csrf)
    name, span = " ".join(name.split()), int(days)
    if not name or not name.isprintable():
        raise bad_field("name", "write what the token is for")
    if not 1 <= span <= DAYS_MAX:
        raise bad_field("token_days", f"1 to {DAYS_MAX}")
    scope = tokens.scope_within(server.engine, who, place.strip())
    if scope is None:
        raise bad_field("place", "no place of yours has this code")
    token = tokens.issue_token(server.engine, name, permission, scope, span, by=who.name)
    return page(request, "token_once.html", who, at="/tokens", token=token, name=name, days=span)


def revoke(
    number: Annotated[int, Path(ge=1, le=2**62)], who: Who, server: Server, csrf: Csrf = ""
) -> Response:
    """The token speaks for nobody any more."""
    check_form(who, csrf)
    if not tokens.revoke(server.engine, who, number, time.time()):
        raise not_found("token", str(number))
    return RedirectResponse("/tokens", 303)


ROUTES = (
    Route("GET", "/tokens", show, "tokens"),
    Route("POST", "/tokens", issue, "tokens"),
    Route("POST", "/tokens/{number}/revoke", revoke, "tokens"),
)
