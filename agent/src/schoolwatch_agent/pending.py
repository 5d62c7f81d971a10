"""An enrolment that waits for the server: a computer is often set up before its line is.

The token is kept in the data folder, for the agent alone, until the server has answered it.
"""

from pathlib import Path

import msgspec

from schoolwatch_agent import identity
from schoolwatch_agent.enrol import EnrolError, enrol


class Pending(msgspec.Struct, frozen=True):
    """What is needed to ask again."""

    url: str
    token: str
    ca: str = ""
    insecure_http: bool = False

    def __repr__(self) -> str:  # the token must not get into a log
        return f"Pending(url={self.url!r})"


def keep(data: Path, wish: Pending) -> None:
    """Keeps it for the next cycles. Raises `IdentityError`."""
    identity.write_private(data / identity.PENDING, msgspec.json.encode(wish))


def read(data: Path) -> Pending | None:
    """What waits, if anything does; a damaged file is nothing."""
    try:
        return msgspec.json.decode((data / identity.PENDING).read_bytes(), type=Pending)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def forget(data: Path) -> None:
    """After an enrolment, however it came about."""
    (data / identity.PENDING).unlink(missing_ok=True)


def ask(data: Path, wish: Pending) -> identity.Credential:
    """Enrols, and keeps the credential. Raises `EnrolError`, `IdentityError`."""
    install_id = identity.install_id(data)
    credential = enrol(wish.url, wish.token, install_id, ca=wish.ca, insecure_http=wish.insecure_http)
    identity.write_credential(data, credential)
    forget(data)
    return credential


def try_again(data: Path) -> EnrolError | None:
    """Asks for what waits; why it was in vain, or None. Raises `IdentityError`."""
    wish = read(data)
    if wish is None or identity.read_credential(data) is not None:
        forget(data)
        return None
    try:
        ask(data, wish)
    except EnrolError as error:
        return error
    return None
