"""Whether an ID token is the answer to our question (OpenID Connect Core 1.0 §3.1.3.7, RFC 8725)."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, cast

import jwt

from schoolwatch_server.oidc.errors import ProofError, UnknownKeyError
from schoolwatch_server.oidc.identity import Identity, is_subject
from schoolwatch_server.oidc.provider import Key, signer
from schoolwatch_server.oidc_section import Algorithm, Oidc

LEEWAY = 60.0
"""Seconds that the provider's clock may differ from ours."""

OLDEST = 600.0
"""Seconds after which a token that was signed counts no more, whatever it says of its own end."""

TOKEN_MAX = 32 * 1024
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]


def check(token: str, keys: Sequence[Key], section: Oidc, *, nonce: str, now: float) -> Identity:
    """Whom the token is about. Raises `ProofError`, whose text holds nothing of the token."""
    if len(token) > TOKEN_MAX:
        raise ProofError("the ID token is too long")
    claims = _claims(token, keys, section)
    if not isinstance(claims["nonce"], str) or not _same(claims["nonce"], nonce):
        raise ProofError("the ID token answers another login (nonce)")
    if now - int(claims["iat"]) > OLDEST + LEEWAY:
        raise ProofError("the ID token is old (iat)")
    audiences = claims["aud"]
    party = claims.get("azp", section.client_id if _is_one(audiences) else None)
    if party != section.client_id:
        raise ProofError("the ID token was made for another client (azp)")
    return Identity(section.issuer, _subject(claims, section), _second_factor(claims, section))


def _claims(token: str, keys: Sequence[Key], section: Oidc) -> Mapping[str, Any]:
    """The claims once signature, issuer, audience and times are right; the library checks what we name here.

    Its exceptions may quote a key or a claim, so only their names go on.
    """
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in section.algorithms:
            raise ProofError("the ID token is signed with an algorithm that is not allowed")
        chosen = cast("Algorithm", algorithm)
        key = signer(keys, header.get("kid"), chosen)
        if key is None:
            raise UnknownKeyError("the ID token is signed with a key that the provider does not show")
        claims: Mapping[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(dict(key), chosen),
            algorithms=[chosen],
            audience=section.client_id,
            issuer=section.issuer,
            leeway=LEEWAY,
            options={"require": _REQUIRED, "enforce_minimum_key_length": True},
        )
    except jwt.PyJWTError as error:
        raise ProofError(f"the ID token is refused ({type(error).__name__})") from None
    return claims


def _subject(claims: Mapping[str, Any], section: Oidc) -> str:
    subject = claims.get(section.subject_claim)
    if not is_subject(subject):
        raise ProofError(f"the ID token says nobody's {section.subject_claim}")
    return str(subject)


def _second_factor(claims: Mapping[str, Any], section: Oidc) -> bool:
    methods = claims.get("amr")
    proved = methods if isinstance(methods, list) else []
    return any(value in proved for value in section.second_factor_amr) or (
        claims.get("acr") in section.second_factor_acr
    )


def _is_one(audiences: object) -> bool:
    return isinstance(audiences, str) or (isinstance(audiences, list) and len(audiences) == 1)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
