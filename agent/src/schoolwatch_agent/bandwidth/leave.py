"""Asks the server for leave to test: answers its challenge with the device's key, and is told where."""

from email.message import Message
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import OpenerDirector

import msgspec

from schoolwatch_agent import proven
from schoolwatch_agent.bandwidth.order import Why
from schoolwatch_agent.identity import Credential
from schoolwatch_agent.opener import Line, opener
from schoolwatch_contract import slot
from schoolwatch_contract.slot import Slot

TIMEOUT = 10.0
RETRY_MAX = 3600.0
"""Seconds: a server that asks for more patience is asked again all the same."""


_IN_BETWEEN = (407, 511)
"""A proxy asks who we are (RFC 9110 §15.5.8), a network wants a sign-in (RFC 6585 §6)."""


class NoLeaveError(Exception):
    """Why there is no test now, what the server or system said, and in how many seconds to ask again."""

    def __init__(self, why: Why, detail: str = "", retry: float = 0.0) -> None:
        super().__init__(detail or why)
        self.why: Why = why
        self.detail, self.retry = detail[:300], retry


def ask(url: str, credential: Credential, ca: str = "") -> Slot:
    """A slot for one test. Raises `NoLeaveError`."""
    opener = _opener(ca)
    address = url.rstrip("/") + slot.PATH
    try:
        answer = proven.ask(opener, address, credential, TIMEOUT)
    except proven.NoChallengeError as error:
        if error.answer[0] == 401:
            raise NoLeaveError("no_server", "the server sent no challenge") from error
        raise _refusal(*error.answer) from error
    except URLError as error:
        raise NoLeaveError("unreachable", str(error.reason)) from error
    except (OSError, HTTPException, UnicodeError) as error:
        raise NoLeaveError("unreachable", str(error)) from error
    status, headers, body = answer
    if status != 201:
        raise _refusal(status, headers, body)
    try:
        return msgspec.json.decode(body, type=Slot)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoLeaveError("no_server", "the answer is no slot") from error


def _opener(ca: str) -> OpenerDirector:
    try:
        return opener(Line(ca))
    except OSError as error:
        raise NoLeaveError("unreachable", f"{ca}: {error}") from error


def _refusal(status: int, headers: Message, body: bytes) -> NoLeaveError:
    known: dict[int, Why] = {404: "no_server", 409: "line_busy", 503: "server_full"}
    known |= dict.fromkeys(_IN_BETWEEN, "not_itself")
    why = known.get(status, "refused" if status < 500 else "unreachable")
    if status < 400:  # our server never answers so: it is a page of the network's
        why = "not_itself"
    retry = headers.get("Retry-After", "")
    seconds = min(float(retry), RETRY_MAX) if retry.isascii() and retry.isdigit() else 0.0
    return NoLeaveError(why, f"HTTP {status} {_detail(body)}".strip(), seconds)


class _Problem(msgspec.Struct, frozen=True):
    """RFC 9457."""

    detail: str = ""


def _detail(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Problem).detail
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
