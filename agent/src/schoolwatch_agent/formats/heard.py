"""What the LAN watch hands over in its file: the state of each link, and what it saw in the last hour.

The file stays on the gateway: `probes/sensors.py` makes pseudonyms of the MACs and addresses in it.
"""

from typing import Annotated, Final

import msgspec

from schoolwatch_agent.errors import NotUnderstood

FILE: Final = "heard.json"
STALE: Final = 90.0
"""Seconds after which the file is of a watch that is gone: it writes each 10 s."""

_Count = Annotated[int, msgspec.Meta(ge=0)]
Mac = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")]


class Link(msgspec.Struct, frozen=True):
    """One link; counts are of the last hour, `gateway` holds the default gateway's address, if known."""

    nic: str
    state: str
    frames: _Count = 0
    dropped: _Count = 0
    untold: _Count = 0
    stations: _Count = 0
    new_stations: _Count | None = None
    gateway: Mac | None = None


class Seen(msgspec.Struct, frozen=True):
    """Something seen at `at` (UTC seconds), sent by `mac`; `told` has MACs and addresses as they are."""

    kind: str
    mac: Mac
    nic: str
    at: float
    told: dict[str, str] = {}


class Station(msgspec.Struct, frozen=True):
    """A device that was heard on a link, `last` at (UTC seconds), with its newest addresses."""

    mac: Mac
    nic: str
    last: float
    addresses: tuple[str, ...] = ()


class Heard(msgspec.Struct, frozen=True):
    """The whole file as it was written at `at` (UTC seconds)."""

    at: float
    links: tuple[Link, ...] = ()
    seen: tuple[Seen, ...] = ()
    stations: tuple[Station, ...] = ()


def parse(text: str) -> Heard:
    """Raises `NotUnderstood`, which quotes nothing of it."""
    try:
        return msgspec.json.decode(text, type=Heard)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotUnderstood("not what the LAN watch writes", type(error).__name__) from error
