"""Sends lines so that one which the store will never take holds up none of the others."""

import logging
from collections.abc import Sequence
from typing import Final

from schoolwatch_server.store.influx.engine import (
    StoreDownError,
    StoreEngine,
    StoreRefusesError,
    StoreSlowError,
)

log = logging.getLogger(__name__)

BATCH: Final = 5000
"""Lines in one request."""

_LEAST: Final = 100
"""Lines below which a request is not made smaller because the last one took too long."""

_GOOD: Final = 50
"""Requests that went well, after which they may be larger again: the store, or the line to it, was busy."""

_MOST: Final = 100
"""Lines of one batch that are refused by themselves before the store is taken to refuse everything."""


class Batches:
    """How many lines go in one request: fewer once one was too large or took too long, more again later."""

    def __init__(self) -> None:
        self.lines = BATCH
        self._good = 0

    def too_large(self, lines: int) -> None:
        """So many were more than the store takes at once."""
        self.lines, self._good = max(1, min(self.lines, lines // 2)), 0

    def too_slow(self) -> None:
        """The store had not answered in time."""
        self.lines, self._good = max(min(self.lines, _LEAST), self.lines // 2), 0

    def went(self) -> None:
        """One was taken."""
        self._good += 1
        if self._good >= _GOOD:
            self.lines, self._good = min(BATCH, 2 * self.lines), 0


def send(engine: StoreEngine, lines: Sequence[str], batches: Batches | None = None) -> int:
    """Writes lines; how many of them the store took none of. Raises `StoreDownError`.

    What is refused is halved until the line stands alone. `batches` says how many go together.
    """
    refused, start, now = 0, 0, batches or Batches()
    while start < len(lines):
        batch = lines[start : start + now.lines]
        alone: list[str] = []
        try:
            refused += _send(engine, batch, alone, now)
        except StoreRefusesError:  # too large: from the same line on in smaller ones
            now.too_large(len(batch))
            continue
        except StoreSlowError:
            now.too_slow()
            raise
        if alone:
            log.error("the store took none of %d lines, the first: %s", len(alone), alone[0])
        start += len(batch)
    return refused


def _send(engine: StoreEngine, lines: Sequence[str], alone: list[str], batches: Batches) -> int:
    try:
        dropped = engine.write("\n".join(lines).encode())
    except StoreRefusesError as error:
        if len(lines) == 1:
            alone.append(f"{lines[0][:300]} ({error})")
            if len(alone) > _MOST:
                raise StoreDownError(f"it refuses everything: {error}") from error
            return 1
        if error.is_large:
            raise
        half = len(lines) // 2
        return _send(engine, lines[:half], alone, batches) + _send(engine, lines[half:], alone, batches)
    batches.went()
    return dropped
