"""One login on its way: what binds the provider's answer to the browser that asked for it.

The browser keeps one secret in a cookie for ten minutes; state, nonce and the verifier of PKCE (RFC 7636) are
derived from it, so that none of them tells another. The cookie is authenticated with a key that lives as long
as the process: what a browser made up itself counts for nothing, and its time can't be changed.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

import msgspec

SECONDS = 600.0
"""How long somebody may take at the provider."""

_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Flow:
    """A login that began at that time (UTC seconds), and the page to go to after it."""

    secret: str
    begun_at: float
    after: str

    @property
    def state(self) -> str:
        """What the provider has to give back."""
        return self._derived(b"state")

    @property
    def nonce(self) -> str:
        """What has to stand in the ID token."""
        return self._derived(b"nonce")

    @property
    def verifier(self) -> str:
        """What shows the provider that whoever brings the code is who asked for it; 43 characters."""
        return self._derived(b"verifier")

    @property
    def challenge(self) -> str:
        """The verifier's S256 (RFC 7636 §4.2)."""
        return _text(hashlib.sha256(self.verifier.encode()).digest())

    def _derived(self, label: bytes) -> str:
        return _text(hmac.digest(self.secret.encode(), label, hashlib.sha256))


@dataclass(frozen=True, slots=True)
class Return:
    """What a browser brings back from the provider, each empty when it is missing."""

    code: str = ""
    issuer: str = ""
    error: str = ""


def begin(after: str, now: float) -> Flow:
    """A new one, with 256 random bits."""
    return Flow(secrets.token_urlsafe(32), now, after)


def wrap(key: bytes, flow: Flow) -> str:
    """The cookie's value."""
    body = msgspec.json.encode(flow)
    return _text(hmac.digest(key, body, hashlib.sha256) + body)


def unwrap(key: bytes, cookie: str, now: float) -> Flow | None:
    """The login of that cookie; None when it is not ours, was changed, or is older than `SECONDS`."""
    try:
        raw = base64.b64decode(cookie + "=" * (-len(cookie) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, hmac.digest(key, body, hashlib.sha256)):
        return None
    flow = msgspec.json.decode(body, type=Flow)
    return flow if 0.0 <= now - flow.begun_at <= SECONDS else None


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
