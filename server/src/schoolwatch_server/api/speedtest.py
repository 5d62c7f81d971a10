"""POST /api/v1/speedtest/slot: a device that has proved itself is let measure its school's line once."""

import time

import msgspec
from fastapi import Request

from schoolwatch_contract import ndt7
from schoolwatch_contract.slot import PATH, Slot
from schoolwatch_server.address import Address
from schoolwatch_server.api import shapes
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.speedtest import slots

_STATUS: dict[slots.Why, tuple[int, str]] = {
    "line_busy": (409, "another test of this school's line is running or about to"),
    "server_full": (503, "the server's own line has no room for another test now"),
}


def answer(request: Request, who: Who, server: Server) -> dict[str, object]:
    """Where to test, with a token that is good once each way; refusals say when to ask again."""
    own = server.config.speedtest
    if not own.enabled:
        raise Problem(404, "this server runs no speed tests: set speedtest.enabled")
    try:
        granted = slots.grant(server.engine, own, who.name, who.scope, now=time.time())
    except slots.RefusedError as error:
        status, detail = _STATUS[error.why]
        raise Problem(status, detail, headers={"Retry-After": str(int(error.retry) + 1)}) from error
    base = _base(request, server)
    slot = Slot(
        **{name: f"{base}{path}?access_token={granted.token}" for name, path in ndt7.PATHS.items()},
        begin_within=slots.BEGIN_WITHIN,
        seconds=own.seconds,
        rate=granted.rate,
        assumed=granted.assumed,
    )
    return msgspec.structs.asdict(slot)


def _base(request: Request, server: Context) -> str:
    """The endpoint as devices reach it: as set, or beside the address at which they asked us."""
    own = server.config.speedtest
    if own.public_url:
        return own.public_url.rstrip("/")
    scheme = "wss" if own.tls_certificate else "ws"
    return f"{scheme}://{Address(server.host_for(own.host, request), own.port)}"


ROUTES = (
    Route(
        "POST",
        PATH,
        answer,
        "speedtest",
        "Let a device test its school's line",
        201,
        answer=shapes.Slot,
        refusals=(404, 409, 503),
    ),
)
