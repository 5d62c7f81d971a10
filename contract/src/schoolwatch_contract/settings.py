"""The server's settings for one device, retained: what to aim at and when. Data, never commands.

An agent that has never heard any measures with the defaults: nothing that needs a target, and no use.
"""

from typing import Annotated, Literal

import msgspec

from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import END

SETTINGS_MAX = 16_384
"""Bytes of a settings message; more is refused."""

HostName = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_:][0-9A-Za-z_.:-]{0,252}" + END)]
"""A DNS name or an IP address, without a port; it never begins as an option of a command line does."""

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Url = Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s@]{1,500})?" + END)]
Minute = Annotated[int, msgspec.Meta(ge=0, le=1440)]


class Endpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """A host and a TCP port; `tls` is False for one that speaks plain HTTP."""

    host: HostName
    port: Port = 443
    tls: bool = True


class Ipv6(msgspec.Struct, frozen=True, omit_defaults=True):
    """Targets of the upper rungs of the IPv6 ladder; what is empty is not tested and stays unknown.

    `dual_stack` are independent hosts with A and AAAA records that speak TLS; `v6_only_name` has an AAAA
    record alone, in a zone whose name servers have IPv6 addresses alone; `large` answers a request of
    1,600 bytes over a path of 1,280. `server` is the address of the province's own server.
    """

    dual_stack: Annotated[tuple[Endpoint, ...], msgspec.Meta(max_length=4)] = ()
    v6_only_name: HostName | None = None
    large: Endpoint | None = None
    server: Endpoint | None = None

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every host to connect to, each once."""
        extra = (endpoint for endpoint in (self.large, self.server) if endpoint is not None)
        return tuple({endpoint.host: endpoint for endpoint in (*self.dual_stack, *extra)}.values())


class Quality(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hosts whose latency, jitter and loss are measured beside the gateway's; `server` is the province's."""

    hosts: Annotated[tuple[HostName, ...], msgspec.Meta(max_length=4)] = ()
    server: Endpoint | None = None


class Bandwidth(msgspec.Struct, frozen=True, omit_defaults=True):
    """The speed test of a school's line, on the one device that is to run it.

    `url` is where the server grants slots, empty for a device that runs no test. The window is minutes of
    the local day (UTC+7), `budget` bytes a calendar month. The `families` (4, 6) take turns. A result
    during which this machine was busier than `busy_above` (share of a processor) is marked as its own limit.
    """

    url: Url = ""
    window: tuple[Minute, Minute] = (420, 1020)
    tests_a_day: Annotated[int, msgspec.Meta(ge=0, le=24)] = 2
    budget: Annotated[int, msgspec.Meta(ge=0)] = 10_000_000_000
    families: Annotated[tuple[Literal[4, 6], ...], msgspec.Meta(min_length=1, max_length=4)] = (4, 6)
    busy_above: Annotated[float, msgspec.Meta(gt=0)] = 0.9


class Settings(msgspec.Struct, frozen=True, omit_defaults=True):
    """All of them. `measures_use` is on for PCs of labs and classrooms alone.

    A device whose key and password were made before `renew` (UTC seconds) asks for new ones over HTTPS.
    """

    measures_use: bool = False
    ipv6: Ipv6 = Ipv6()
    quality: Quality = Quality()
    bandwidth: Bandwidth = Bandwidth()
    renew: Annotated[float, msgspec.Meta(ge=0)] = 0.0


DEFAULTS = Settings()

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Settings)


def encode(settings: Settings) -> bytes:
    """Compact JSON without what is the default. Raises `ContractError` for what an agent refuses."""
    kept = {
        name: getattr(DEFAULTS, name)
        for name in settings.__struct_fields__
        if getattr(settings, name) == getattr(DEFAULTS, name)
    }
    text = _encoder.encode(msgspec.structs.replace(settings, **kept))  # msgspec leaves out the very default
    decode(text)
    return text


def decode(text: bytes) -> Settings:
    """Unknown fields are ignored. Raises `ContractError` for anything that is not settings."""
    if len(text) > SETTINGS_MAX:
        raise ContractError("too_large", f"{len(text)} bytes, at most {SETTINGS_MAX} are settings")
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ContractError("value", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError("json", str(error)) from error
