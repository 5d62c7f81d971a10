"""Where notifications go: a file with one Apprise address a line, which holds secrets and stays private."""

import hashlib
import logging
import os
import re
import stat
from pathlib import Path

import apprise

log = logging.getLogger(__name__)


class ChannelError(ValueError):
    """The file of addresses can't be used; the text says what to do and holds no address."""


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
    scheme = re.match(r"[A-Za-z][A-Za-z0-9]{0,15}(?=://)", address)
    digest = hashlib.sha256(address.encode()).hexdigest()[:12]
    return f"{scheme[0].lower() if scheme else 'channel'}-{digest}"


def deliver(address: str, title: str, body: str) -> str:
    """Sends one message; the answer is empty, or why it was not taken, without the address in it."""
    hush()
    service = apprise.Apprise()
    if not service.add(address):
        return "not an address that Apprise knows"
    try:
        result = service.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # noqa: BLE001  any of its hundred plugins may raise anything
        return f"failed: {type(error).__name__}"
    if result:
        return ""
    codes = re.findall(r"error=(\d{3})\b", " ".join(str(entry) for entry in result.logs()))
    return f"answered {codes[-1]}" if codes else "no answer"


def hush() -> None:
    """Keeps lines that quote addresses out of the server's log, whatever its level."""
    for logger_name, level in (("apprise", logging.WARNING), ("urllib3", logging.ERROR)):
        logger = logging.getLogger(logger_name)
        logger.setLevel(level)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())  # else Python prints warnings to stderr
