"""Renews this device's key and password when the server wishes it: asks for new ones, takes them up later.

New ones are taken up in a later start of the system than they were offered in. On a computer whose disk is
put back at each start they are gone by then, and the old ones go on to hold: nothing is lost to a freeze.
"""

from http.client import HTTPException

import msgspec

from schoolwatch_agent import identity, proven, wrong_clock
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.enrol import EnrolError, check_address
from schoolwatch_agent.errors import TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Credential, IdentityError, Renewed
from schoolwatch_agent.log import log
from schoolwatch_contract.renewal import OFFER, TAKE_UP, Offered


def step(config: AgentConfig, host: Host, credential: Credential) -> Credential:
    """The credential to go on with. Never raises: what does not come about is tried at a later delivery."""
    try:
        check_address(credential.url, insecure_http=False)
        boot = host.boot_id()
        if credential.renewed is None:
            return _keep(config, _offered(config, credential, boot))
        if credential.renewed.boot != boot:
            return _keep(config, _taken_up(config, credential, credential.renewed))
    except (OSError, HTTPException, ValueError, TimedOut, EnrolError, IdentityError) as error:
        log(__name__).info("the credential is not renewed now: %s", error)
    except (msgspec.DecodeError, proven.NoChallengeError) as error:
        log(__name__).info("the credential is not renewed now: %s", error)
    return credential


def _offered(config: AgentConfig, credential: Credential, boot: str) -> Credential:
    status, body = _ask(config, credential, OFFER)
    if status != 201:
        return credential
    said = msgspec.json.decode(body, type=Offered)
    return msgspec.structs.replace(credential, renewed=Renewed(said.key, said.password, said.made_at, boot))


def _taken_up(config: AgentConfig, credential: Credential, renewed: Renewed) -> Credential:
    """With the new key alone once the server has it; without it when the server knows it no more."""
    fresh = msgspec.structs.replace(
        credential, key=renewed.key, password=renewed.password, made_at=renewed.made_at, renewed=None
    )
    status, _ = _ask(config, fresh, TAKE_UP)
    if status == 200:
        log(__name__).info("the new key and password of this device are in use")
        return fresh
    return msgspec.structs.replace(credential, renewed=None) if status in (401, 409) else credential


def _ask(config: AgentConfig, credential: Credential, path: str) -> tuple[int, bytes]:
    status, _, body = wrong_clock.ask(config, credential, path)
    return status, body


def _keep(config: AgentConfig, credential: Credential) -> Credential:
    identity.write_credential(config.data, credential)
    return credential
