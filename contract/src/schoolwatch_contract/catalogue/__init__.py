"""The catalogue: what every metric, fact and sighting means, who measures it, why, and how private it is.

One file a probe, listed by hand. Docs, dashboards and the privacy page are generated from it. A test
proves both ways that what agents send is in it, and that what is in it is sent.
"""

from dataclasses import replace
from typing import Final

from schoolwatch_contract.catalogue import (
    accounts,
    activation,
    addresses,
    agent,
    antivirus,
    autorun,
    backup,
    bandwidth,
    bandwidth_ledger,
    disk,
    disk_health,
    encryption,
    firewall,
    hardware,
    identity,
    ipv6,
    links,
    memory,
    processor,
    quality,
    remote_access,
    resolvers,
    routes,
    sensors,
    system,
    updates,
    uptime,
    use,
    wifi,
)
from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Privacy, SightingKind, Subject, Unit

__all__ = [
    "FACTS",
    "METRICS",
    "SIGHTINGS",
    "SUBJECTS",
    "FactKind",
    "Metric",
    "Privacy",
    "SightingKind",
    "Subject",
    "Unit",
    "probe_of",
    "shown_alone",
]

SUBJECTS: tuple[Subject, ...] = (
    processor.SUBJECT,
    memory.SUBJECT,
    disk.SUBJECT,
    uptime.SUBJECT,
    use.SUBJECT,
    system.SUBJECT,
    hardware.SUBJECT,
    identity.SUBJECT,
    links.SUBJECT,
    wifi.SUBJECT,
    addresses.SUBJECT,
    routes.SUBJECT,
    resolvers.SUBJECT,
    ipv6.SUBJECT,
    quality.SUBJECT,
    antivirus.SUBJECT,
    firewall.SUBJECT,
    updates.SUBJECT,
    activation.SUBJECT,
    autorun.SUBJECT,
    accounts.SUBJECT,
    remote_access.SUBJECT,
    encryption.SUBJECT,
    backup.SUBJECT,
    disk_health.SUBJECT,
    bandwidth.SUBJECT,
    bandwidth_ledger.SUBJECT,
    sensors.SUBJECT,
    agent.SUBJECT,
)
"""In the order in which pages show them."""

METRICS: dict[str, Metric] = {
    kind.name: replace(kind, probe=subject.probe) for subject in SUBJECTS for kind in subject.metrics
}
FACTS: dict[str, FactKind] = {
    kind.name: replace(kind, probe=subject.probe) for subject in SUBJECTS for kind in subject.facts
}
SIGHTINGS: dict[str, SightingKind] = {
    kind.name: replace(kind, probe=subject.probe) for subject in SUBJECTS for kind in subject.sightings
}


def probe_of(name: str) -> str | None:
    """The probe that sends this metric, fact or sighting; "" is the agent itself, None is nobody."""
    kind = METRICS.get(name) or FACTS.get(name) or SIGHTINGS.get(name)
    return None if kind is None else kind.probe


def shown_alone(name: str) -> bool:
    """Whether this may be shown of one computer; what is aggregated is shown of rooms alone."""
    return name not in _OF_ROOMS


_OF_ROOMS: Final = frozenset(
    name for name in {*METRICS, *FACTS} if (METRICS.get(name) or FACTS[name]).privacy == "aggregated"
)
