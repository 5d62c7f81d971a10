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
from schoolwatch_contract.settings import DEFAULTS, Settings


def probes(settings: Settings) -> tuple[Probe, ...]:
    """In the order they run: cheap ones first, so that a cycle that is cut short has them.

    A probe that has targets of the server's is made with the settings: `ipv6.probe(settings)`.
    """
    return (
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
        ipv6.probe(settings),
        antivirus.PROBE,
        firewall.PROBE,
        updates.PROBE,
    )


PROBES: Final = probes(DEFAULTS)
"""The probes of a device that has heard no settings."""
