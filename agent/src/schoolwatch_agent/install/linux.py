"""Installs the agent on a machine with systemd, and takes it away."""

import contextlib
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Final

from schoolwatch_agent.errors import CommandFailed, Missing, TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.install import systemd
from schoolwatch_agent.install.order import InstallError, Order
from schoolwatch_agent.install.placing import Placing
from schoolwatch_agent.install.service import NAME, Service

LAUNCHER: Final = f"/usr/local/bin/{NAME}"
"""So that a technician can type the command's name."""

_UNITS: Final = (systemd.TIMER, systemd.SERVICE, systemd.PASSAGE, systemd.WATCH)
_PATHS: Final = (
    f"{systemd.UNITS}/{systemd.SERVICE}",
    f"{systemd.UNITS}/{systemd.TIMER}",
    f"{systemd.UNITS}/multi-user.target.wants/{systemd.SERVICE}",
    f"{systemd.UNITS}/timers.target.wants/{systemd.TIMER}",
    f"{systemd.UNITS}/{systemd.PASSAGE}",
    f"{systemd.UNITS}/{systemd.MULTI_USER}.wants/{systemd.PASSAGE}",
    f"{systemd.UNITS}/{systemd.WATCH}",
    f"{systemd.UNITS}/{systemd.MULTI_USER}.wants/{systemd.WATCH}",
)
"""All that either mode needs, and a gateway's passage and watch."""

Tell = Callable[..., None]


def place(placing: Placing, order: Order, service: Service, _: Host, tell: Tell) -> None:
    """Units and launcher; the units of the other mode go. Raises OSError."""
    wanted = systemd.units(service)
    links = {f"{systemd.UNITS}/{target}.wants/{unit}": f"../{unit}" for unit, target in _wanted_by(service)}
    stays = {*links, *(f"{systemd.UNITS}/{name}" for name in wanted)}
    for path in _PATHS:
        if path not in stays and placing.remove(path):
            tell("removed", path=path)
    for name, text in wanted.items():
        tell(placing.file(f"{systemd.UNITS}/{name}", text.encode()), path=f"{systemd.UNITS}/{name}")
    for link, unit in links.items():
        tell(placing.link(link, unit), path=link)
    if order.program is not None:
        text = f'#!/bin/sh\nexec {shlex.join(order.command)} "$@"\n'
        tell(placing.file(LAUNCHER, text.encode(), 0o755), path=LAUNCHER)


def start(order: Order, service: Service, host: Host, tell: Tell) -> None:
    """Lets systemd begin, where it runs. Raises `InstallError`."""
    if order.is_image or not is_running():
        tell("starts_later")
        return
    try:
        host.run("systemctl", "daemon-reload", timeout=60)
        host.run("systemctl", "stop", systemd.SERVICE, timeout=90)  # of the other mode, or of older settings
        unwanted = {systemd.PASSAGE: service.passage is None, systemd.WATCH: not service.watches}
        for unit in (
            unit for unit, is_unwanted in unwanted.items() if is_unwanted
        ):  # it may run by older settings
            with contextlib.suppress(CommandFailed):  # as a rule there is none
                host.run("systemctl", "stop", unit, timeout=60)
        host.run("systemctl", "restart", *(unit for unit, _ in _wanted_by(service)), timeout=60)
        if service.mode == "tick":  # the first measurement at once
            host.run("systemctl", "start", "--no-block", systemd.SERVICE, timeout=60)
    except (CommandFailed, Missing, TimedOut) as error:
        raise InstallError("not_started", problem=error) from error
    for unit, _ in _wanted_by(service):
        tell("started", name=unit)


def _wanted_by(service: Service) -> tuple[tuple[str, str], ...]:
    passage = () if service.passage is None else ((systemd.PASSAGE, systemd.MULTI_USER),)
    watch = ((systemd.WATCH, systemd.MULTI_USER),) if service.watches else ()
    return (systemd.wanted_by(service), *passage, *watch)


def stop(host: Host, tell: Tell) -> None:
    """Ends what runs, before its files go."""
    if not is_running():
        return
    for unit in _UNITS:
        try:
            host.run("systemctl", "stop", unit, timeout=90)
        except CommandFailed:  # it is not loaded
            continue
        except (Missing, TimedOut) as error:
            raise InstallError("not_stopped", problem=error) from error
        tell("stopped", name=unit)


def forget(host: Host, _: str) -> None:
    """After its files have gone: what has no file any more is ended, and systemd forgets it.

    When systemd does not answer, that happens at the next start.
    """
    if not is_running():
        return
    for words in (("daemon-reload",), *(("stop", unit) for unit in _UNITS if not _has_file(unit))):
        with contextlib.suppress(CommandFailed, Missing, TimedOut):
            host.run("systemctl", *words, timeout=90)


def data_folders(data: str) -> tuple[str, ...]:
    """Where the data are: a DynamicUser's folder is a link to the real one (systemd.exec(5))."""
    name = Path(data).name
    return (data, f"/var/lib/private/{name}")


def is_running() -> bool:
    """Whether systemd is this machine's first process (sd_booted(3))."""
    return Path("/run/systemd/system").is_dir()


def _has_file(unit: str) -> bool:
    return Path(systemd.UNITS, unit).exists()
