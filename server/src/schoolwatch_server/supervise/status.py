"""run/parts.json: what every part is doing, for the console and for who looks after the server."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from schoolwatch_server.files import write_atomically
from schoolwatch_server.supervise.keeper import Keeper

_encoder = msgspec.json.Encoder()


def write(path: Path, keepers: Sequence[Keeper]) -> None:
    """Replaces the file in one step."""
    parts = {keeper.part.name: keeper.status for keeper in keepers}
    write_atomically(path, _encoder.encode(parts).decode() + "\n")
