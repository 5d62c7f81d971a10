"""What a provider says of itself: its addresses (OpenID Connect Discovery 1.0) and its keys (RFC 7517)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schoolwatch_server.oidc.errors import ProviderError
from schoolwatch_server.oidc_section import Algorithm, is_safe

KEYS_MOST = 50
"""Keys of a set that are looked at; providers have two to ten."""

KEY_TYPES: Mapping[Algorithm, str] = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}

Key = Mapping[str, Any]
"""A public key as the provider wrote it (a JWK)."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Addresses of a provider, all of them https or on this machine.

    `takes_basic`: the client's secret goes into a header, else into the form; `names_itself`: its answers
    carry `iss`.
    """

    issuer: str
    authorization: str
    token: str
    keys: str
    takes_basic: bool
    names_itself: bool


def discovery_url(issuer: str) -> str:
    """Where a provider describes itself (Discovery §4)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def parse(document: Mapping[str, Any], issuer: str) -> Provider:
    """The provider that this document describes. Raises `ProviderError`."""
    if document.get("issuer") != issuer:
        raise ProviderError("the discovery document is another issuer's: oidc.issuer must be the same text")
    methods = document.get("token_endpoint_auth_methods_supported")
    return Provider(
        issuer,
        _address(document, "authorization_endpoint"),
        _address(document, "token_endpoint"),
        _address(document, "jwks_uri"),
        not isinstance(methods, list) or "client_secret_basic" in methods,
        document.get("authorization_response_iss_parameter_supported") is True,
    )


def keys_of(document: Mapping[str, Any]) -> tuple[Key, ...]:
    """The keys of a set that may have signed something. Raises `ProviderError` when there is none."""
    listed = document.get("keys")
    keys = listed[:KEYS_MOST] if isinstance(listed, list) else []
    signing = tuple(key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig")
    if not signing:
        raise ProviderError("the set of keys holds no key that signs")
    return signing


def signer(keys: Sequence[Key], kid: object, algorithm: Algorithm) -> Key | None:
    """The one key of that name and of the algorithm's kind; without a name, the only one of its kind."""
    fitting = [
        key
        for key in keys
        if key.get("kty") == KEY_TYPES[algorithm] and key.get("alg", algorithm) == algorithm
    ]
    named = fitting if kid is None else [key for key in fitting if key.get("kid") == kid]
    return named[0] if len(named) == 1 else None


def _address(document: Mapping[str, Any], name: str) -> str:
    address = document.get(name)
    if not isinstance(address, str) or len(address) > 2000 or "#" in address or not is_safe(address):
        raise ProviderError(f"the discovery document's {name} is no https address")
    return address
