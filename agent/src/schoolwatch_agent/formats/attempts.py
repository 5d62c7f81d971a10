"""What is to be tried over the network, and what came of it: the two texts between a probe and its child."""

from ipaddress import ip_address
from typing import Final, Literal

import msgspec

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_contract.settings import Endpoint

Outcome = Literal[
    "ok",
    "timeout",
    "refused",
    "unreachable",
    "closed",
    "tls_timeout",
    "tls_failed",
    "not_itself",
    "no_name",
    "no_address",
    "server_failed",
    "not_understood",
    "failed",
]
"""How an attempt ended.

`tls_…`: the connection came about, the handshake did not. `not_itself`: what answered has a certificate
for somebody else, as a sign-in page has. `no_name`: the name does not resolve.
`no_address`: it does, to no address of this family. `server_failed`, `not_understood`: what the
resolver said. `closed`: the other side hung up. `failed`: the system's word for it is another.
"""

About = Literal["name", "v6_only", "nat64", "name4", "nobody", "nobody4"]
"""What a resolver is asked: for AAAA records, or for A records where a 4 is at the end.

`nobody` does not exist (RFC 6761 §6.4): a resolver that gives it an address gives one to anything.
"""

TOLD: Final[frozenset[About]] = frozenset({"name", "v6_only"})
"""Of these it is told how each went; the others are asked to judge by."""


class Plan(msgspec.Struct, frozen=True):
    """Names to ask each resolver for, and hosts to connect to."""

    resolvers: tuple[str, ...]
    names: dict[About, str]
    endpoints: tuple[Endpoint, ...]


class Asked(msgspec.Struct, frozen=True):
    """One question to one resolver; seconds until the answer."""

    resolver: str
    about: About
    outcome: Outcome
    seconds: float | None = None
    addresses: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """Over which protocol the resolver was asked: "4" or "6"."""
        return str(ip_address(self.resolver.partition("%")[0]).version)


class Try(msgspec.Struct, frozen=True):
    """One attempt: seconds until the TCP connection stood, and until all of it was done."""

    outcome: Outcome
    connected: float | None = None
    seconds: float | None = None
    path_mtu: int | None = None


class Tried(msgspec.Struct, frozen=True):
    """A host: connection and handshake over each family, and a large request over IPv6.

    `prefers` is the family of the address that programs use first (RFC 6724), empty when there is none.
    """

    target: str
    prefers: Literal["4", "6", ""]
    six: Try
    four: Try
    large: Try


class Found(msgspec.Struct, frozen=True):
    """All of it; `translated` is a connection to an IPv4 host through the network's NAT64, if it has one."""

    asked: tuple[Asked, ...] = ()
    tried: tuple[Tried, ...] = ()
    translated: Try | None = None


def parse(text: str) -> Found:
    """What the child printed. Raises `NotUnderstood`."""
    try:
        return msgspec.json.decode(text, type=Found)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotUnderstood("not what the child prints", text) from error
