"""What one look at a website found, and what follows from it. Pure.

Times are UTC seconds, durations seconds. What is not known is None: never "down", never "no".
"""

from typing import Literal

import msgspec

Trouble = Literal[
    "",
    "no_name",
    "no_record",
    "resolver",
    "forbidden",
    "port",
    "refused",
    "timeout",
    "unreachable",
    "broken",
    "tls",
    "redirects",
    "redirect",
    "cookies",
    "status",
    "denied",
    "our_line",
    "not_run",
]
"""Why a way to a site did not work; a key of the text file: `site.trouble.<it>`."""

UNKNOWN: frozenset[Trouble] = frozenset({"forbidden", "port", "cookies", "denied", "our_line", "not_run"})
"""Troubles that say nothing of the site: we did not ask it, or it does not answer programs."""

TlsTrouble = Literal["", "expired", "not_yet", "name", "issuer", "self_signed", "protocol", "other", "none"]
"""Why a certificate is not trusted; `none`: the site has no TLS. A key: `site.tls.<it>`."""

DENIED = frozenset({401, 403, 405, 406, 407, 429, 451})
"""Answers that refuse whoever asks, not the page."""


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site over IPv4 or over IPv6: the last answer's status, how long it took to come, whether by TLS."""

    trouble: Trouble = "not_run"
    status: int | None = None
    seconds: float | None = None
    is_https: bool = False

    @property
    def works(self) -> bool | None:
        """Whether the page came."""
        if not self.trouble:
            return True
        return None if self.trouble in UNKNOWN else False


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site's certificate: whether browsers would take it, by whom it is, its last moment; the protocol."""

    is_trusted: bool | None = None
    trouble: TlsTrouble = ""
    issuer: str = ""
    expires_at: float | None = None
    version: str = ""


NO_TLS = Tls(is_trusted=False, trouble="none")


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One look at a site. `leads_to_https`: whether plain HTTP does; None: nobody listens there."""

    v4: Way = Way()
    v6: Way = Way()
    tls: Tls = Tls()
    leads_to_https: bool | None = None

    @property
    def is_up(self) -> bool | None:
        """Whether somebody gets the page; False only where every way that could be tried is known to fail."""
        ways = [way for way in (self.v4, self.v6) if way.trouble != "no_record"]
        works = [way.works for way in ways if way.trouble != "our_line"] or [way.works for way in ways]
        if any(works):
            return True
        return None if None in works else False

    @property
    def trouble(self) -> Trouble:
        """Why it is not up, or why that is not known: what IPv4 says first."""
        if self.is_up:
            return ""
        troubles = [way.trouble for way in (self.v4, self.v6) if way.trouble not in {"", "no_record"}]
        troubles = [trouble for trouble in troubles if trouble != "our_line"] or troubles
        unknown = [trouble for trouble in troubles if trouble in UNKNOWN]
        return next(iter(unknown or troubles), "no_record")

    @property
    def has_ipv6(self) -> bool | None:
        """Whether the site answers over IPv6. An address that nothing answers at counts as none."""
        if self.v6.status is not None:
            return True
        if self.v6.trouble == "no_record":
            return False
        if self.v6.works is None or self.is_up is not True:
            return None  # of a site that is down altogether IPv6 is not the trouble
        return False

    @property
    def has_https_over_ipv6(self) -> bool | None:
        """Whether the page comes by HTTPS over IPv6 (V4 of the steps of IPv6)."""
        if self.has_ipv6 is not True:
            return self.has_ipv6
        return None if self.v6.works is None else self.v6.works and self.v6.is_https


OUR_LINE = Look(Way("our_line"), Way("our_line"))
"""Nothing was asked: this server had no line to the outside."""


def of_status(status: int) -> Trouble:
    """What a last answer means."""
    if status < 400:
        return ""
    return "denied" if status in DENIED else "status"
