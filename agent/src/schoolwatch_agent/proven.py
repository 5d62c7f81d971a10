"""Asks the server something as this device: answers its challenge with the device's key (see slot.py)."""

from email.message import Message
from urllib.error import HTTPError
from urllib.request import OpenerDirector, Request

from schoolwatch_agent.identity import Credential
from schoolwatch_contract import slot
from schoolwatch_contract.errors import ContractError

ANSWER_MAX = 16 * 1024

Answer = tuple[int, Message, bytes]
"""Status, headers and at most `ANSWER_MAX` bytes of the body."""


class NoChallengeError(Exception):
    """What answered did not ask for a proof; `answer` is what it said instead."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer[0]}")
        self.answer = answer


def ask(
    opener: OpenerDirector, address: str, credential: Credential, timeout: float, body: bytes = b""
) -> Answer:
    """The answer to a POST that proves the device; the key itself never goes out.

    Raises `NoChallengeError`, and what urllib raises for a line that fails (OSError, HTTPException).
    """
    first = _post(opener, address, None, timeout, b"")
    status, headers, _ = first
    try:
        nonce = slot.parameters(headers.get("WWW-Authenticate", ""))["nonce"] if status == 401 else None
    except (ContractError, KeyError):
        nonce = None
    if nonce is None:
        raise NoChallengeError(first)
    proof = slot.authorization(bytes.fromhex(credential.key), credential.device, nonce)
    return _post(opener, address, proof, timeout, body)


def _post(
    opener: OpenerDirector, address: str, authorization: str | None, timeout: float, body: bytes
) -> Answer:
    headers = {"Accept": "application/json, application/problem+json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    if body:
        headers["Content-Type"] = "application/json"
    request = Request(address, data=body, headers=headers, method="POST")  # noqa: S310  the caller checked it
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, answer.headers, bytes(answer.read(ANSWER_MAX))
    except HTTPError as error:
        with error:
            return error.code, error.headers, bytes(error.read(ANSWER_MAX))
