"""Sends to one address by Apprise, and reads the file of addresses, which holds secrets and stays private."""

import email.utils
import hashlib
import logging
import os
import re
import stat
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import apprise

from schoolwatch_server import alertmanager, short_answers
from schoolwatch_server.short_answers import UNANSWERED

log = logging.getLogger(__name__)

ADDRESS_MAX = 2000

KINDS = {
    "zalo": "zalo",
    "mailto": "email",
    "mailtos": "email",
    "json": "webhook",
    "jsons": "webhook",
    "form": "webhook",
    "forms": "webhook",
    "xml": "webhook",
    "xmls": "webhook",
    "tgram": "telegram",
    "workflow": "teams",
    "workflows": "teams",
    "msteams": "teams",
    **dict.fromkeys(alertmanager.SCHEMES, alertmanager.KIND),
}
"""Scheme to what people call it; any other goes by Apprise's own name."""

CARRIED = ("email", "zalo")
"""Kinds of which a person gives the receiver alone, and the department's own mailbox or bot sends."""

LOCAL = frozenset(
    {"blink1", "dbus", "file", "glib", "gnome", "kde", "macosx", "memory", "qt", "syslog", "windows"}
)
"""Schemes that reach nobody but this machine."""

_message: ContextVar[str] = ContextVar("message", default="")


class ChannelError(ValueError):
    """An address or the file of addresses can't be used; the text says what to do and holds no address."""


@dataclass(frozen=True, slots=True)
class AddressError(Exception):
    """Why an address can't be a channel: a word that `channel.fault.<fault>` explains; never the address."""

    fault: str


def read(path: Path | None) -> dict[str, str]:
    """Channel name → address; empty when no file is set or it isn't there. Raises `ChannelError`.

    Empty lines and lines that begin with # are skipped.
    """
    if path is None or not path.exists():
        return {}
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ChannelError(f"{path}: others may read it and it holds secrets: chmod 600 {path}")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ChannelError(f"{path}: can't be read: check its mode and that it is UTF-8 text") from error
    addresses = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return {name(address): address for address in addresses}


def name(address: str) -> str:
    """`json-3f2a91c04d7e`: tells channels apart in lists and logs without giving away the address."""
    digest = hashlib.sha256(address.encode()).hexdigest()[:12]
    return f"{scheme(address) or 'channel'}-{digest}"


def scheme(address: str) -> str:
    """`json` of `json://…`; empty where there is none."""
    found = re.match(r"[A-Za-z][A-Za-z0-9]{0,15}(?=://)", address)
    return found[0].lower() if found else ""


def kind(address: str) -> str:
    """What people call this sort of channel: `zalo`, `email`, `webhook` … or Apprise's own name of it."""
    hush()
    known = KINDS.get(scheme(address))
    if known is not None:
        return known
    service = apprise.Apprise.instantiate(address)
    return str(service.service_name)[:40] if service is not None else "unknown"


def drops_copies(address: str) -> bool:
    """Whether who receives can tell a second copy by its id and drop it: a program, by `Idempotency-Key`."""
    return KINDS.get(scheme(address)) == "webhook"


def is_alertmanager(address: str) -> bool:
    """Whether it is told how incidents stand, and gets no messages; of a name in the outbox too."""
    return KINDS.get(scheme(address) or address.partition("-")[0]) == alertmanager.KIND


def check(address: str) -> None:
    """Whether Apprise takes the address; nothing is sent. Raises `AddressError`."""
    hush()
    if not address:
        raise AddressError("missing")
    if len(address) > ADDRESS_MAX:
        raise AddressError("too_long")
    if any(ord(sign) < 33 or ord(sign) == 127 for sign in address):
        raise AddressError("spaces")
    found = scheme(address)
    if not found:
        raise AddressError("no_scheme")
    if found in LOCAL:
        raise AddressError("local")
    if is_alertmanager(address):
        try:
            alertmanager.target(address)
        except ValueError:
            raise AddressError("incomplete") from None
        return
    if found not in {one for plugin in apprise.Apprise().details()["schemas"] for one in _schemes(plugin)}:
        raise AddressError("unknown_scheme")
    if _service(address) is None:
        raise AddressError("incomplete")


MODES = {"starttls": ("mailtos", 587), "ssl": ("mailtos", 465), "insecure": ("mailto", 25)}
"""How a mail server is spoken to (Apprise's `mode`) → scheme, and the port where none is said (RFC 8314)."""

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_MAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9.-]{1,255}")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What people know of a mailbox that sends, and to whom; no `user`: the server asks for none."""

    host: str
    mode: str
    port: str
    user: str
    password: str
    sender: str
    receiver: str

    def address(self) -> str:
        """The same as an address. Raises `AddressError` with the word `mail_…` of the field that is wrong."""
        if not _HOST.fullmatch(self.host):
            raise AddressError("mail_host")
        if self.mode not in MODES:
            raise AddressError("mail_mode")
        if self.port and not (re.fullmatch(r"[0-9]{1,5}", self.port) and 0 < int(self.port) < 65536):
            raise AddressError("mail_port")
        for told, word in ((self.sender, "mail_sender"), (self.receiver, "mail_receiver")):
            if not _MAIL.fullmatch(told):
                raise AddressError(word)
        scheme, port = MODES[self.mode]
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        query = {"smtp": self.host, "from": self.sender, "to": self.receiver, "mode": self.mode}
        return f"{scheme}://{login}{self.host}:{self.port or port}?{urlencode(query)}"


