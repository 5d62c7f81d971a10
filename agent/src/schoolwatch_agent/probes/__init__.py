"""What the agent measures: one file each, listed by hand."""

from typing import Final

from schoolwatch_agent.probe import Probe
from schoolwatch_agent.probes import (
    accounts,
    activation,
    addresses,
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
    system,
    updates,
    uptime,
    use,
    wifi,
)
from schoolwatch_contract.settings import DEFAULTS, Settings


def probes(
    settings: Settings, *, marker: str = "", hint_key: bytes = b"", period: float = 300.0
) -> tuple[Probe, ...]:
    """In the order they run: cheap ones first, so that a cycle that is cut short has them.

    A probe that has targets of the server's is made with the settings: `ipv6.probe(settings)`.
    `marker` is the path of agent.toml that `backup` looks at; `hint_key` is the school's, under which
    hardware numbers become digests, empty before the device is enrolled. `period` is between two cycles.
    """
    return (
        processor.PROBE,
        memory.PROBE,
        disk.PROBE,
        uptime.PROBE,
        use.probe(settings, period),
        system.PROBE,
        hardware.PROBE,
        identity.probe(hint_key),
        links.PROBE,
        wifi.PROBE,
        addresses.PROBE,
        routes.PROBE,
        resolvers.PROBE,
        ipv6.probe(settings),
        quality.probe(settings),
        antivirus.PROBE,
        firewall.PROBE,
        updates.PROBE,
        activation.PROBE,
        autorun.PROBE,
        accounts.PROBE,
        remote_access.PROBE,
        encryption.PROBE,
        backup.probe(marker),
        disk_health.PROBE,
        bandwidth.probe(settings),
        bandwidth_ledger.probe(settings),
    )


PROBES: Final = probes(DEFAULTS)
"""The probes of a device that is not enrolled and has heard no settings."""
