r"""The scheduled task of an agent on Windows, in the Task Scheduler's own schema ([MS-TSCH] 2.5).

A task needs no wrapper and no further package: it starts without anyone logged on, shows no window
(session 0) and is started again after a failure. `run` is such a task too, without an end.
"""

import subprocess  # noqa: TID251  only list2cmdline: nothing is started here
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # nosec B405 # it writes XML and parses none

from schoolwatch_agent import schedule
from schoolwatch_agent.install.service import Service
from schoolwatch_agent.install.systemd import SLACK

TASK: Final = "SchoolWatch Agent"
"""Its name in the Task Scheduler; in no folder of its own, which `schtasks` could not take away again."""

NAMESPACE: Final = "http://schemas.microsoft.com/windows/2004/02/mit/task"
ACCOUNTS: Final = {"local-service": "S-1-5-19", "system": "S-1-5-18"}
"""Well-known SIDs: the names of these accounts differ from language to language."""

_EPOCH: Final = datetime(2024, 1, 1, tzinfo=UTC)


def xml(service: Service, account: str) -> str:
    """The task as text; `account` is a key of `ACCOUNTS`. Times are UTC, durations ISO 8601."""
    task = Element("Task", {"version": "1.4", "xmlns": NAMESPACE})
    about = SubElement(task, "RegistrationInfo")
    _add(about, Author="SchoolWatch", Description="Measures this machine and reports to the school's server")
    _triggers(SubElement(task, "Triggers"), service)
    principal = SubElement(SubElement(task, "Principals"), "Principal", id="Author")
    _add(principal, UserId=ACCOUNTS[account], RunLevel="LeastPrivilege")
    _settings(SubElement(task, "Settings"), service)
    run = SubElement(SubElement(task, "Actions", Context="Author"), "Exec")
    program, *words = service.command
    _add(run, Command=program, Arguments=subprocess.list2cmdline(words))
    indent(task)
    return f'<?xml version="1.0" encoding="UTF-16"?>\n{tostring(task, encoding="unicode")}\n'


def encoded(text: str) -> bytes:
    """As `schtasks /Create /XML` reads it: UTF-16 with its mark, lines ending in CR LF."""
    return text.replace("\n", "\r\n").encode("utf-16")


def _triggers(triggers: Element, service: Service) -> None:
    offset = schedule.share(f"{service.seed} timer") * service.every
    boot = SubElement(triggers, "BootTrigger")
    _add(boot, Enabled="true", Delay=_duration(30 + min(offset, 300)))
    if service.mode == "tick":
        again = SubElement(triggers, "TimeTrigger")
        start = (_EPOCH + timedelta(seconds=round(offset))).strftime("%Y-%m-%dT%H:%M:%SZ")
        _add(again, Enabled="true", StartBoundary=start)
        # for ever: without Duration a repetition has no end
        _add(SubElement(again, "Repetition"), Interval=_duration(max(service.every, 60)))


def _settings(settings: Element, service: Service) -> None:
    longest = _duration(service.cycle_max + SLACK) if service.mode == "tick" else "PT0S"  # PT0S: no limit
    _add(
        settings,
        MultipleInstancesPolicy="IgnoreNew",
        DisallowStartIfOnBatteries="false",
        StopIfGoingOnBatteries="false",
        AllowHardTerminate="true",
        StartWhenAvailable="true",
        RunOnlyIfNetworkAvailable="false",
        AllowStartOnDemand="true",
        Enabled="true",
        Hidden="false",
        RunOnlyIfIdle="false",
        WakeToRun="false",
        ExecutionTimeLimit=longest,
        Priority="8",  # below normal
    )
    _add(SubElement(settings, "RestartOnFailure"), Interval="PT1M", Count="3")


def _add(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _duration(seconds: float) -> str:
    return f"PT{round(seconds)}S"
