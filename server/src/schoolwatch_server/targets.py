"""What devices are to aim at, as the server's settings file says it, and made into one device's settings."""

import re
from typing import Annotated, Any

import msgspec

from schoolwatch_contract import settings as told
from schoolwatch_contract.settings import Endpoint, HostName, Settings

USED_BY_PUPILS = ("student_lab", "classroom")
"""The use of a computer is measured in such rooms alone; where the room is unknown it is not."""

Four = msgspec.Meta(max_length=4)


class TargetError(ValueError):
    """A target can't be used; the text begins with the key and says what to write."""


class Ipv6(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Targets of the upper rungs of the IPv6 ladder, as HOST:PORT; what is empty stays unknown.

    They speak TLS; one that speaks plain HTTP is written `http://HOST:PORT`.
    """

    dual_stack: Annotated[tuple[str, ...], Four] = ()
    v6_only_name: str = ""
    large: str = ""


class Quality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hosts whose latency and loss every device measures, beside its gateway and the server."""

    hosts: Annotated[tuple[str, ...], Four] = ()


class Bandwidth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The speed test of a school's line, on the one device chosen for it.

    Without a URL nobody tests. Window in Vietnam's time of day; budget in bytes a month. A result taken
    while the measuring machine was busier than `busy_above` of a processor is marked as its own limit.
    """

    url: str = ""
    window: str = "07:00-17:00"
    tests_a_day: Annotated[int, msgspec.Meta(ge=0, le=24)] = 2
    budget: Annotated[int, msgspec.Meta(ge=0)] = 10_000_000_000
    busy_above: Annotated[float, msgspec.Meta(gt=0)] = 0.9


class Targets(msgspec.Struct, frozen=True):
    """All of them; `server` is `http.public_url`."""

    ipv6: Ipv6 = Ipv6()
    quality: Quality = Quality()
    bandwidth: Bandwidth = Bandwidth()
    server: str = ""


def settings(targets: Targets, *, measures_use: bool, tests_line: bool) -> Settings:
    """What one device is told. Raises `TargetError`."""
    ipv6 = targets.ipv6
    server = _server(targets.server)
    said = Settings(
        measures_use=measures_use,
        ipv6=told.Ipv6(
            dual_stack=tuple(_endpoint("ipv6.dual_stack", text) for text in ipv6.dual_stack),
            v6_only_name=_host("ipv6.v6_only_name", ipv6.v6_only_name) if ipv6.v6_only_name else None,
            large=_endpoint("ipv6.large", ipv6.large) if ipv6.large else None,
            server=server,
        ),
        quality=told.Quality(tuple(_host("quality.hosts", text) for text in targets.quality.hosts), server),
    )
    bandwidth = _bandwidth(targets.bandwidth)
    return msgspec.structs.replace(said, bandwidth=bandwidth) if tests_line and bandwidth.url else said


def check(targets: Targets) -> None:
    """Sees that every device's settings can be made. Raises `TargetError`."""
    settings(targets, measures_use=True, tests_line=True)


def _bandwidth(given: Bandwidth) -> told.Bandwidth:
    url = _of(told.Url, "bandwidth.url", given.url, "an address: http:// or https://, without a user name")
    window = _window(given.window)
    return told.Bandwidth(url, window, given.tests_a_day, given.budget, busy_above=given.busy_above)


_WINDOW = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)


def _window(text: str) -> tuple[int, int]:
    """Minutes of the day from and to: `07:00-17:00` is 420, 1020."""
    match = _WINDOW.fullmatch(text)
    begin, end = (0, 0) if match is None else (_minutes(match[1], match[2]), _minutes(match[3], match[4]))
    if not begin < end <= 1440:
        raise TargetError(f'bandwidth.window: {text[:40]!r} is no span of a day: write one as "07:00-17:00"')
    return begin, end


def _minutes(hour: str, minute: str) -> int:
    return 60 * int(hour) + int(minute)


_ENDPOINT = re.compile(
    r"(?P<plain>http://)?(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:/]+))(?::(?P<port>\d{1,5}))?",
    re.ASCII,
)


def _endpoint(key: str, text: str) -> Endpoint:
    """`host`, `host:port` or `[2001:db8::1]:port`, with TLS; `http://` before it is without."""
    match = _ENDPOINT.fullmatch(text)
    if match is None or not 1 <= int(match["port"] or 443) <= 65535:
        raise TargetError(f'{key}: {text[:80]!r} is no HOST:PORT: write one as "one.example:443"')
    host = _host(key, match["six"] or match["host"])
    return Endpoint(host, int(match["port"] or (80 if match["plain"] else 443)), tls=not match["plain"])


def _server(url: str) -> Endpoint | None:
    """Where devices reach this server from outside; None when nobody said so."""
    if not url:
        return None
    plain, _, rest = url.partition("://")
    text = rest.partition("/")[0]
    return _endpoint("http.public_url", f"http://{text}" if plain == "http" else text)


def _host(key: str, text: str) -> str:
    return str(_of(HostName, key, text, "a host name or IP address, without a port"))


def _of(kind: Any, key: str, text: str, what: str) -> Any:
    try:
        return msgspec.convert(text, kind)
    except msgspec.ValidationError as error:
        raise TargetError(f"{key}: {text[:80]!r} is not {what}: correct it") from error
