"""Sends lines so that one which the store will never take holds up none of the others."""

import logging
from collections.abc import Sequence
from typing import Final

from schoolwatch_server.store.influx.engine import StoreDownError, StoreEngine, StoreRefusesError

log = logging.getLogger(__name__)

BATCH: Final = 5000
"""Lines in one request."""

_MOST: Final = 100
"""Lines of one batch that are refused by themselves before the store is taken to refuse everything."""


def send(engine: StoreEngine, lines: Sequence[str]) -> int:
    """Writes lines; how many of them the store took none of. Raises `StoreDownError`.

    What is refused is halved until the line stands alone.
    """
    refused = 0
    for start in range(0, len(lines), BATCH):
        batch = lines[start : start + BATCH]
        alone: list[str] = []
        refused += _send(engine, batch, alone)
        if alone:
            log.error("the store took none of %d lines, the first: %s", len(alone), alone[0])
    return refused


def _send(engine: StoreEngine, lines: Sequence[str], alone: list[str]) -> int:
    try:
        return engine.write("\n".join(lines).encode())
    except StoreRefusesError as error:
        if len(lines) == 1:
            alone.append(f"{lines[0][:300]} ({error})")
            if len(alone) > _MOST:
                raise StoreDownError(f"it refuses everything: {error}") from error
            return 1
        half = len(lines) // 2
        return _send(engine, lines[:half], alone) + _send(engine, lines[half:], alone)
