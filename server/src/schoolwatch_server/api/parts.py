"""The parts of the server as `up` wrote them down: which runs, since when, how often it was restarted."""

from dataclasses import dataclass
from pathlib import Path

import msgspec


class _Part(msgspec.Struct):
    state: str
    since: float
    restarts: int = 0
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One child process of `up`; `since` is UTC seconds."""

    name: str
    state: str
    since: float
    restarts: int


_decoder = msgspec.json.Decoder(dict[str, _Part])


def read_parts(data: Path) -> tuple[Part, ...]:
    """The parts in the order they are started; empty when `up` doesn't run here or is writing just now."""
    try:
        known = _decoder.decode((data / "run" / "parts.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        return ()
    return tuple(Part(name, p.state, p.since, p.restarts) for name, p in known.items())
