"""Asks this machine's resolver for the addresses of a name, IPv4 and IPv6 apart."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

from schoolwatch_server.sites.look import Trouble
from schoolwatch_server.sites.networks import Ip

Family = Literal["v4", "v6"]

SECONDS = 8.0
"""For one question; the system's resolver asks again by itself within that."""

_FAMILIES = {"v4": socket.AF_INET, "v6": socket.AF_INET6}
_NO_RECORD = frozenset({socket.EAI_NODATA, getattr(socket, "EAI_ADDRFAMILY", socket.EAI_NODATA)})


class ResolveError(Exception):
    """There are no addresses; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


Resolve = Callable[[str, Family], Awaitable[Sequence[Ip]]]
"""The addresses of a name. Raises `ResolveError`: there is always one at least."""


async def resolve(host: str, family: Family) -> tuple[Ip, ...]:
    """By getaddrinfo, so with the hosts file and the search order that this machine has."""
    literal = _literal(host)
    if literal is not None:
        if literal.version != (4 if family == "v4" else 6):
            raise ResolveError("no_record")
        return (literal,)
    ask = asyncio.get_running_loop().getaddrinfo(
        f"{host}.", None, family=_FAMILIES[family], type=socket.SOCK_STREAM
    )
    try:
        found = await asyncio.wait_for(ask, SECONDS)
    except TimeoutError as error:
        raise ResolveError("resolver") from error
    except socket.gaierror as error:
        raise ResolveError(_trouble(error.errno)) from error
    except (OSError, UnicodeError) as error:
        raise ResolveError("resolver") from error
    addresses = tuple(dict.fromkeys(ip_address(one[4][0]) for one in found))
    if not addresses:
        raise ResolveError("no_record")
    return addresses


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _trouble(code: int | None) -> Trouble:
    if code in _NO_RECORD:
        return "no_record"
    return "no_name" if code == socket.EAI_NONAME else "resolver"
