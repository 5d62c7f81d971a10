"""From when on the age of signatures and patches may be held against a computer: an hour after its start.

A frozen lab PC (Deep Freeze, UWF, Shadow Defender) starts with the signatures of the day it was frozen, each
morning, and fetches new ones then. Within the first hour an age is never bad; good it may be.
"""

from typing import Final

from schoolwatch_server.state import Known

AFTER: Final = 3600.0
"""Seconds of uptime."""

AGES: Final = frozenset(
    {
        "antivirus.signature_age",
        "antivirus.signatures_current",
        "updates.age",
        "updates.last_installed_age",
        "updates.pending",
        "updates.security",
    }
)
"""Readings that a computer catches up with after its start."""


def is_settled(state: Known, metric: str, taken_at: float) -> bool:
    """Whether a reading taken then (UTC seconds) may be judged bad; an unknown uptime leaves that open."""
    if metric not in AGES:
        return True
    uptime = state.readings.get("uptime.seconds")
    if uptime is None or uptime.value is None:
        return False
    started = uptime.taken_at - uptime.value
    return taken_at - started >= AFTER
