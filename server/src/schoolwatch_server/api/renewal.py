"""POST /api/v1/device/credential: a device is offered a new key and password, and takes them up."""

import time

import msgspec

from schoolwatch_contract.renewal import OFFER, TAKE_UP
from schoolwatch_server import renewal
from schoolwatch_server.api import shapes
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server, Who


def offer(who: Who, server: Server) -> dict[str, object]:
    """A new key (hex) and password, when a person ordered that; the old ones hold until they are proved."""
    offered = renewal.offer(server.engine, who.name, now=time.time())
    if offered is None:
        raise Problem(409, "nobody wishes this device's credential to be renewed")
    return msgspec.structs.asdict(offered)


def take_up(who: Who, server: Server) -> dict[str, bool]:
    """The new ones hold alone from now on; the proof was made with the new key."""
    if not renewal.take_up(server.engine, who.name, now=time.time(), is_proved=who.is_renewed):
        raise Problem(409, "prove the key that was offered, not the one before")
    return {"taken": True}


ROUTES = (
    Route(
        "POST",
        OFFER,
        offer,
        "renew",
        "Offer a device a new key and password",
        201,
        answer=shapes.Offered,
        refusals=(409,),
    ),
    Route(
        "POST",
        TAKE_UP,
        take_up,
        "renew",
        "Let a device take up what it was offered",
        answer=shapes.Taken,
        refusals=(409,),
    ),
)
