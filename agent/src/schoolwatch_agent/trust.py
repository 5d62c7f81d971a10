"""Whom a connection trusts, and how it goes on when this computer's own clock is wrong.

A flat battery sets a clock to 1970 or years ahead, and then every certificate looks as if its time were not
come or over. Chain and names are checked all the same; only the time of validity can be left out.
"""

import ipaddress
import ssl
from collections.abc import Mapping
from typing import Any

DIRECT = "none"
"""The setting of a proxy for: trust none on the way, whatever the system names."""

NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which Python has no name."""

_NOT_YET, _OVER = 9, 10
"""OpenSSL's codes of a certificate whose time is not come, or over."""


def context(ca: str, *, timeless: bool = False) -> ssl.SSLContext:
    """TLS 1.2 or newer; `ca` is a PEM file, empty for the system's authorities. Raises `OSError`."""
    made = ssl.create_default_context(cafile=ca or None)  # ssl.SSLError is an OSError
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if timeless:
        made.verify_flags |= NO_CHECK_TIME
    return made


def blind() -> ssl.SSLContext:
    """TLS to anybody: only to fetch what is then held against its fingerprint."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def is_out_of_time(error: object) -> bool:
    """Whether a certificate was refused for its time alone."""
    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in (_NOT_YET, _OVER)


def is_not_yet(error: object) -> bool:
    """Whether its time is not come: then an authority that we trust has signed that our clock is behind."""
    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code == _NOT_YET


def holds_at(shown: Mapping[str, Any], at: float) -> bool:
    """Whether a verified certificate, as `getpeercert` gives it, holds at a time (UTC s)."""
    try:
        begins, ends = (ssl.cert_time_to_seconds(str(shown[name])) for name in ("notBefore", "notAfter"))
    except (KeyError, ValueError):
        return False
    return begins <= at < ends


def is_loopback(name: str) -> bool:
    """Whether a host is this computer itself, so that nobody is on the line."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
