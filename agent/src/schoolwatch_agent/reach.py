"""Asks resolvers and connects to hosts, all side by side and within a bound; runs as a child of the agent.

    python -m schoolwatch_agent.reach '{"resolvers": [...], "names": {...}, "endpoints": [...]}'

It measures whether a path carries packets and trusts nothing that it hears: who signed a certificate is not
checked, only whether it is for the host; and what is sent is a request for `/` filled up to 1,600 bytes.
"""

import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, Literal, TypeVar

import msgspec

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import certificate, dns, nat64
from schoolwatch_agent.formats.attempts import About, Asked, Found, Outcome, Plan, Tried, Try
from schoolwatch_contract.settings import Endpoint

BOUND: Final = 20.0
"""Seconds after which the child ends, whatever has not."""

ATTEMPT: Final = 15.0
"""Seconds for one connection with all that is done over it."""

_RESOLVER: Final = 2.5
"""Seconds for one of two questions to a resolver: resolv.conf(5) has 5, twice."""
_LARGE: Final = 1600
"""Bytes of a request and of an answer that do not fit one packet of any school's line."""
_SMALL_SEGMENT: Final = 1220
"""TCP payload that fits the least IPv6 MTU, 1,280 bytes (RFC 8200 §5): with it no packet is too big."""
_IPV6_MTU: Final = 24
"""Linux' socket option for the path MTU (ipv6(7)); Python has no name for it."""

_Given = TypeVar("_Given")


def main(argv: list[str]) -> None:
    """Reads the plan from the command line and prints what was found."""
    plan = msgspec.json.decode(argv[1], type=Plan)
    sys.stdout.write(msgspec.json.encode(carry_out(plan)).decode() + "\n")
    sys.stdout.flush()
    os._exit(0)  # threads that still wait for a resolver are left behind


def carry_out(plan: Plan) -> Found:
    """Everything in the plan; what did not end in time has timed out."""
    end = time.monotonic() + BOUND
    asks = [
        (Asked(resolver, about, "timeout"), _aside(partial(_ask, resolver, about, name)))
        for resolver in plan.resolvers
        for about, name in plan.names.items()
    ]
    lost = Try("timeout")
    hosts = [(Tried(each.host, "", lost, lost, lost), _aside(partial(_try, each))) for each in plan.endpoints]
    asked = tuple(_kept(asks, end))
    translated = _translated(asked, plan.endpoints, end)
    return Found(asked, tuple(_kept(hosts, end)), translated)


def _aside(work: Callable[[], _Given]) -> "Future[_Given]":
    """Does it in a thread that nobody need wait for."""
    future: Future[_Given] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _kept(doing: "Iterable[tuple[_Given, Future[_Given]]]", end: float) -> Iterable[_Given]:
    for otherwise, future in doing:
        wait([future], max(end - time.monotonic(), 0))
        yield future.result() if future.done() else otherwise


def _ask(resolver: str, about: About, name: str) -> Asked:
    kind: dns.Kind = "a" if about.endswith("4") and about != "nat64" else "aaaa"
    started = time.monotonic()
    try:
        said = _exchange(resolver, dns.question(int.from_bytes(os.urandom(2), "big"), name, kind))
    except TimeoutError:
        return Asked(resolver, about, "timeout")
    except NotUnderstood:
        return Asked(resolver, about, "not_understood")
    except OSError as error:
        return Asked(resolver, about, _outcome(error))
    seconds = round(time.monotonic() - started, 4)
    outcomes: dict[int, Outcome] = {0: "ok" if said.addresses else "no_address", 3: "no_name", 5: "refused"}
    return Asked(resolver, about, outcomes.get(said.code, "server_failed"), seconds, said.addresses)


def _exchange(resolver: str, question: bytes) -> dns.Answer:
    """Over UDP, twice, and over TCP when the answer is too long for that (RFC 7766)."""
    for last in (False, True):
        try:
            with _socket(resolver, socket.SOCK_DGRAM, 53, _RESOLVER) as asked:
                asked.send(question)
                said = dns.answer(asked.recv(4096), question)
                break
        except TimeoutError:
            if last:
                raise
    if not said.truncated:
        return said
    with _socket(resolver, socket.SOCK_STREAM, 53, _RESOLVER) as asked:
        asked.sendall(len(question).to_bytes(2, "big") + question)
        with asked.makefile("rb") as stream:
            size = int.from_bytes(stream.read(2), "big")
            return dns.answer(stream.read(size), question)


def _socket(address: str, kind: socket.SocketKind, port: int, timeout: float) -> socket.socket:
    number = ip_address(address.partition("%")[0])
    made = socket.socket(socket.AF_INET6 if number.version == 6 else socket.AF_INET, kind)
    try:
        made.settimeout(timeout)
        made.connect((address, port))
    except OSError:
        made.close()
        raise
    return made


