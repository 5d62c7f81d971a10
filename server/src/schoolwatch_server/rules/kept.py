"""What is read out of the evidence kept with an incident (`step.as_json`), whatever program wrote it."""

from collections.abc import Iterable, Sequence
from typing import Any

from schoolwatch_server.state import parse_key

_THREAT = "antivirus.threat{"
NAMES_MAX = 5
"""Names of malware that a message has room for."""


def arrived_at(evidence: Any) -> float | None:
    """When the evidence that opened the incident came, UTC seconds; None when that was not kept."""
    arrived = _part(evidence, "last").get("arrived_at")
    return float(arrived) if isinstance(arrived, int | float) and arrived else None


def threats(*evidence: Any) -> tuple[str, ...]:
    """What an antivirus called what it found, the newest first; at most `NAMES_MAX` and "…"."""
    found: dict[str, str] = {}
    for told in (_part(one, which).get("facts") for one in evidence for which in ("first", "last")):
        for name, value in told.items() if isinstance(told, dict) else ():
            threat = parse_key(name)[1].get("threat", "") if value and name.startswith(_THREAT) else ""
            if threat:
                found[threat] = max(found.get(threat, ""), str(value))  # instants of one form sort as texts
    names = sorted(sorted(found), key=found.__getitem__, reverse=True)
    return (*names[:NAMES_MAX], "…") if len(names) > NAMES_MAX else tuple(names)


def last_readings(evidence: Any) -> dict[str, float]:
    """Numbers on which an incident was opened, by their names."""
    told = _part(evidence, "last").get("readings")
    numbers = told.items() if isinstance(told, dict) else ()
    return {name: float(value) for name, value in numbers if isinstance(value, int | float)}


_SHOWN = ("server", "address", "router", "resolvers", "prefixes")
SHORT = 12
"""Characters of a pseudonym that people are shown: enough to find it in a gateway's own list."""


def sighted(evidence: Any) -> tuple[str, str] | None:
    """What a gateway saw: its kind, and in short who did it and what it offered; None where nothing was."""
    last = _part(evidence, "last")
    detail = last.get("detail")
    if not last.get("sighting") or not isinstance(detail, dict) or "nic" not in detail:
        return None
    offered = [str(detail[name]) for name in _SHOWN if detail.get(name)]
    told = (str(last.get("subject", ""))[:SHORT], str(detail.get("oui", "")), *offered)
    return str(last["sighting"]), " · ".join(dict.fromkeys(one for one in told if one))


MANY = "many"
"""The detail of a sighting that is one of so many at once that they are one incident."""


def is_many(evidence: Any) -> bool:
    """Whether it is an incident of many machines: the one that was frozen is but the first of them."""
    detail = _part(evidence, "last").get("detail")
    return isinstance(detail, dict) and MANY in detail


_IN_LIST = 6
"""Characters of a pseudonym that tell the machines of one school apart in a list."""


def machine(evidence: Any) -> str:
    """`3f9a1c · 192.168.1.1`: whom a gateway saw, for a list of many; empty where none saw anybody."""
    last = _part(evidence, "last")
    detail = last.get("detail")
    if not last.get("sighting") or not isinstance(detail, dict) or "nic" not in detail:
        return ""
    server = str(detail.get("server", ""))  # of DHCPv6 a pseudonym
    at = server if "." in server else str(detail.get("address", ""))
    return " · ".join(one for one in (str(last.get("subject", ""))[:_IN_LIST], at) if one)


def announced(evidence: Any, by: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What a gateway saw when the incident opened, of these details alone (`subject`: who did it)."""
    last = _part(evidence, "last")
    detail = last.get("detail")
    told = {**(detail if isinstance(detail, dict) else {}), "subject": last.get("subject")}
    return tuple((name, str(told[name])) for name in by if told.get(name))


def alerted(evidence: Any) -> str:
    """What a Grafana calls the alert that it told of, and what it says of it; empty where none did."""
    facts = _part(evidence, "last").get("facts")
    told = facts if isinstance(facts, dict) else {}
    names = ("finding.grafana_rule", "finding.grafana_summary")
    return " · ".join(str(told[name]) for name in names if told.get(name))


AGAIN = ("again", "reopened")
"""Events of an incident that keep evidence of their own: it was seen once more, or came back."""


def newest(events: Iterable[tuple[str, Any]]) -> Any:
    """What the newest of these events (kind and detail, in order) kept as evidence; None when none did."""
    told = [detail for kind, detail in events if kind in AGAIN and _part(detail, "last")]
    return told[-1] if told else None


def _part(evidence: Any, which: str) -> dict[str, Any]:
    found = evidence.get(which) if isinstance(evidence, dict) else None
    return found if isinstance(found, dict) else {}
