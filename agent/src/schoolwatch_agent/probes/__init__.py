"""What the agent measures: one file each, listed by hand."""

from typing import Final

from schoolwatch_agent.probe import Probe
from schoolwatch_agent.probes import (
    addresses,
    antivirus,
    disk,
    firewall,
    hardware,
    ipv6,
    links,
    memory,
    processor,
    resolvers,
    routes,
    system,
    updates,
    uptime,
)

PROBES: Final[tuple[Probe, ...]] = (
    processor.PROBE,
    memory.PROBE,
    disk.PROBE,
    uptime.PROBE,
    system.PROBE,
    hardware.PROBE,
    links.PROBE,
    addresses.PROBE,
    routes.PROBE,
    resolvers.PROBE,
    ipv6.PROBE,
    antivirus.PROBE,
    firewall.PROBE,
    updates.PROBE,
)
"""In the order they run: cheap ones first, so that a cycle that is cut short has them."""