def _try(endpoint: Endpoint) -> Tried:
    """Name first, then connection, large request and the other family at the same time."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        missing = Try("no_name")
        return Tried(endpoint.host, "", missing, missing, missing)
    sixes, fours = ([i[4] for i in found if i[0] == f] for f in (socket.AF_INET6, socket.AF_INET))
    six = _aside(partial(_connect, endpoint, sixes, large=False))
    large = _aside(partial(_connect, endpoint, sixes, large=True))
    four = _aside(partial(_connect, endpoint, fours, large=False))
    prefers: Literal["4", "6"] = "6" if found[0][0] == socket.AF_INET6 else "4"
    return Tried(endpoint.host, prefers, six.result(), four.result(), large.result())


def _connect(endpoint: Endpoint, addresses: Sequence[tuple[object, ...]], *, large: bool) -> Try:
    """To the first address. Without `large` packets are kept small, so that the path MTU does not matter."""
    if not addresses:
        return Try("no_address")
    is_six = len(addresses[0]) == 4
    connected = mtu = None
    started = time.monotonic()
    end = started + ATTEMPT
    with socket.socket(socket.AF_INET6 if is_six else socket.AF_INET, socket.SOCK_STREAM) as plain:
        try:
            if not large and hasattr(socket, "TCP_MAXSEG"):  # not on Windows
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SMALL_SEGMENT)
            plain.settimeout(ATTEMPT)
            plain.connect(addresses[0])
            connected = round(time.monotonic() - started, 4)
            talking = _handshake(plain, endpoint.host, end) if endpoint.tls else plain
            if not large and _is_another(talking, endpoint.host):
                return Try("not_itself", connected)
            if large:
                _request(talking, endpoint.host, end)
                mtu = _path_mtu(talking) if is_six else None
            talking.close()
        except (OSError, EOFError) as error:
            return Try(_outcome(error, in_tls=connected is not None and not large), connected)
    return Try("ok", connected, round(time.monotonic() - started, 4), mtu)


def _handshake(plain: socket.socket, host: str, end: float) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # see the head of this file
    plain.settimeout(max(end - time.monotonic(), 0.001))
    return context.wrap_socket(plain, server_hostname=host)


def _is_another(stream: socket.socket, host: str) -> bool:
    shown = stream.getpeercert(binary_form=True) if isinstance(stream, ssl.SSLSocket) else None
    return shown is not None and certificate.is_for(shown, host) is False


def _request(stream: socket.socket, host: str, end: float) -> None:
    """Sends more than a packet, and reads the answer to its end or to more than a packet of it."""
    head = f"GET /?fill={'x' * _LARGE} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: schoolwatch\r\n\r\n"
    stream.sendall(head.encode("idna" if not host.isascii() else "ascii"))
    got = 0
    while got < _LARGE:
        stream.settimeout(max(end - time.monotonic(), 0.001))
        part = stream.recv(65536)
        got += len(part)
        if not part:
            break
    if not got:
        raise EOFError


def _path_mtu(stream: socket.socket) -> int | None:
    with suppress(OSError):
        return stream.getsockopt(socket.IPPROTO_IPV6, _IPV6_MTU) if sys.platform == "linux" else None
    return None


def _translated(asked: tuple[Asked, ...], endpoints: tuple[Endpoint, ...], end: float) -> Try | None:
    """A connection to the IPv4 address of the first host that has one, through the prefix that DNS64 told."""
    answers = [address for each in asked if each.about == "nat64" for address in each.addresses]
    within = nat64.prefix(answers)
    if within is None:
        return None
    resolvers = [each.resolver for each in asked if each.about == "nat64" and each.addresses]
    for endpoint in endpoints:
        told = _ask(resolvers[0], "name4", endpoint.host).addresses
        if told and time.monotonic() < end:
            address: IPv6Address = nat64.synthesise(within, IPv4Address(told[0]))
            to = [(str(address), endpoint.port, 0, 0)]
            future = _aside(partial(_connect, endpoint, to, large=False))
            return next(iter(_kept([(Try("timeout"), future)], end)))
    return None


def _outcome(error: Exception, *, in_tls: bool = False) -> Outcome:
    if isinstance(error, TimeoutError):
        return "tls_timeout" if in_tls else "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ssl.SSLError) and in_tls:
        return "tls_failed"
    if isinstance(error, EOFError | ConnectionError | ssl.SSLError):
        return "closed"
    # ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EACCES; and what Winsock calls the first three
    unreachable = {101, 113, 99, 13, 10051, 10065, 10049}
    return "unreachable" if isinstance(error, OSError) and error.errno in unreachable else "failed"


if __name__ == "__main__":
    main(sys.argv)
