"""One look at a site: the page over IPv4 and over IPv6, its certificate, and where plain HTTP leads.

No cookie is kept or sent, nothing is sent that names anybody, and no body is read: an answer is its status.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass, replace

import httpcore

from schoolwatch_server.sites import address as addresses
from schoolwatch_server.sites import certificate
from schoolwatch_server.sites.address import Address, AddressError
from schoolwatch_server.sites.connect import Backend, Door, WayError, handshake, trouble_of
from schoolwatch_server.sites.look import NO_TLS, Look, Tls, Trouble, Way, of_status

REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_LONGEST_LOCATION = 4096


@dataclass(frozen=True, slots=True)
class Line:
    """Over what this server itself reaches the outside; where it does not, nothing is said of sites."""

    v4: bool
    v6: bool


@dataclass(frozen=True, slots=True)
class Eyes:
    """What all looks share: how hosts are reached, how long an answer may take, who is trusted.

    `agent` is how we call ourselves to sites.
    """

    v4: Door
    trusting: ssl.SSLContext
    agent: str
    seconds: float = 10.0

    @property
    def v6(self) -> Door:
        """The same over IPv6."""
        return replace(self.v4, family="v6")


@dataclass(frozen=True, slots=True)
class _Answer:
    """The head of an answer."""

    status: int
    location: str
    sets_cookie: bool


@dataclass(frozen=True, slots=True)
class _Came:
    """Where a way led, besides what is told of it."""

    way: Way
    at: Address


async def look(eyes: Eyes, start: Address, line: Line) -> Look:
    """Looks at a site; it takes at most about seven times the seconds of one answer."""
    v4 = await _way(eyes, eyes.v4, start, can=line.v4)
    v6 = await _way(eyes, eyes.v6, start, can=line.v6)
    best = next((each for each in (v4, v6) if each.way.works), None) or v4
    door = eyes.v6 if best is v6 or v4.way.trouble in {"no_record", "our_line"} else eyes.v4
    return Look(
        v4.way, v6.way, await _tls(eyes, door, start, best), await _leads_to_https(eyes, door, start, best)
    )


async def _way(eyes: Eyes, door: Door, start: Address, *, can: bool) -> _Came:
    if not can:
        return _Came(await _only_name(door, start), start)
    try:
        async with asyncio.timeout(2 * eyes.seconds):
            return await _follow(eyes, door, start)
    except TimeoutError:  # one slow answer after the other
        return _Came(Way("timeout"), start)


async def _follow(eyes: Eyes, door: Door, start: Address) -> _Came:
    here, cookies, began = start, False, time.monotonic()
    try:
        for _ in range(REDIRECTS + 1):
            answer = await _head(eyes, door, here)
            cookies = cookies or answer.sets_cookie
            if answer.status not in _MOVED or not answer.location:
                way = Way(of_status(answer.status), answer.status, time.monotonic() - began, here.is_https)
                return _Came(way, here)
            here = addresses.following(here, answer.location)
    except AddressError:
        return _Came(Way("redirect", is_https=here.is_https), here)
    except WayError as error:
        return _Came(Way(_after(error.trouble, start, here), is_https=here.is_https), here)
    return _Came(Way("cookies" if cookies else "redirects", is_https=here.is_https), here)


def _after(trouble: Trouble, start: Address, here: Address) -> Trouble:
    """That a name lacks an address is told of the site's own; further on the way just ends there."""
    return "redirect" if trouble in {"no_record", "no_name"} and here.host != start.host else trouble


async def _only_name(door: Door, start: Address) -> Way:
    """Where our own line lacks the family: whether DNS has an address of it at all."""
    try:
        await door.addresses(start.host, start.port)
    except WayError as error:
        if error.trouble in {"no_record", "no_name"}:
            return Way(error.trouble)
    return Way("our_line")


async def _head(eyes: Eyes, door: Door, here: Address) -> _Answer:
    """The head of one answer; the connection is closed without reading on. Raises `WayError`."""
    headers = [
        ("User-Agent", eyes.agent),
        ("Accept", "text/html, */*;q=0.1"),
        ("Accept-Encoding", "identity"),
    ]
    try:
        async with (
            asyncio.timeout(eyes.seconds),
            httpcore.AsyncConnectionPool(
                ssl_context=lenient(), network_backend=Backend(door), http1=True, http2=False
            ) as pool,
            pool.stream("GET", str(here), headers=headers) as answer,
        ):
            names = {name.lower(): value for name, value in answer.headers}
            location = names.get(b"location", b"")[:_LONGEST_LOCATION].decode("utf-8", "replace")
            return _Answer(answer.status, location, b"set-cookie" in names)
    except WayError:
        raise
    except TimeoutError as error:
        raise WayError("timeout") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        raise WayError(trouble_of(error)) from error


async def _tls(eyes: Eyes, door: Door, start: Address, came: _Came) -> Tls:
    """The certificate of where the way ended, or of the site's usual place for one where it ended without."""
    if came.way.trouble in {"no_name", "no_record", "resolver", "forbidden", "our_line", "not_run"}:
        return Tls()
    at = came.at if came.at.is_https else Address("https", start.host, 443)
    if at.port not in door.ports:
        return Tls()
    try:
        async with asyncio.timeout(eyes.seconds):
            found = await handshake(door, at.host, at.port, eyes.trusting)
        return certificate.read(found.getpeercert(binary_form=True), found.version(), "")
    except ssl.SSLError as error:
        return await _untrusted(eyes, door, at, error)
    except (TimeoutError, WayError) as error:
        gone = isinstance(error, WayError) and error.trouble == "refused"
        return NO_TLS if gone and not came.at.is_https else Tls()


async def _untrusted(eyes: Eyes, door: Door, at: Address, why: ssl.SSLError) -> Tls:
    """What the certificate says that was not trusted; nothing is sent over such a connection."""
    trouble = certificate.what_fails(why)
    try:
        async with asyncio.timeout(eyes.seconds):
            found = await handshake(door, at.host, at.port, lenient())
    except (TimeoutError, WayError):
        return Tls(is_trusted=False, trouble=trouble)
    except ssl.SSLError:  # no TLS at all
        return NO_TLS if not at.is_https else Tls(is_trusted=False, trouble="protocol")
    return certificate.read(found.getpeercert(binary_form=True), found.version(), trouble)


async def _leads_to_https(eyes: Eyes, door: Door, start: Address, came: _Came) -> bool | None:
    if not start.is_https:
        return came.at.is_https if came.way.works else None
    plain = addresses.plain_of(start)
    if came.way.works is not True or plain.port not in door.ports:
        return None
    try:
        answer = await _head(eyes, door, plain)
        if answer.status not in _MOVED or not answer.location:
            return False if answer.status < 400 else None
        return addresses.following(plain, answer.location).is_https
    except (WayError, AddressError):
        return None


def lenient() -> ssl.SSLContext:
    """Takes any certificate and old protocols: whether it should be taken is asked by another connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context
