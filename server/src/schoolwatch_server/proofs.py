"""What a device shows over HTTP to be believed: an HMAC with its frame key, answering a challenge of ours."""

import hmac
import re

from sqlalchemy import Engine

from schoolwatch_contract import renewal, slot, standing
from schoolwatch_contract.errors import ContractError
from schoolwatch_server.access import DEVICE, OUTSIDE, RENEWED, Principal
from schoolwatch_server.challenges import Challenges
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.scope import EVERYTHING, Scope

PATHS = frozenset({slot.PATH, standing.PATH, renewal.OFFER, renewal.TAKE_UP})
"""Addresses where a device is asked to prove itself."""

_DEVICE = re.compile(r"[0-9a-f]{32}")
_NOWHERE = Scope("school", 0)  # no school has this id


def device(engine: Engine, header: str, challenges: Challenges) -> Principal | None:
    """The device of an `Authorization` header; None when it proves nothing, or proves it a second time.

    One that waits or was refused may do next to nothing: see `OUTSIDE`.
    """
    try:
        said = slot.parameters(header)
        name, nonce, proof = said["device"], said["nonce"], said["proof"]
    except (ContractError, KeyError):
        return None
    if not _DEVICE.fullmatch(name) or not challenges.is_ours(nonce):
        return None
    with begin_read(engine) as conn:
        credential = credentials.find(conn, [name]).get(name)
        row = registry.device(conn, name, EVERYTHING)
        offered = None if credential is None else credentials.offered_key(conn, credential.device_id)
    if credential is None:
        return None
    is_renewed = offered is not None and _proves(offered, name, nonce, proof)
    if not is_renewed and not _proves(credential.frame_key, name, nonce, proof):
        return None
    if not challenges.spend(nonce):
        return None
    if is_renewed and not credential.revoked and row is not None:
        return Principal("device", name, RENEWED, Scope("school", row.school_id), is_renewed=True)
    if credential.revoked or credential.pending or row is None:
        return Principal("device", name, OUTSIDE, _NOWHERE)
    return Principal("device", name, DEVICE, Scope("school", row.school_id))


def _proves(key: bytes, name: str, nonce: str, proof: str) -> bool:
    return hmac.compare_digest(slot.proof(key, name, nonce).encode(), proof.encode())