def carried(address: str, kind: str, to: str) -> str:
    """The address of a mailbox or bot with another receiver in place of its own."""
    parts = urlsplit(address)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if kind == "email":
        kept = [pair for pair in query if pair[0].lower() not in ("to", "cc", "bcc")]
        return urlunsplit((parts.scheme, parts.netloc, "", urlencode([*kept, ("to", to)]), ""))
    return urlunsplit((parts.scheme, parts.netloc, f"/{to}", parts.query, ""))


def deliver(address: str, title: str, body: str, message: str = "", thread: str = "") -> str:
    """Sends one message; the answer is empty, or why it was not taken, without the address in it.

    `message` is its id for life: receivers can drop a second copy by the header `Idempotency-Key` of a
    webhook, or by the `Message-ID` of a mail. `thread` is the id of an earlier message that this one
    follows: a mail says so in `References` (RFC 5322, 3.6.4). A body that is too long for the channel is cut
    before its end, where the link is.

    Who answers with another address has not taken it: where it points to was not chosen by the department,
    and a POST that is sent on arrives as a GET (RFC 9110, 15.4).
    """
    hush()
    short_answers.keep()
    service = _service(address)
    if service is None:
        return "not an address that Apprise knows"
    service.redirects = False
    if message and isinstance(getattr(service, "headers", None), dict):
        service.headers = {**service.headers, **_headers(address, message, thread)}
    sender = apprise.Apprise()
    sender.add(service)
    room = service.body_maxlen - (len(title) + 4 if service.title_maxlen <= 0 else 0)
    token = _message.set(message)
    unanswered = Event()
    waiting = short_answers.unanswered.set(unanswered)
    try:
        with short_answers.within(short_answers.LONGEST):
            result = sender.notify(title=title, body=fit(body, room), body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # noqa: BLE001  any of its hundred plugins may raise anything
        return f"failed: {type(error).__name__}"
    finally:
        _message.reset(token)
        short_answers.unanswered.reset(waiting)
    if result:
        return ""
    codes = re.findall(r"error=(\d{3})\b", " ".join(str(entry) for entry in result.logs()))
    answered = f"answered {codes[-1]}" if codes else "no answer"
    if not unanswered.is_set():
        return answered
    is_proxy = bool(codes) and int(codes[-1]) in short_answers.OF_PROXIES
    return f"{UNANSWERED}: {answered}" if is_proxy else UNANSWERED


def _headers(address: str, message: str, thread: str) -> dict[str, str]:
    if not scheme(address).startswith("mailto"):
        return {"Idempotency-Key": message}
    _mails_keep_their_id()
    first = {"In-Reply-To": f"<{thread}@schoolwatch>", "References": f"<{thread}@schoolwatch>"}
    return {"X-SchoolWatch-Message": message} | (first if thread else {})


def fit(body: str, room: int) -> str:
    """The body in at most `room` characters: what is too much goes before the last line, the link."""
    if len(body) <= room:
        return body
    head, _, last = body.rpartition("\n")
    left = room - len(last) - 3
    return f"{head[:left]} …\n{last}" if left > 0 else body[: max(room, 0)]


@cache
def _mails_keep_their_id() -> None:
    """Has a mail's Message-ID be the message's own id, so that a second copy is the same mail to a receiver.

    Apprise has no door for it: each attempt would be another mail.
    """
    from apprise.plugins.email import base

    def make_id(*args: Any, **kwargs: Any) -> str:
        own = _message.get()
        return f"<{own}@schoolwatch>" if own else email.utils.make_msgid(*args, **kwargs)

    setattr(base, "make_msgid", make_id)  # noqa: B010  mypy knows that it is not exported


def hush() -> None:
    """Keeps lines that quote addresses out of the server's log, whatever its level."""
    for logger_name, level in (("apprise", logging.WARNING), ("urllib3", logging.ERROR)):
        logger = logging.getLogger(logger_name)
        logger.setLevel(level)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())  # else Python prints warnings to stderr


def _service(address: str) -> Any:
    try:
        return apprise.Apprise.instantiate(address)
    except Exception:  # noqa: BLE001  any of its hundred plugins may raise anything; the text may quote it
        return None


def _schemes(plugin: dict[str, Any]) -> tuple[str, ...]:
    return (*(plugin["protocols"] or ()), *(plugin["secure_protocols"] or ()))
