"""What a certificate says of itself, and what is wrong with one that is not trusted. Pure."""

import ssl

from cryptography import x509
from cryptography.x509.oid import NameOID

from schoolwatch_server.sites.look import Tls, TlsTrouble

_LONGEST = 120
"""Characters of an issuer's name that are kept: who made the certificate wrote it."""

_CODES: dict[int, TlsTrouble] = {
    9: "not_yet",
    10: "expired",
    18: "self_signed",
    19: "self_signed",
    20: "issuer",
    21: "issuer",
    62: "name",
    64: "name",
}
"""OpenSSL's X509_V_ERR_… numbers."""


def read(der: bytes | None, version: str | None, trouble: TlsTrouble) -> Tls:
    """Of a connection: its certificate, protocol, and what is wrong with it."""
    issuer, expires_at = "", None
    if der:
        try:
            found = x509.load_der_x509_certificate(der)
            expires_at = found.not_valid_after_utc.timestamp()
            issuer = _name(found.issuer)
        except (ValueError, OverflowError, x509.InvalidVersion):
            trouble = trouble or "other"
    return Tls(not trouble, trouble, issuer, expires_at, version or "")


def what_fails(error: ssl.SSLError) -> TlsTrouble:
    """Why a handshake by the rules of browsers failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CODES.get(error.verify_code, "other")
    return "protocol"


def _name(issuer: x509.Name) -> str:
    parts = [
        part.value
        for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for part in issuer.get_attributes_for_oid(oid)
        if isinstance(part.value, str)
    ]
    told = " · ".join(dict.fromkeys(parts))
    return "".join(letter for letter in told if letter.isprintable())[:_LONGEST]
