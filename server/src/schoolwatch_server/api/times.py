"""Instants on the API: UTC seconds inside, RFC 3339 in UTC outside."""

from datetime import UTC, datetime

EARLIEST, LATEST = 0.0, 4_102_444_800.0
"""1970 to 2100: what a caller may ask for."""


def rfc3339(at: float | None) -> str | None:
    """`2026-11-23T03:04:05.678Z` of UTC seconds; None stays None."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> float:
    """UTC seconds of an RFC 3339 text (RFC 3339 §5.6: the offset is required). Raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time zone is missing: write 2026-11-23T03:04:05Z")
    at = moment.timestamp()
    if not EARLIEST <= at < LATEST:
        raise ValueError("the time is not between 1970 and 2100")
    return at
