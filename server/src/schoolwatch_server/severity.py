"""How severe an incident or a standing fault is."""

from typing import Final, Literal, get_args

Severity = Literal["low", "medium", "high", "critical"]

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)[::-1]
"""The severest first."""
