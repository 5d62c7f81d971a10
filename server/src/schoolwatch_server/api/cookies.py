"""Every cookie of the console: out of reach of scripts and of other sites, and under https of other hosts.

The prefix `__Host-` (RFC 6265bis §4.1.3.2) makes browsers refuse the cookie unless this very host set it over
https: nobody on a neighbouring host name can plant a session or a form's token.
"""

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from schoolwatch_server.api.context import Context


def put(
    answer: Response,
    request: Request,
    name: str,
    value: str,
    *,
    seconds: float | None = None,
    same_site: Literal["lax", "strict"] = "lax",
) -> None:
    """Sets a cookie for so many seconds, or until the browser is closed."""
    answer.set_cookie(
        _full(request, name),
        value,
        max_age=None if seconds is None else int(seconds),
        httponly=True,
        samesite=same_site,
        secure=is_secure(request),
    )


def get(request: Request, name: str) -> str:
    """The cookie's value; empty without one."""
    return request.cookies.get(_full(request, name), "")


def drop(answer: Response, request: Request, name: str) -> None:
    """The browser forgets the cookie."""
    secure = is_secure(request)  # a browser takes no other order about a __Host- cookie
    answer.delete_cookie(_full(request, name), httponly=True, samesite="lax", secure=secure)


def is_secure(request: Request) -> bool:
    """Whether people reach us by https."""
    context = request.app.state.context
    assert isinstance(context, Context)
    return context.secure or request.url.scheme == "https"


def _full(request: Request, name: str) -> str:
    return f"__Host-{name}" if is_secure(request) else name
