"""POST /api/v1/enrol: a token becomes a device with a credential; needs no login but the token.

A computer asks for the school's key first: it is told from others, and found again, by digests under it.
"""

import logging
import time
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from schoolwatch_server import transport
from schoolwatch_server.api import shapes
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server
from schoolwatch_server.enrolment import Asking, EnrolmentError, RoomError, enrol, school_of
from schoolwatch_server.hint_keys import school_key

log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


Token = Annotated[str, Field(min_length=1, max_length=200)]
Room = Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f]*$")]
Value = Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f]*$")]
About = Literal["os.name", "os.version", "hardware.vendor", "hardware.model", "hardware.chassis"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
HintKind = Literal["system", "board", "disk", "mac", "name"]
Digests = dict[HintKind, Annotated[list[Digest], Field(max_length=8)]]


class Enrol(BaseModel):
    """What an agent sends: the token it was given, its random install id, and its version.

    `hints` are the digests of the computer's hardware numbers, by kind; `frozen` are they on a computer that
    forgets at each start. `room` is where it stands, `about` what helps a person to recognise it.
    """

    model_config = ConfigDict(extra="forbid")
    token: Token
    install_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{8,64}$")]
    agent: Annotated[str, Field(max_length=32)] = ""
    frozen: Digests | None = None
    hints: Digests = {}
    room: Room = ""
    about: dict[About, Value] = {}


class HintKey(BaseModel):
    """What a frozen computer's agent sends first."""

    model_config = ConfigDict(extra="forbid")
    token: Token


def answer(body: Enrol, request: Request, server: Server) -> dict[str, object]:
    """The device's name, frame key (hex), broker password and address, and the school's key for digests.

    `standing` says whether it is let in already or waits; what it was given counts from then on.
    """
    told = body.hints if body.frozen is None else body.frozen
    asking = Asking(
        body.install_id,
        {kind: frozenset(digests) for kind, digests in told.items()},
        frozen=body.frozen is not None,
        room=body.room,
        about={name: value for name, value in body.about.items() if value},
    )
    device = _let(request, server, lambda: enrol(server.engine, body.token, asking, now=time.time()))
    mqtt = server.config.mqtt
    return {
        "device": device.device,
        "label": device.label,
        "made_at": device.made_at,
        "standing": "pending" if device.pending else "approved",
        "key": device.key.hex(),
        "password": device.password,
        "hint_key": school_key(server.config.folder, device.school_id).hex(),
        "mqtt": {
            "host": server.broker_host(request),
            "port": mqtt.port,
            "tls": bool(transport.broker_ca(server.config)),
            "websocket": server.websocket(request),
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
    except RoomError as error:
        raise Problem(422, str(error), errors=[{"field": "room", "detail": str(error)}]) from error
    except EnrolmentError as error:
        server.attempts.failed(address)
        log.info("enrolment refused for %s: %s", address, error)
        raise Problem(403, "this token lets no device in: ask the school for a new one") from error


ROUTES = (
    Route(
        "POST",
        "/api/v1/enrol",
        answer,
        "public",
        "Let a device in with a token",
        201,
        answer=shapes.Credential,
        refusals=(403, 429),
    ),
    Route(
        "POST",
        "/api/v1/enrol/hint-key",
        hint_key,
        "public",
        "The school's key for digests of hardware",
        answer=shapes.HintKey,
        refusals=(403, 429),
    ),
)
