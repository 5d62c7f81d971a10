"""The catalogue: what every metric, fact and sighting means, who measures it, and how private it is.

Docs, dashboards and the privacy page are generated from it. A test proves both ways that what agents
send is in it, and that what is in it is sent.
"""

from schoolwatch_contract.catalogue.facts import FACTS, SIGHTINGS
from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Privacy, SightingKind, Unit
from schoolwatch_contract.catalogue.metrics import METRICS

__all__ = [
    "FACTS",
    "METRICS",
    "SIGHTINGS",
    "FactKind",
    "Metric",
    "Privacy",
    "SightingKind",
    "Unit",
    "probe_of",
]


def probe_of(name: str) -> str | None:
    """The probe that sends this metric, fact or sighting; "" is the agent itself, None is nobody."""
    kind = METRICS.get(name) or FACTS.get(name) or SIGHTINGS.get(name)
    return None if kind is None else kind.probe
