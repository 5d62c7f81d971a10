"""The real web server in a thread of its own on 127.0.0.1, for tests that ask it over HTTP."""

import itertools
import socket
import ssl
import threading
import time
from typing import Self

import httpx
import uvicorn
from fastapi import FastAPI

from schoolwatch_server import people, transport
from schoolwatch_server.access import Role
from schoolwatch_server.api.listening import guard
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.api.service import create_app, settings
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.console.page import LANGUAGE_COOKIE
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.tokens import issue_token

TRUSTING_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Who asks without TLS: each client would else read all authorities of this machine, 40 ms of processor."""

FORMS_ANSWERED_BY_A_PAGE = {
    "/login": "asks for the code of the phone: nothing was done yet",
    "/influx/query": "no form: it reads",
    "/me/second-factor": "shown once: the secret of the phone",
    "/me/second-factor/confirm": "shown once: recovery codes",
    "/me/second-factor/codes": "shown once: recovery codes",
    "/people": "shown once: the first password",
    "/people/{account}/password": "shown once: the new first password",
    "/tokens": "shown once: the token",
    "/schools/{code}/enrolment": "shown once: the code to enrol with",
    "/schools/{code}/contacts/look": "a look that is noted: it changes nothing",
    "/forms/look": "a look into a file: it changes nothing",
    "/forms/fill": "a file",
    "/forms/copy": "a file",
    "/imports/look": "a look into a file: it changes nothing",
    "/boundaries/look": "a look into a file: it changes nothing",
    "/packs/typed/look": "a look at what was typed: it changes nothing",
    "/rules/typed/look": "a look at what was typed: it changes nothing",
    "/rules/typed/replay": "what was typed can't be replayed: it changes nothing",
}
"""Forms that may be answered 200, with why: what was done by any other leads on (303), so that Back and
Reload send nothing again."""

_CSRF = "x-test-csrf"
_numbers = itertools.count(1)


def csrf(client: httpx.Client) -> str:
    """The token that the forms of this session must carry."""
    return client.headers[_CSRF]


def led(client: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """The page that a form leads on to, as a browser asks for it; what was refused as it is."""
    return client.get(answer.headers["location"]) if answer.status_code == 303 else answer


def _noting(app: FastAPI, pages: set[str]):
    """The app, which notes the forms that were answered by a page and should lead on."""

    async def noting(scope, receive, send) -> None:
        async def noted(message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                path = getattr(scope.get("route"), "path", scope["path"])
                if path not in FORMS_ANSWERED_BY_A_PAGE:
                    pages.add(path)
            await send(message)

        is_form = scope["type"] == "http" and scope["method"] == "POST"
        is_form = is_form and not scope["path"].startswith("/api/")
        await app(scope, receive, noted if is_form else send)

    return noting


class RunningSite:
    """API and console as `serve` runs them, on a port of its own (or on a socket that is bound already)."""

    def __init__(self, config: ServerConfig, bound: socket.socket | None = None) -> None:
        self.app: FastAPI = create_app(config)
        self.engine = self.app.state.context.engine
        # asyncio switches Nagle's algorithm off only for what says it is TCP: 40 ms an answer
        self.socket = bound or socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if bound is None:
            self.socket.bind(("127.0.0.1", 0))
        self.socket = guard(self.socket)
        host, self.port = self.socket.getsockname()
        self.url = f"{'http' if transport.http(config) is None else 'https'}://{host}:{self.port}"
        self.pages_after_forms: set[str] = set()
        self._server = uvicorn.Server(settings(config, _noting(self.app, self.pages_after_forms)))
        self._thread = threading.Thread(target=self._server.run, args=([self.socket],))
        self._clients: list[httpx.Client] = []

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()
        self._server.should_exit = True
        self._thread.join(20)
        self.socket.close()
        assert not self._thread.is_alive()
        told = "answered by a page where nothing was wrong: send on with console.sent_on"
        assert not self.pages_after_forms, f"{sorted(self.pages_after_forms)}: {told}"

    def anyone(self, **more) -> httpx.Client:
        """Asks with nothing, follows nothing, and keeps cookies."""
        more = {"verify": TRUSTING_NOBODY, **more}
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=30, **more)
        self._clients.append(client)
        return client

    def ask(self, scope: Scope = EVERYTHING, permission: str = "read") -> httpx.Client:
        """Asks with a token of that scope."""
        token = issue_token(self.engine, "test", permission, scope, 1)
        return self.anyone(headers={"Authorization": f"Bearer {token}"})

    def somebody(self, role: Role, scope: Scope = EVERYTHING, language: str = "vi") -> httpx.Client:
        """A new account of that role, signed in; forms carry what `csrf` gives."""
        name, password = f"{role}-{next(_numbers)}", "a password for tests"
        people.create_account(self.engine, name, password, role=role, scope=scope, by="test")
        login = people.log_in(self.engine, name, password, address="", now=time.time())
        assert login is not None
        client = self.anyone(cookies={SESSION_COOKIE: login.secret, LANGUAGE_COOKIE: language})
        client.headers[_CSRF] = login.csrf
        return client

    def raw(self, text: bytes, seconds: float = 10.0) -> bytes:
        """Sends bytes as they are; everything that comes back until the other side closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as line:
            line.sendall(text)
            got = b""
            try:
                while piece := line.recv(65536):
                    got += piece
            except TimeoutError:
                pass
            return got
