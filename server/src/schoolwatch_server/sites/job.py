"""What the child that looks is told on its standard input, and what it says line by line. Pure."""

import msgspec

from schoolwatch_server.sites.look import Look


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By which rules all sites of a job are looked at; see `[sites]` of the settings.

    `agent` is how the program calls itself to sites, `pause` seconds between two looks at one IP address,
    `again_after` seconds until a site that seems down is looked at once more: a lost packet takes none down.
    """

    references: tuple[str, ...]
    ports: tuple[int, ...]
    allowed_networks: tuple[str, ...] = ()
    ca_file: str = ""
    at_once: int = 5
    seconds: float = 10.0
    pause: float = 1.0
    again_after: float = 5.0
    agent: str = "SchoolWatch"


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Addresses to look at, as `address.typed` gives them."""

    rules: Rules
    addresses: tuple[str, ...]


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one look found. A job of which nothing is said of an address did not come to it."""

    address: str
    look: Look


def split(reference: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT` or `[ADDRESS]:PORT`. Raises `ValueError`."""
    host, _, port = reference.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not host.isprintable() or " " in host:
        raise ValueError(f"{reference[:80]!r} is no HOST:PORT")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{reference[:80]!r} names no port: write HOST:PORT")
    return host, int(port)
