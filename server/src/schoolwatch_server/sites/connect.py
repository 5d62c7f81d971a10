"""Connects to a site by addresses that were looked at first, and to no others.

A name is resolved once a connection; every address of it must be one that may be reached, and the connection
goes to that very address. So it does not matter what the name leads to a moment later (DNS rebinding).
"""

import asyncio
import errno
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

import httpcore

from schoolwatch_server.sites.look import Trouble
from schoolwatch_server.sites.networks import Ip, Reachable
from schoolwatch_server.sites.resolver import Family, Resolve, ResolveError

_TRIES = 2
"""Addresses of one name that are tried before it counts as not reached."""

_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EACCES})


class WayError(Exception):
    """A site was not reached over one way; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


@dataclass(frozen=True, slots=True)
class Door:
    """How hosts are reached over one family of addresses: what resolves, what may be reached, which ports."""

    resolve: Resolve
    reachable: Reachable
    ports: frozenset[int]
    family: Family

    async def addresses(self, host: str, port: int) -> tuple[Ip, ...]:
        """Where to connect. Raises `WayError`: also where one of several addresses may not be reached."""
        if port not in self.ports:
            raise WayError("port")
        try:
            found = await self.resolve(host, self.family)
        except ResolveError as error:
            raise WayError(error.trouble) from error
        theirs = tuple(ip for ip in found if not self.reachable.is_translated(ip))
        if not theirs:
            raise WayError("no_record")
        if not all(map(self.reachable.has, theirs)):
            raise WayError("forbidden")
        return theirs


class Backend(httpcore.AsyncNetworkBackend):
    """What httpcore connects by."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to a checked address of the host. Raises `WayError`."""
        last: Exception | None = None
        for ip in (await self._door.addresses(host, port))[:_TRIES]:
            try:
                return await self._inner.connect_tcp(str(ip), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        assert last is not None  # there was an address
        raise WayError(trouble_of(last)) from last


async def handshake(door: Door, host: str, port: int, context: ssl.SSLContext) -> ssl.SSLObject:
    """What TLS agreed on with a host, by a connection that is closed again.

    Raises `WayError`, and `ssl.SSLError` where it was not agreed.
    """
    ip = (await door.addresses(host, port))[0]
    try:
        _, writer = await asyncio.open_connection(str(ip), port, ssl=context, server_hostname=host)
    except ssl.SSLError:
        raise
    except OSError as error:
        raise WayError(trouble_of(error)) from error
    found = writer.get_extra_info("ssl_object")
    writer.transport.abort()  # a site that never answers our goodbye holds nothing
    assert isinstance(found, ssl.SSLObject)
    return found


def trouble_of(error: BaseException) -> Trouble:
    """What a failed connection means: by the system's own error, however deep a library has put it."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, ConnectionRefusedError):
            return "refused"
        if isinstance(at, ssl.SSLError):
            return "tls"
        if isinstance(at, TimeoutError | httpcore.TimeoutException):
            return "timeout"
        if isinstance(at, OSError) and at.errno in _UNREACHABLE:
            return "unreachable"
        at = at.__cause__ or at.__context__
    return "broken"
