"""Installs the agent on Windows as a scheduled task, and takes it away.

Not yet run on Windows: its command lines follow the documentation of `icacls` and `schtasks`.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from schoolwatch_agent.errors import CommandFailed, Missing, TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.install import task
from schoolwatch_agent.install.order import InstallError, Order, beside
from schoolwatch_agent.install.placing import Placing
from schoolwatch_agent.install.service import Service

Tell = Callable[..., None]

_ALL: Final = "(OI)(CI)"
"""An entry that files and folders below inherit."""

_SYSTEM, _ADMINS, _USERS = "*S-1-5-18", "*S-1-5-32-544", "*S-1-5-32-545"


def rights(folder: str, data: str, account: str) -> Iterator[tuple[str, ...]]:
    """The `icacls` lines: users read program and settings, and don't see the data; nobody but us writes.

    Accounts are named by SID: their names differ from language to language.
    """
    own = (f"{_SYSTEM}:{_ALL}F", f"{_ADMINS}:{_ALL}F")
    agent = "" if account == "system" else f"*{task.ACCOUNTS[account]}:{_ALL}"
    for path, others in (
        (folder, (f"{_USERS}:{_ALL}RX", agent and f"{agent}RX")),
        (data, (agent and f"{agent}M",)),
    ):
        yield ("icacls.exe", path, "/inheritance:r", "/grant:r", *own, *filter(None, others), "/Q")


def register(file: str) -> tuple[str, ...]:
    """The line that makes the task, or makes it anew."""
    return ("schtasks.exe", "/Create", "/TN", task.TASK, "/XML", file, "/F")


def begin() -> tuple[str, ...]:
    """The line that starts it at once."""
    return ("schtasks.exe", "/Run", "/TN", task.TASK)


def end() -> Iterator[tuple[str, ...]]:
    """The lines that stop it and take it out of the Task Scheduler."""
    yield ("schtasks.exe", "/End", "/TN", task.TASK)
    yield ("schtasks.exe", "/Delete", "/TN", task.TASK, "/F")


def place(placing: Placing, order: Order, service: Service, host: Host, tell: Tell) -> None:
    """The task's file and the rights of the folders. Raises OSError, `InstallError`."""
    file = beside(order.config, "task.xml")
    tell(placing.file(file, task.encoded(task.xml(service, order.account))), path=file)
    folder = str(placing.at(file).parent)
    for line in rights(folder, str(placing.at(service.data)), order.account):
        _run(host, line, "not_protected")
        tell("protected", path=line[1])


def start(order: Order, _: Service, host: Host, tell: Tell) -> None:
    """Registers the task and runs it once. Raises `InstallError`."""
    _run(host, register(beside(order.config, "task.xml")), "not_started")
    _run(host, begin(), "not_started")
    tell("started", name=task.TASK)


def stop(host: Host, tell: Tell) -> None:
    """Ends the task and deletes it; one that is not there is fine."""
    for line in end():
        try:
            host.run(*line, timeout=60)
        except CommandFailed:  # it does not run, or is gone already
            continue
        except (Missing, TimedOut) as error:
            raise InstallError("not_stopped", problem=error) from error
    tell("stopped", name=task.TASK)


def forget(host: Host, config: str) -> None:
    """After its file has gone the task goes too; where an earlier file is back, it is the task again."""
    file = beside(config, "task.xml")
    for line in (register(file),) if Path(file).exists() else end():
        with contextlib.suppress(CommandFailed, Missing, TimedOut):  # one that is not there is fine
            host.run(*line, timeout=60)


def _run(host: Host, line: tuple[str, ...], failure: str) -> None:
    try:
        host.run(*line, timeout=60)
    except (CommandFailed, Missing, TimedOut) as error:
        raise InstallError(failure, problem=error) from error
