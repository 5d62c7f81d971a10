"""What goes wrong between us and a store, in one line that names the setting and says what to do. Pure."""

import re
from typing import Final

LONGEST: Final = 300
"""Characters that are repeated of what somebody else says."""

_ADVICE: Final = (
    (
        r"self.signed certificate|unable to get .*issuer",
        "store.ca_file: name the file (PEM) of the authority that its certificate is from",
    ),
    (
        r"hostname mismatch|ip address mismatch|not valid for",
        "store.url: write the name that its certificate is for",
    ),
    (r"certificate has expired", "its certificate is over: have it renewed there"),
    (r"certificate is not yet valid", "its certificate begins later: is a clock wrong, here or there?"),
    (r"wrong.version.number|record layer", "store.url: https:// is not spoken there, http:// may be"),
    (
        r"reset by peer|aborted|disconnected",
        "was it stopped just now? Else store.url may lack an s, https://",
    ),
    (
        r"refused|name or service|name resolution|no address|unreachable|no route|connecttimeout|timed out",
        "is the store running, and is store.url where it is?",
    ),
)
_LOGIN: Final = re.compile(r"log.?in|sign.?in|sso|auth", re.IGNORECASE)


def unreached(error: BaseException) -> str:
    """Of what kept a request from being answered."""
    return advised(f"{type(error).__name__}: {error}")


def advised(said: str) -> str:
    """A library's words for it, and what to do."""
    line = " ".join(said.split())[:LONGEST]
    for pattern, what in _ADVICE:
        if re.search(pattern, said, re.IGNORECASE):
            return f"{line}: {what}"
    return line


def answered(status: int, text: str, location: str = "") -> str:
    """Of an answer that is not what was asked for."""
    if 300 <= status < 400:
        where = location.partition("?")[0].strip()[:LONGEST] or "elsewhere"  # the rest may hold a secret
        if _LOGIN.search(location):
            return f"{status}, sends on to {where}: a login stands before it: have store.url lead past that"
        return f"{status}, sends on to {where}: have store.url lead there"
    said = f"{status} {' '.join(text.split())[:LONGEST]}".rstrip()
    if status < 300 or text.lstrip().startswith("<"):
        if status in (502, 503, 504):
            return f"{status} from a proxy before the store: the store is away, or the proxy looks elsewhere"
        page = f"{status} with something else than a store says: what answers is none"
        return f"{page}: is store.url the store's own address, not that of a proxy or a login?"
    if status in (401, 403):
        return f"{said}: what store.token_file names is wrong, or may not do that there"
    if status == 404 and "not found" in text and re.search("bucket|database|organization", text):
        return f"{said}: make it there, or put store.bucket, store.database or store.org right"
    if status == 404:
        return f"{said}: is store.url right, with the path below which the store is?"
    if status == 429:
        return f"{said}: it has enough for now"
    return said
