"""What is read out of the evidence kept with an incident (`step.as_json`), whatever program wrote it."""

from typing import Any

from schoolwatch_server.state import parse_key

_THREAT = "antivirus.threat{"
NAMES_MAX = 5
"""Names of malware that a message has room for."""


def arrived_at(evidence: Any) -> float | None:
    """When the evidence that opened the incident came, UTC seconds; None when that was not kept."""
    arrived = _part(evidence, "last").get("arrived_at")
    return float(arrived) if isinstance(arrived, int | float) and arrived else None


def threats(evidence: Any) -> tuple[str, ...]:
    """What an antivirus called what it found, in order; at most `NAMES_MAX` and "…"."""
    told = [_part(evidence, which).get("facts") for which in ("first", "last")]
    facts = [name for each in told if isinstance(each, dict) for name, value in each.items() if value]
    found = {parse_key(name)[1].get("threat", "") for name in facts if name.startswith(_THREAT)}
    names = sorted(found - {""})
    return (*names[:NAMES_MAX], "…") if len(names) > NAMES_MAX else tuple(names)


def _part(evidence: Any, which: str) -> dict[str, Any]:
    found = evidence.get(which) if isinstance(evidence, dict) else None
    return found if isinstance(found, dict) else {}
