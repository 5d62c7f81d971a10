"""What the agent measures: one file each, listed by hand, and loaded when it is due."""

from collections.abc import Iterable
from importlib import import_module
from typing import Final

from schoolwatch_agent.config import Sensors
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.schedule import NETWORK
from schoolwatch_contract.records import Fact, Reading, Sighting
from schoolwatch_contract.settings import DEFAULTS, Settings

HOUR: Final = 3600.0

OFF: Final = Sensors()
"""No link is watched."""

POSTURE: Final = "posture"
"""The probes that ask posture.ps1: they run in the same cycle, so that PowerShell starts once for all."""


def listed(
    name: str,
    every: float,
    *told: object,
    watched: Iterable[str] = (),
    limit: float = 90.0,
    group: str = "",
) -> Probe:
    """The probe of a file here, whose `read` is given what it was `told` besides the host.

    The file is loaded when it is due: most cycles need few of them, and each costs an old computer a
    millisecond to load. See `Probe` for the rest.
    """

    def read(host: Host) -> Iterable[Reading | Fact | Sighting]:
        found: Iterable[Reading | Fact | Sighting] = import_module(f"{__name__}.{name}").read(host, *told)
        return found

    return Probe(name, every, read, frozenset(watched), limit, group)


def probes(
    settings: Settings,
    *,
    marker: str = "",
    hint_key: bytes = b"",
    period: float = 300.0,
    sensors: Sensors = OFF,
) -> tuple[Probe, ...]:
    """In the order they run: cheap ones first, so that a cycle that is cut short has them.

    `marker` is the path of agent.toml that `backup` looks at; `hint_key` is the school's, under which
    hardware numbers become digests, empty before the device is enrolled. `period` is between two cycles.
    `sensors` are the links that a gateway watches.
    """
    return (
        listed("processor", 0),
        listed("memory", 0),
        listed("disk", 0),
        listed("uptime", 0),
        listed("use", 0, settings, period),
        listed("system", HOUR),
        listed("hardware", 6 * HOUR),
        listed("identity", HOUR, hint_key),
        listed("links", 900, watched=["link.up"], group=NETWORK),
        listed("wifi", 900, group=NETWORK),
        listed("addresses", 900, group=NETWORK),
        listed("routes", 900, watched=["route.default"], group=NETWORK),
        listed("resolvers", 900, group=NETWORK),
        listed("ipv6", 900, settings.ipv6, watched=["ipv6.rung"], group=NETWORK),
        listed("quality", 1800, settings),
        # a watched verdict: on a PC that measures each 5 minutes, each cycle
        listed(
            "antivirus",
            60,
            watched=["antivirus.products", "antivirus.running", "antivirus.realtime", "antivirus.mode"],
        ),
        listed("firewall", 900, watched=["firewall.enabled"]),
        listed("updates", 6 * HOUR, limit=180.0),  # Windows Update's own search
        listed("activation", 6 * HOUR, group=POSTURE),
        listed("autorun", 6 * HOUR, group=POSTURE),
        listed("accounts", 6 * HOUR, group=POSTURE),
        listed("remote_access", 6 * HOUR, group=POSTURE),
        listed("encryption", 6 * HOUR, group=POSTURE),
        listed("backup", 6 * HOUR, marker, group=POSTURE),
        listed("disk_health", 6 * HOUR, group=POSTURE),
        listed("bandwidth", 0, settings.bandwidth),
        listed("bandwidth_ledger", 0, settings),
        listed("sensors", 0, sensors, hint_key, watched=["sensor.up"]),
    )


PROBES: Final = probes(DEFAULTS)
"""The probes of a device that is not enrolled and has heard no settings."""
