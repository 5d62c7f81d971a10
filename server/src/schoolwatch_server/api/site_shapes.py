"""What the API answers about schools' websites, for its description (OpenAPI)."""

from typing import Annotated

from pydantic import Field

from schoolwatch_server.api.shapes import Answer, Next, School, Time
from schoolwatch_server.site_standing import State
from schoolwatch_server.sites.look import TlsTrouble, Trouble


class SiteWay(Answer):
    """A site over IPv4 or IPv6; `trouble` empty: the page came, after `seconds`, with this status."""

    trouble: Trouble
    status: int | None
    seconds: Annotated[float | None, Field(ge=0)]
    https: bool


class SiteCertificate(Answer):
    """`trusted`: browsers take it."""

    trusted: bool | None
    trouble: TlsTrouble
    issuer: str
    expires_at: Time | None
    protocol: str


class SiteLook(Answer):
    """What one look found; `trouble` empty: the site is up. `leads_to_https` null: no plain HTTP there."""

    at: Time
    is_up: bool | None
    trouble: Trouble
    ipv4: SiteWay
    ipv6: SiteWay
    has_ipv6: bool | None
    leads_to_https: bool | None
    certificate: SiteCertificate


class Site(Answer):
    """`since`: from which look on it has been up, or down. `days_left` of its certificate, < 0 once ended."""

    school: School
    address: str
    state: State
    since: Time | None
    days_left: int | None
    look: SiteLook | None


class SiteList(Answer):
    checked: bool
    sites: list[Site]
    next: Next


class SiteLooks(Answer):
    school: str
    address: str | None
    looks: list[SiteLook]
