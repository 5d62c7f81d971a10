"""POST /api/v1/enrol: a token becomes a device with a credential; needs no login but the token.

A frozen computer asks for the school's key first, because it is found again by digests under that key.
"""

import logging
import time
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from schoolwatch_server import transport
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server
from schoolwatch_server.enrolment import EnrolmentError, enrol, school_of
from schoolwatch_server.hint_keys import school_key
from schoolwatch_server.identity import Hints

log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


Token = Annotated[str, Field(min_length=1, max_length=200)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
HintKind = Literal["system", "board", "disk", "mac", "name"]


class Enrol(BaseModel):
    """What an agent sends: the token it was given, its random install id, and its version.

    `frozen` are the digests of a frozen computer's hardware numbers, by kind.
    """

    model_config = ConfigDict(extra="forbid")
    token: Token
    install_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{8,64}$")]
    agent: Annotated[str, Field(max_length=32)] = ""
    frozen: dict[HintKind, Annotated[list[Digest], Field(max_length=8)]] | None = None


class HintKey(BaseModel):
    """What a frozen computer's agent sends first."""

    model_config = ConfigDict(extra="forbid")
    token: Token


def answer(body: Enrol, request: Request, server: Server) -> dict[str, object]:
    """The device's name, frame key (hex), broker password and address, and the school's key for digests."""
    hints: Hints | None = None
    if body.frozen is not None:
        hints = {kind: frozenset(digests) for kind, digests in body.frozen.items()}
    device = _let(
        request,
        server,
        lambda: enrol(server.engine, body.token, body.install_id, now=time.time(), frozen=hints),
    )
    mqtt = server.config.mqtt
    return {
        "device": device.device,
        "key": device.key.hex(),
        "password": device.password,
        "hint_key": school_key(server.config.folder, device.school_id).hex(),
        "mqtt": {
            "host": server.broker_host(request),
            "port": mqtt.port,
            "tls": bool(transport.broker_ca(server.config)),
        },
    }


def hint_key(body: HintKey, request: Request, server: Server) -> dict[str, str]:
    """The key (hex) under which the token's school wants digests."""
    school = _let(request, server, lambda: school_of(server.engine, body.token))
    return {"hint_key": school_key(server.config.folder, school).hex()}


def _let(request: Request, server: Context, ask: Callable[[], _Answer]) -> _Answer:
    """What `ask` gives; a token that is refused counts against the address, and nobody is told why."""
    address = request.client.host if request.client else ""
    wait = server.attempts.wait(address)
    if wait > 0:
        raise Problem(
            429, "too many wrong tokens from this address", headers={"Retry-After": str(int(wait) + 1)}
        )
    try:
        return ask()
    except EnrolmentError as error:
        server.attempts.failed(address)
        log.info("enrolment refused for %s: %s", address, error)
        raise Problem(403, "this token lets no device in: ask the school for a new one") from error


ROUTES = (
    Route("POST", "/api/v1/enrol", answer, "public", "Let a device in with a token", 201),
    Route("POST", "/api/v1/enrol/hint-key", hint_key, "public", "The school's key for digests of hardware"),
)
