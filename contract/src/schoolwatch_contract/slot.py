"""Leave for one speed test: how a device proves itself to the server, and what it is then given.

The proof answers a challenge of the server's (as HTTP's own schemes do, RFC 9110 §11), so it is good once,
needs no right clock on the device, and shows nothing of the key.
"""

import hmac
from typing import Annotated, Final

import msgspec

from schoolwatch_contract.errors import ContractError

SCHEME: Final = "SchoolWatch-Device"
"""The authentication scheme in `WWW-Authenticate` and `Authorization`."""

PATH: Final = "/api/v1/speedtest/slot"

_CONTEXT: Final = b"schoolwatch speedtest slot\0"
"""No frame begins so: what proves a device here is never part of a report, nor the other way round."""

Url = Annotated[str, msgspec.Meta(pattern="^wss?://", max_length=2000)]


class Slot(msgspec.Struct, frozen=True):
    """Where to test, once in each direction; the token is in both URLs.

    A direction must begin within `begin_within` seconds of the grant or of the other's end, and takes
    `seconds`. `rate` is what the server has set aside for it (bit/s); `assumed` says that the school
    declared no speed and the server took its assumption.
    """

    download: Url
    upload: Url
    begin_within: float
    seconds: Annotated[float, msgspec.Meta(gt=0, le=10)]
    rate: float
    assumed: bool


def proof(key: bytes, device: str, nonce: str) -> str:
    """64 hex digits: HMAC-SHA-256 with the device's frame key over device and nonce."""
    return hmac.digest(key, _CONTEXT + f"{device}\0{nonce}".encode(), "sha256").hex()


def authorization(key: bytes, device: str, nonce: str) -> str:
    """The value of the header `Authorization`."""
    return f'{SCHEME} device="{device}", nonce="{nonce}", proof="{proof(key, device, nonce)}"'


def challenge(nonce: str) -> str:
    """The value of the header `WWW-Authenticate`."""
    return f'{SCHEME} nonce="{nonce}"'


def parameters(header: str) -> dict[str, str]:
    """The quoted parameters behind the scheme. Raises `ContractError` for another scheme or form."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != SCHEME.lower() or len(rest) > 500:
        raise ContractError("value", f"{header[:40]!r} is not the scheme {SCHEME}")
    found: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or len(value) < 2 or value[0] != '"' or value[-1] != '"' or name in found:
            raise ContractError("value", f"{part[:40]!r} is no parameter of {SCHEME}")
        found[name] = value[1:-1]
    return found
