"""What a page says of a form that was just sent, carried past a redirect: Back and Reload send no form again.

It travels in a cookie of the browser that sent it, for a minute; what is longer than a cookie holds does not.
"""

import base64
import zlib
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.api import cookies

_NAME: Final = "schoolwatch-told"
_SECONDS: Final = 60.0
_LONGEST: Final = 3500
"""Signs of a cookie's value: browsers hold 4,096 with its name and attributes (RFC 6265 §6.1)."""

_BYTES: Final = 256 * 1024
"""Of what is carried, unpacked: more than any page of ours says."""

_MARK: Final = "told"
"""In the address that one is sent on to: a list that asks for itself again takes nothing of it."""


_Told = TypeVar("_Told", bound=msgspec.Struct)


class _Carried(msgspec.Struct):
    at: str
    kind: str
    told: msgspec.Raw


def sent_on(request: Request, to: str, told: msgspec.Struct, *, query: str = "") -> Response | None:
    """The redirect to the page (a path) that then says what is told; None where a cookie can't hold it.

    `query` are the words of its address.
    """
    value = packed(to, told)
    if not value:
        return None
    words = "&".join(filter(None, (query, urlencode({_MARK: 1}))))
    answer = RedirectResponse(f"{to}?{words}", 303)
    cookies.put(answer, request, _NAME, value, seconds=_SECONDS, same_site="strict")
    return answer


def packed(to: str, told: msgspec.Struct) -> str:
    """What is told to a page as a cookie has it; empty where it is too much."""
    carried = _Carried(to, type(told).__name__, msgspec.Raw(msgspec.json.encode(told)))
    value = base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode(carried), 9)).decode()
    return value if len(value) <= _LONGEST else ""


def taken(request: Request, kind: type[_Told]) -> _Told | None:
    """What was carried to this page; None where nothing was."""
    if _MARK not in request.query_params:
        return None
    try:
        packed = base64.urlsafe_b64decode(cookies.get(request, _NAME))
        carried = msgspec.json.decode(zlib.decompressobj().decompress(packed, _BYTES), type=_Carried)
        if (carried.at, carried.kind) != (request.url.path, kind.__name__):
            return None
        return msgspec.json.decode(carried.told, type=kind)
    except (ValueError, zlib.error, msgspec.MsgspecError):
        return None


def said(answer: Response, request: Request) -> Response:
    """The answer that says it, if anything was carried; by it the browser forgets that."""
    if _MARK in request.query_params:
        cookies.drop(answer, request, _NAME)
    return answer
