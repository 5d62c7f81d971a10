"""Enrolment: a token from the school is exchanged for this device's own credential."""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from typing import Annotated, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import OpenerDirector, Request

import msgspec

from schoolwatch_agent import __version__
from schoolwatch_agent.identity import Broker, Credential
from schoolwatch_agent.opener import Line, Shown, blind, opener
from schoolwatch_agent.trust import holds_at, is_loopback, is_out_of_time
from schoolwatch_contract.pin import fits

TIMEOUT = 20.0
CLOCK_SLACK = 3600.0
"""Seconds off the server's clock from which on ours may be why a certificate looks out of time."""

ANSWER_MAX = 64 * 1024


class EnrolError(Exception):
    """Why the enrolment did not come about.

    `key` names the failure and the advice in texts/cli.toml; the detail is what server or system said.
    """

    def __init__(self, key: str, detail: str = "") -> None:
        super().__init__(detail or key)
        self.key, self.detail = key, detail

    @property
    def outcome(self) -> Literal["unreachable", "refused"]:
        """Whether asking again soon may help."""
        return "unreachable" if self.key in ("unreachable", "server_error", "too_often") else "refused"

    def told(self, texts: Callable[..., str]) -> str:
        """The failure in the language of texts/cli.toml, then the detail in its own words."""
        failure = texts(f"failure_{self.key}")
        return texts("failure_detail", failure=failure, detail=self.detail) if self.detail else failure


class _Answer(msgspec.Struct, frozen=True):
    device: str
    key: str
    password: str
    mqtt: Broker
    hint_key: str = ""
    label: str = ""
    made_at: float = 0.0
    standing: Literal["pending", "approved"] = "approved"


class _HintKey(msgspec.Struct, frozen=True):
    hint_key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Office(msgspec.Struct, frozen=True):
    """Where to enrol, with which token, and by which `Line` of opener.py.

    `room` is where the computer stands, as the school calls it; empty for the token's room.
    """

    url: str
    token: str
    ca: str = ""
    insecure_http: bool = False
    room: str = ""
    proxy: str = ""
    timeless: bool = False

    @property
    def line(self) -> Line:
        """How it is reached."""
        return Line(self.ca, self.proxy, self.timeless)

    def __repr__(self) -> str:  # the token must not get into a log
        return f"Office(url={self.url!r})"


Digests = Mapping[str, Sequence[str]]
"""Digests of hardware numbers, by kind."""


class Told(msgspec.Struct, frozen=True):
    """What a computer says of itself: digests of its hardware, whether it forgets at a start, and facts."""

    hints: Digests = {}
    frozen: bool = False
    about: Mapping[str, str] = {}


class Enrolled(msgspec.Struct, frozen=True):
    """The credential, and what the server calls the device."""

    credential: Credential
    label: str


class _Health(msgspec.Struct, frozen=True):
    status: Literal["ok"]


class _Problem(msgspec.Struct, frozen=True):
    """RFC 9457."""

    title: Annotated[str, msgspec.Meta(max_length=500)] = ""
    detail: Annotated[str, msgspec.Meta(max_length=2000)] = ""


def enrol(office: Office, install_id: str, told: Told = Told()) -> Enrolled:  # noqa: B008  it is frozen
    """Asks the server for a credential. Raises `EnrolError`."""
    question: dict[str, object] = {"token": office.token, "install_id": install_id, "agent": __version__}
    if told.hints:
        question["frozen" if told.frozen else "hints"] = told.hints
    if office.room:
        question["room"] = office.room
    if told.about:
        question["about"] = told.about
    return _enrolled(_post(office, "/api/v1/enrol", question), office.url)


def hint_key(office: Office) -> bytes:
    """The school's key, under which hardware numbers become digests. Raises `EnrolError`."""
    try:
        answer = msgspec.json.decode(
            _post(office, "/api/v1/enrol/hint-key", {"token": office.token}), type=_HintKey
        )
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EnrolError("not_a_server") from error
    return bytes.fromhex(answer.hint_key)


def _post(office: Office, path: str, question: dict[str, object]) -> bytes:
    check_address(office.url, insecure_http=office.insecure_http)
    if not office.token:
        raise EnrolError("no_token")
    request = Request(  # noqa: S310  http and https only: check_address
        f"{office.url.rstrip('/')}{path}",
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/json, application/problem+json"},
        method="POST",
    )
    return _ask(request, office.line)[0]


def authority(office: Office, pin: str) -> str:
    """The certificates (PEM) of the server's authority, from whoever answers, held against their pin.

    Raises `EnrolError`.
    """
    check_address(office.url, insecure_http=True)  # nothing secret goes out, and what comes is public
    request = Request(f"{office.url.rstrip('/')}/ca.pem")  # noqa: S310  as above
    try:
        with _answering(request), blind(office.proxy).open(request, timeout=TIMEOUT) as answer:
            pem = answer.read(ANSWER_MAX).decode("ascii")
    except UnicodeDecodeError as error:
        raise EnrolError("other_authority", office.url) from error
    if not fits(pem, pin):
        raise EnrolError("other_authority", office.url)
    return str(pem)


