"""What was typed into a form that was refused, carried past a redirect: Back asks nobody to send it again.

It travels in a cookie of the browser that sent it, for a minute; what is longer than a cookie holds does not.
"""

import base64
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.api import cookies

_NAME: Final = "schoolwatch-typed"
_SECONDS: Final = 60.0
_LONGEST: Final = 3500
"""Signs of a cookie's value: browsers hold 4,096 with its name and attributes (RFC 6265 §6.1)."""


class Typed(msgspec.Struct, frozen=True):
    """Where it was refused (`at`, a path), why in words, and what was typed."""

    at: str
    why: str
    act: str = ""
    note: str = ""
    assignee: str = ""


def carried(request: Request, typed: Typed) -> Response | None:
    """The redirect to the page with what was typed; None where a cookie can't hold it."""
    value = base64.urlsafe_b64encode(msgspec.json.encode(typed)).decode()
    if len(value) > _LONGEST:
        return None
    answer = RedirectResponse(f"{typed.at}?refused=1", 303)
    cookies.put(answer, request, _NAME, value, seconds=_SECONDS, same_site="strict")
    return answer


def taken(request: Request) -> Typed | None:
    """What was carried to this page; None where nothing was."""
    try:
        typed = msgspec.json.decode(base64.urlsafe_b64decode(cookies.get(request, _NAME)), type=Typed)
    except (ValueError, msgspec.MsgspecError):
        return None
    return typed if typed.at == request.url.path else None


def done(answer: Response, request: Request) -> Response:
    """The answer, by which the browser forgets it."""
    cookies.drop(answer, request, _NAME)
    return answer
