"""A device that enrolled and waits asks the server whether it is let in yet; until then it only measures."""

from http.client import HTTPException
from pathlib import Path

import msgspec

from schoolwatch_agent import identity, proven, wrong_clock
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.connection import PendingError, RefusedError
from schoolwatch_agent.enrol import EnrolError
from schoolwatch_agent.identity import Credential, IdentityError
from schoolwatch_agent.log import log
from schoolwatch_contract.standing import PATH, Answer


def check(config: AgentConfig, credential: Credential) -> None:
    """Returns when the device is let in, or when nobody says: then the broker does.

    Raises `PendingError` while it waits, `RefusedError` when it was refused.
    """
    try:
        status, _, body = wrong_clock.ask(config, credential, PATH)
        said = msgspec.json.decode(body, type=Answer).standing if status == 200 else None
    except (OSError, HTTPException, ValueError, EnrolError) as error:
        log(__name__).info("the server does not say whether this device is let in: %s", error)
        return
    except (msgspec.DecodeError, proven.NoChallengeError) as error:
        log(__name__).info("the server does not say whether this device is let in: %s", error)
        return
    if said == "pending":
        raise PendingError(credential.url)
    if said == "refused":
        raise RefusedError(f"{credential.url}: the enrolment was refused")
    if said == "approved":
        let_in(config.data, credential)


def let_in(data: Path, credential: Credential) -> None:
    """Keeps that the device waits no more; where that cannot be kept it asks again, which costs little."""
    try:
        identity.write_credential(data, msgspec.structs.replace(credential, pending=False))
    except IdentityError as error:
        log(__name__).warning("%s", error)
