"""Frames that can't be taken in come more often than somebody's one broken computer sends them."""

from collections.abc import Iterator, Mapping

from schoolwatch_server.database import watched
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.watches.sight import Sight

HOUR = 3600.0


def look(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """`frames` within an hour; over again below half of that."""
    limit = int(parameters["frames"])
    reasons = watched.refused(sight.conn, sight.now - HOUR, limit)
    count = sum(reasons.values())
    if count and count * 2 >= limit:
        facts: dict[str, str | None] = {"finding.reason": next(iter(reasons))}
        numbers: dict[str, float | None] = {"finding.frames": float(count)}
        yield Finding(Subject("server", 0), True if count >= limit else None, numbers, facts)
