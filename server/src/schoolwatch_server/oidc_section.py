"""The section `[oidc]` of the settings: logging in through a provider of identities (OpenID Connect)."""

import ipaddress
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]
"""What an ID token may be signed with: never `none`, and no HMAC, whose key would be known to both sides."""

Value = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]+$", max_length=200)]


class Oidc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider that people may log in through; without an `issuer` there is none.

    `subject_claim` names the account at the provider: never an address of mail, which is given to others.
    An ID token with one of these `amr` or `acr` has proved a second factor to the provider.
    """

    issuer: Annotated[str, msgspec.Meta(max_length=500)] = ""
    client_id: Annotated[str, msgspec.Meta(pattern=r"^[\x20-\x7e]*$", max_length=200)] = ""
    client_secret_file: str = ""
    ca_file: str = ""
    name_vi: Annotated[str, msgspec.Meta(max_length=60)] = ""
    name_en: Annotated[str, msgspec.Meta(max_length=60)] = ""
    subject_claim: Literal["sub", "oid"] = "sub"
    algorithms: Annotated[tuple[Algorithm, ...], msgspec.Meta(min_length=1)] = ("RS256", "ES256")
    prompt: Literal["", "login", "select_account"] = "login"
    second_factor_amr: tuple[Value, ...] = ()
    second_factor_acr: tuple[Value, ...] = ()


def trouble(section: Oidc, public_url: str) -> str | None:
    """What is wrong with the section, the key first, and what to do; None when it can be used or is off."""
    if not section.issuer:
        return None
    issuer = _parts(section.issuer)
    if issuer is None or not is_safe(section.issuer) or issuer.query or issuer.fragment or issuer.username:
        return (
            "oidc.issuer: is no https:// address without ? and #: copy the provider's issuer as it writes it"
        )
    if not section.client_id.strip():
        return "oidc.client_id: is empty: write what the provider calls this server"
    if not is_safe(public_url):
        return (
            "http.public_url: is no https:// address, and [oidc] needs one: the provider sends people back"
            " to /login/oidc/callback of it"
        )
    return None


def is_safe(url: str) -> bool:
    """Whether it is https, or http that stays on this machine."""
    parts = _parts(url)
    if parts is None or not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def is_loopback(host: str) -> bool:
    """Whether the name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # looked at only now
    except ValueError:
        return None
    return parts
