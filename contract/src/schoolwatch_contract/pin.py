"""The pin of a server's authority: what an enrolment code carries, so that a device need trust nobody before.

A code is TOKEN or TOKEN.PIN. The pin is the first 128 bits of SHA-256 over the authority's certificates (DER,
in the order of their file), in base64url without padding: nobody finds other certificates with the same.
"""

import base64
import binascii
import hashlib
import hmac
import re

_BYTES = 16
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


def pin(pem: str) -> str:
    """Of the certificates in a PEM text. Raises `ValueError` for a text without any."""
    found = _PEM.findall(pem)
    if not found:
        raise ValueError("no certificate in PEM form")
    try:
        der = b"".join(base64.b64decode("".join(text.split()), validate=True) for text in found)
    except binascii.Error as error:
        raise ValueError("a certificate that is not base64") from error
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()[:_BYTES]).rstrip(b"=").decode()


def fits(pem: str, wanted: str) -> bool:
    """Whether the certificates are those of a pin."""
    try:
        return hmac.compare_digest(pin(pem).encode(), wanted.encode())
    except ValueError:
        return False


def join(token: str, pem: str) -> str:
    """The code for a token of a server whose authority this is."""
    return f"{token}.{pin(pem)}"


def split(code: str) -> tuple[str, str]:
    """Token and pin; the pin is empty when the code has none."""
    token, _, wanted = code.partition(".")
    return token, wanted
