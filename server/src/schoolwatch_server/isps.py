"""Names of Internet providers as they are compared and shown: schools write them in many ways. Pure."""

import unicodedata


def compared(isp: str) -> str:
    """VNPT, Vnpt and "VNPT " are one, and so are accents written in two ways."""
    return unicodedata.normalize("NFC", " ".join(isp.split()).casefold())


def shown(isp: str) -> str:
    """One name for all ways of writing it, that never changes with who writes it how: in capitals."""
    return compared(isp).upper()