def clock_error(office: Office, now: float, wait: float = TIMEOUT) -> float:
    """By how many seconds the server's clock is ahead of ours, which shows `now`.

    Only when that is why its certificate looks out of time: it is of an authority that we trust, for this
    server's name, and holds by the server's clock. Raises `EnrolError`.
    """
    seen: Shown = []
    line = msgspec.structs.replace(office.line, timeless=True)
    shown = check_server(office.url, line=line, wait=wait, seen=seen)
    if shown is None or abs(shown - now) < CLOCK_SLACK or not seen or not holds_at(seen[-1], shown):
        raise EnrolError("out_of_time")
    return shown - now


def check_server(url: str, *, line: Line, wait: float, seen: Shown | None = None) -> float | None:
    """Asks, with no token, whether a SchoolWatch server answers within `wait` s. Raises `EnrolError`.

    Gives what its clock shows (UTC s), by the Date of its answer (RFC 9110).
    """
    check_address(url, insecure_http=True)  # nothing secret goes out or comes back
    request = Request(f"{url.rstrip('/')}/healthz", headers={"Accept": "application/json"})  # noqa: S310  as above
    try:
        answer, headers = _ask(request, line, wait, seen)
        msgspec.json.decode(answer, type=_Health)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EnrolError("not_a_server") from error
    except EnrolError as error:
        if error.key != "token_refused":
            raise
        raise EnrolError("refused", error.detail) from error  # by a proxy: no token was shown
    return _date(headers.get("Date", ""))


def _date(written: str) -> float | None:
    from email.utils import parsedate_to_datetime  # the doctor's alone

    try:
        return parsedate_to_datetime(written).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def check_address(url: str, *, insecure_http: bool) -> None:
    """Raises `EnrolError` for an address over which a token must not go.

    The answer holds the device's key and password: over plain http anyone on the line could read them.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:  # such as "http://[x"
        raise EnrolError("bad_url", url) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EnrolError("bad_url", url)
    if parts.scheme == "http" and not insecure_http and not is_loopback(parts.hostname):
        raise EnrolError("plain_http", url)


def words(error: object) -> str:
    """What the system said of an error."""
    said = getattr(error, "strerror", None) or str(error)  # without Python's "[Errno 111]"
    return str(said) or type(error).__name__


def _ask(
    request: Request, line: Line, wait: float = TIMEOUT, seen: Shown | None = None
) -> tuple[bytes, Mapping[str, str]]:
    with _answering(request), _opener(line, seen).open(request, timeout=wait) as answer:
        return bytes(answer.read(ANSWER_MAX)), answer.headers


@contextmanager
def _answering(request: Request) -> Iterator[None]:
    """What may go wrong on the way, as `EnrolError`."""
    try:
        yield
    except HTTPError as error:
        with error:
            raise EnrolError(_advice(error.code), _problem(error)) from error
    except URLError as error:
        if is_out_of_time(error.reason):
            raise EnrolError("out_of_time", words(error.reason)) from error
        key = "certificate" if isinstance(error.reason, ssl.SSLError) else "unreachable"
        raise EnrolError(key, words(error.reason)) from error
    except (OSError, HTTPException) as error:
        raise EnrolError("unreachable", words(error)) from error
    except UnicodeDecodeError:
        raise
    except UnicodeError as error:  # a name or path that cannot be sent
        raise EnrolError("bad_url", request.full_url) from error


def _opener(line: Line, seen: Shown | None) -> OpenerDirector:
    try:
        return opener(line, seen)
    except OSError as error:
        raise EnrolError("bad_ca", f"{line.ca}: {error}") from error


def _advice(status: int) -> str:
    known = {
        401: "token_refused",
        403: "token_refused",
        404: "not_a_server",
        409: "conflict",
        429: "too_often",
    }
    return known.get(status, "server_error" if status >= 500 else "refused")


def _problem(error: HTTPError) -> str:
    try:
        problem = msgspec.json.decode(error.read(ANSWER_MAX), type=_Problem)
    except (OSError, HTTPException, msgspec.DecodeError, UnicodeDecodeError):
        problem = _Problem()
    said = ": ".join(part for part in (problem.title, problem.detail) if part)
    return f"HTTP {error.code} {said or error.reason}"


def _enrolled(text: bytes, url: str) -> Enrolled:
    try:
        answer = msgspec.json.decode(text, type=_Answer)
        known = {**msgspec.to_builtins(answer), "url": url, "pending": answer.standing == "pending"}
        return Enrolled(msgspec.convert(known, Credential), answer.label or answer.device[:8])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EnrolError("not_a_server") from error
