"""POST /api/v1/enrol: a token becomes a device with a credential. The only route that needs no login."""

import logging
import time
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server
from schoolwatch_server.enrolment import EnrolmentError, enrol

log = logging.getLogger(__name__)


class Enrol(BaseModel):
    """What an agent sends: the token it was given, its random install id, and its version."""

    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, Field(min_length=1, max_length=200)]
    install_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{8,64}$")]
    agent: Annotated[str, Field(max_length=32)] = ""


def answer(body: Enrol, request: Request, server: Server) -> dict[str, object]:
    """The device's name, frame key (hex), broker password and broker address, told this once."""
    address = request.client.host if request.client else ""
    wait = server.attempts.wait(address)
    if wait > 0:
        raise Problem(
            429, "too many wrong tokens from this address", headers={"Retry-After": str(int(wait) + 1)}
        )
    try:
        device = enrol(server.engine, body.token, body.install_id, now=time.time())
    except EnrolmentError as error:
        server.attempts.failed(address)
        log.info("enrolment refused for %s: %s", address, error)
        raise Problem(403, "this token lets no device in: ask the school for a new one") from error
    mqtt = server.config.mqtt
    return {
        "device": device.device,
        "key": device.key.hex(),
        "password": device.password,
        "mqtt": {"host": server.broker_host(request), "port": mqtt.port, "tls": bool(mqtt.tls_ca)},
    }


ROUTES = (Route("POST", "/api/v1/enrol", answer, "public", "Let a device in with a token", 201),)
