"""The systemd units of an agent: a service that a timer starts, or one that stays.

systemd.exec(5), systemd.resource-control(5), systemd.timer(5). A user of its own that exists only while it
runs (DynamicUser), everything read-only but its own folder, and on a PC no capability at all: what needs one
(router solicitation, a firewall's rules, SMART) then says that it was not permitted. `capset` stays allowed:
`ip` gives its capabilities up with it, and ends when it can't.
"""

import math
from typing import Final

from schoolwatch_agent import schedule
from schoolwatch_agent.install.service import NAME, Service

UNITS: Final = "/etc/systemd/system"
SERVICE: Final = f"{NAME}.service"
TIMER: Final = f"{NAME}.timer"
PASSAGE: Final = "schoolwatch-gateway.service"
WATCH: Final = "schoolwatch-sensors.service"

_SANDBOX: Final = """\
DynamicUser=yes
User={name}
{state}UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
AmbientCapabilities={capabilities}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK{families}
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallFilter=capset
SystemCallErrorNumber=EPERM
"""

SLACK: Final = 60
"""Seconds that the system's bound is above the agent's own, which comes first because it says more.

So is the system's bound of memory, by a quarter: the kernel counts what the agent has in files too.
"""

_BOUNDS: Final = """\
MemoryMax={memory}
MemorySwapMax=0
CPUQuota=100%
CPUWeight=20
IOWeight=20
Nice=10
TasksMax=64
LimitCORE=0
OOMPolicy=continue
"""
"""One processor at most: a speed test needs it, and everything else is done in a fraction of a second."""


PASSAGE_MAX: Final = 64_000_000
"""Bytes of memory of the passage: 400 connections with all that may be on their way."""

WATCH_MAX: Final = 48_000_000
"""Bytes of memory of the watch: what it remembers of a link is bounded, and its start needs the most."""


def units(service: Service) -> dict[str, str]:
    """File name to text of the units that this service needs."""
    passage = {} if service.passage is None else {PASSAGE: _passage(service)}
    watch = {WATCH: _watch(service)} if service.watches else {}
    return {**_own(service), **passage, **watch}


def _own(service: Service) -> dict[str, str]:
    if service.mode == "run":
        return {SERVICE: _service(service, "Type=exec\nRestart=always\nRestartSec=60\n", _INSTALLED)}
    longest = math.ceil(service.cycle_max) + SLACK
    return {
        SERVICE: _service(service, f"Type=oneshot\nTimeoutStartSec={longest}\n", ""),
        TIMER: _timer(service),
    }


def wanted_by(service: Service) -> tuple[str, str]:
    """The unit of the agent that the system starts, and the target that wants it."""
    return (SERVICE, MULTI_USER) if service.mode == "run" else (TIMER, "timers.target")


MULTI_USER: Final = "multi-user.target"
_INSTALLED: Final = f"\n[Install]\nWantedBy={MULTI_USER}\n"


def _service(service: Service, kind: str, install: str) -> str:
    gateway = service.role == "gateway"
    sandbox = _SANDBOX.format(
        name=NAME,
        state=f"StateDirectory={service.data.removeprefix('/var/lib/')}\nStateDirectoryMode=0700\n",
        capabilities="CAP_NET_RAW" if gateway else "",
        families=" AF_PACKET" if gateway else "",
    )
    return (
        "[Unit]\n"
        "Description=SchoolWatch agent: measures this machine and reports to the school's server\n"
        "After=network.target\n\n"
        f"[Service]\n{kind}"
        f"ExecStart={' '.join(map(quoted, service.command))}\n"
        f"{sandbox}{_BOUNDS.format(memory=service.memory_max * 5 // 4)}{install}"
    )


def _passage(service: Service) -> str:
    """A user of its own, who reads nothing of the agent's and writes nowhere."""
    sandbox = _SANDBOX.format(name="schoolwatch-gateway", state="", capabilities="", families="")
    return (
        "[Unit]\n"
        "Description=SchoolWatch passage: leads this school's computers to their server alone\n"
        "Wants=network-online.target\n"
        "After=network-online.target\n\n"
        "[Service]\nType=exec\nRestart=always\nRestartSec=15\n"
        f"ExecStart={' '.join(map(quoted, service.passing))}\n"
        f"{sandbox}{_BOUNDS.format(memory=PASSAGE_MAX)}{_INSTALLED}"
    )


def _watch(service: Service) -> str:
    """A user of its own with one right, which it gives up once it listens; no IP packet comes to it or goes
    out, what it asks DHCP servers are frames."""
    sandbox = _SANDBOX.format(
        name="schoolwatch-sensors",
        state="RuntimeDirectory=schoolwatch-sensors\nRuntimeDirectoryMode=0755\n",
        capabilities="CAP_NET_RAW",
        families=" AF_PACKET",
    )
    return (
        "[Unit]\n"
        "Description=SchoolWatch sensors: watch the school's network for strange routers and servers\n"
        "After=network.target\n\n"
        "[Service]\nType=exec\nRestart=always\nRestartSec=15\n"
        f"ExecStart={' '.join(map(quoted, service.watching))}\n"
        f"IPAddressDeny=any\n"
        f"{sandbox.replace('UMask=0077', 'UMask=0022')}{_BOUNDS.format(memory=WATCH_MAX)}{_INSTALLED}"
    )


def _timer(service: Service) -> str:
    return (
        "[Unit]\n"
        "Description=SchoolWatch agent: one measurement after another\n\n"
        f"[Timer]\n{_instants(service)}AccuracySec=1s\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def _instants(service: Service) -> str:
    """The device's own instants: exact ones where its period fits the hour, else counted from the last."""
    every, offset = round(service.every), int(schedule.share(f"{service.seed} timer") * service.every)
    if every % 60 == 0 and 3600 % every == 0:
        # the delay differs by machine id: it spreads the copies of one master image, whose offset is one
        delay = f"RandomizedDelaySec={every // 10}s\nFixedRandomDelay=yes\n"
        return f"OnCalendar=*-*-* *:{offset // 60}/{every // 60}:{offset % 60:02}\n{delay}"
    return f"OnBootSec={60 + offset}s\nOnUnitActiveSec={every}s\n"


def quoted(word: str) -> str:
    r"""A word of ExecStart: `%` and `$` mean themselves, and white space does not split it."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if plain != word or not word or any(c.isspace() or c in "';" for c in word) else word
