"""How the agent asks a web server: whom it trusts, through which proxy, and following no redirection."""

import ssl
from functools import partial
from http.client import HTTPResponse, HTTPSConnection
from typing import Any
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

import msgspec

from schoolwatch_agent import trust

Shown = list[dict[str, Any]]
"""The certificates that servers showed, as `getpeercert` gives them."""


class Line(msgspec.Struct, frozen=True):
    """`ca`: a PEM file, empty for the system's authorities. `proxy`: its URL, empty for the system's.

    `timeless`: certificates count whatever their time, because this computer's clock is wrong.
    """

    ca: str = ""
    proxy: str = ""
    timeless: bool = False


class _NoRedirect(HTTPRedirectHandler):
    """A token or proof goes to the address of the settings and to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Noted(HTTPSConnection):
    """Notes the certificate that it was shown."""

    def __init__(self, seen: Shown, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._seen = seen

    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, ssl.SSLSocket) and (shown := self.sock.getpeercert()):
            self._seen.append(shown)


class _Noting(HTTPSHandler):
    def __init__(self, context: ssl.SSLContext, seen: Shown) -> None:
        super().__init__(context=context)
        self._tls, self._seen = context, seen

    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(partial(_Noted, self._seen), request, context=self._tls)


def opener(line: Line, seen: Shown | None = None) -> OpenerDirector:
    """Raises `OSError` when the authority's file can't be read. `seen` gets the certificates shown."""
    context = trust.context(line.ca, timeless=line.timeless)
    return build_opener(*_handlers(line.proxy), _Noting(context, [] if seen is None else seen))


def blind(proxy: str) -> OpenerDirector:
    """To whoever answers: only to fetch what is then held against its fingerprint."""
    return build_opener(*_handlers(proxy), HTTPSHandler(context=trust.blind()))


def _handlers(proxy: str) -> tuple[Any, ...]:
    if not proxy:
        return (_NoRedirect,)
    return _NoRedirect, ProxyHandler({} if proxy == trust.DIRECT else {"http": proxy, "https": proxy})
