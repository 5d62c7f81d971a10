"""Channels that an account sets up for itself: what may be one, and the code that confirms its address.

Of e-mail and Zalo a person gives the receiver alone: the department's mailbox or bot, which an administrator
chose for it, sends. A webhook may lead only to hosts that the settings name: it is the server that calls.
"""

import hashlib
import re
import secrets
from collections.abc import Collection
from typing import Literal, get_args
from urllib.parse import urlsplit

from schoolwatch_server import channels

Kind = Literal["email", "zalo", "webhook"]
KINDS: tuple[Kind, ...] = get_args(Kind)

EACH = 3
"""Channels of one account; a proposal of this project, as are the numbers below."""

MOST = 1000
"""Channels that accounts have set up, of a whole server: each is opened at every look."""

SENT_AN_HOUR = 6
"""Codes and test messages an hour that one account may have sent: nobody's mailbox is filled by them."""

CODE_HOLDS = 900.0
"""Seconds within which a code must come back."""

CODE_TRIES = 5

HOUR = 3600.0

_EMAIL = re.compile(
    r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_CHAT = re.compile(r"[A-Za-z0-9_-]{4,64}")
_LOOPBACK = ("127.0.0.1", "localhost")


class OwnChannelError(ValueError):
    """Why an address can't be an account's channel: a word that `own_channel.fault.<fault>` explains."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


def check(kind: Kind, address: str, hosts: Collection[str], carriers: Collection[str]) -> None:
    """Whether an account may have that channel. Raises `OwnChannelError`, which never quotes the address.

    `hosts` are those of webhooks, `carriers` the kinds of which the department's own channel sends.
    """
    if kind in channels.CARRIED:
        if kind not in carriers:
            raise OwnChannelError("no_carrier")
        if not (_EMAIL if kind == "email" else _CHAT).fullmatch(address):
            raise OwnChannelError(kind)
        return
    try:
        channels.check(address)
        host = urlsplit(address).hostname or ""
    except (channels.AddressError, ValueError) as error:
        raise OwnChannelError("webhook") from error
    safe = channels.scheme(address) == "jsons" or (channels.scheme(address) == "json" and host in _LOOPBACK)
    if not safe:
        raise OwnChannelError("webhook")
    if host not in hosts:
        raise OwnChannelError("host")


def new_code() -> str:
    """Six digits."""
    return f"{secrets.randbelow(10**6):06}"


def digest(channel_id: int, code: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(f"code of channel {channel_id}: {code.strip()}".encode()).hexdigest()
