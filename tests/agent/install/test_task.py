"""The scheduled task against the schema that Microsoft documents. No Windows was at hand to register it."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from schoolwatch_agent.errors import CommandFailed
from schoolwatch_agent.host import Host
from schoolwatch_agent.install import task, windows
from schoolwatch_agent.install.service import Mode, Service

SEQUENCES = {
    # [MS-TSCH] 2.5.1 taskType, 2.5.3.1 triggerBaseType with the elements that bootTriggerType adds, 2.5.3.x
    "Task": ["RegistrationInfo", "Triggers", "Principals", "Settings", "Data", "Actions"],
    "BootTrigger": ["Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "Delay"],
    "TimeTrigger": [
        "Enabled",
        "StartBoundary",
        "EndBoundary",
        "Repetition",
        "ExecutionTimeLimit",
        "RandomDelay",
    ],
}
"""Elements whose children have an order (xs:sequence)."""

CHILDREN = {
    # xs:all: any order, each once
    "RegistrationInfo": "URI SecurityDescriptor Source Date Author Version Description Documentation",
    "Principal": "UserId LogonType GroupId DisplayName RunLevel ProcessTokenSidType RequiredPrivileges",
    "Settings": "AllowStartOnDemand RestartOnFailure MultipleInstancesPolicy DisallowStartIfOnBatteries "
    "StopIfGoingOnBatteries AllowHardTerminate StartWhenAvailable NetworkProfileName WakeToRun Enabled "
    "RunOnlyIfNetworkAvailable DeleteExpiredTaskAfter IdleSettings NetworkSettings ExecutionTimeLimit "
    "Hidden Priority RunOnlyIfIdle UseUnifiedSchedulingEngine DisallowStartOnRemoteAppSession "
    "MaintenanceSettings Volatile",
    "RestartOnFailure": "Interval Count",
    "Repetition": "Interval Duration StopAtDurationEnd",
    "Exec": "Command Arguments WorkingDirectory",
}
VALUES = {
    "MultipleInstancesPolicy": "Parallel|Queue|IgnoreNew|StopExisting",
    "RunLevel": "LeastPrivilege|HighestAvailable",
    "Priority": "10|[0-9]",
    "UserId": r"S-1-5-\d+",
    "StartBoundary": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    **dict.fromkeys(("Interval", "Delay", "ExecutionTimeLimit"), r"PT\d+[SM]"),
    **dict.fromkeys(("Enabled", "Hidden", "WakeToRun", "RunOnlyIfIdle", "StartWhenAvailable"), "true|false"),
}


def service(mode: Mode = "tick", every: float = 300, seed: str = "one") -> Service:
    program = (r"C:\Program Files\SchoolWatch\python\python.exe", "-I", r"C:\Program Files\SchoolWatch")
    folder = r"C:\ProgramData\SchoolWatch"
    return Service(
        program, rf"{folder}\agent.toml", rf"{folder}\agent", mode, "pc", every, 240, 300 << 20, seed
    )


def read(text: str) -> ET.Element:
    """The root, with the namespace taken off after it was looked at."""
    root = ET.fromstring(task.encoded(text))
    for element in root.iter():
        assert element.tag.startswith(f"{{{task.NAMESPACE}}}")
        element.tag = element.tag.partition("}")[2]
    return root


@pytest.mark.parametrize("mode", ["tick", "run"])
@pytest.mark.parametrize("account", task.ACCOUNTS)
def test_every_element_is_documented_and_in_its_place(mode: Mode, account: str) -> None:
    root = read(task.xml(service(mode), account))
    assert (root.tag, root.get("version")) == ("Task", "1.4")
    for element in root.iter():
        names = [child.tag for child in element]
        if element.tag in SEQUENCES:
            allowed = SEQUENCES[element.tag]
            assert names == [name for name in allowed if name in names], element.tag
        elif element.tag in CHILDREN:
            assert set(names) <= set(CHILDREN[element.tag].split())
            assert len(names) == len(set(names))
        elif not names and element.tag in VALUES:
            assert re.fullmatch(VALUES[element.tag], element.text or ""), element.tag
    assert root.findtext(".//UserId") == task.ACCOUNTS[account]
    assert root.find(".//Principal").get("id") == root.find("Actions").get("Context")  # type: ignore[union-attr]


def test_a_tick_comes_at_start_and_every_five_minutes_and_never_stays() -> None:
    root = read(task.xml(service(), "local-service"))
    assert root.find("Triggers/BootTrigger") is not None
    assert root.findtext("Triggers/TimeTrigger/Repetition/Interval") == "PT300S"
    assert root.findtext("Settings/ExecutionTimeLimit") == "PT300S"
    assert root.findtext("Settings/MultipleInstancesPolicy") == "IgnoreNew"


def test_what_stays_has_no_end_and_begins_again_after_a_failure() -> None:
    root = read(task.xml(service("run"), "system"))
    assert [trigger.tag for trigger in root.findall("Triggers/*")] == ["BootTrigger"]
    assert root.findtext("Settings/ExecutionTimeLimit") == "PT0S"
    assert int(root.findtext("Settings/RestartOnFailure/Count") or 0) > 0


def test_paths_with_spaces_stay_one_word() -> None:
    root = read(task.xml(service(), "local-service"))
    assert root.findtext("Actions/Exec/Command") == r"C:\Program Files\SchoolWatch\python\python.exe"
    assert root.findtext("Actions/Exec/Arguments") == (
        r'-I "C:\Program Files\SchoolWatch" tick --config C:\ProgramData\SchoolWatch\agent.toml'
    )


def test_the_file_is_utf_16_with_windows_line_ends() -> None:
    content = task.encoded(task.xml(service(), "local-service"))
    assert content.startswith(b"\xff\xfe")
    text = content.decode("utf-16")
    assert text.count("\n") == text.count("\r\n") > 20


def test_machines_that_start_together_do_not_measure_together() -> None:
    starts = {read(task.xml(service(seed=str(n)), "system")).findtext(".//StartBoundary") for n in range(200)}
    assert len(starts) > 120


def test_users_may_read_settings_and_not_see_data() -> None:
    settings, data = windows.rights(
        r"C:\ProgramData\SchoolWatch", r"C:\ProgramData\SchoolWatch\agent", "local-service"
    )
    assert "*S-1-5-32-545:(OI)(CI)RX" in settings
    assert not any("S-1-5-32-545" in word for word in data)
    assert "*S-1-5-19:(OI)(CI)M" in data
    assert [word for word in settings if "S-1-5-19" in word] == ["*S-1-5-19:(OI)(CI)RX"]
    assert "/inheritance:r" in settings
    assert "/inheritance:r" in data


class Spoken(Host):
    """Writes down what it is asked to run; the line that `fails` ends with 1."""

    def __init__(self, fails: str = "") -> None:
        super().__init__()
        self.lines: list[tuple[str, ...]] = []
        self.fails = fails

    def run(self, *argv: str, timeout: float = 10, asked: str = "") -> str:
        self.lines.append(argv)
        if self.fails and self.fails in argv:
            raise CommandFailed(argv, 1, "refused")
        return ""


def test_an_update_that_fails_gets_its_earlier_task_back(tmp_path: Path) -> None:
    config = str(tmp_path / "agent.toml")
    host = Spoken()
    windows.forget(host, config)
    assert [line[1] for line in host.lines] == ["/End", "/Delete"]
    (tmp_path / "task.xml").write_text("the earlier one")
    host = Spoken()
    windows.forget(host, config)
    assert host.lines == [windows.register(str(tmp_path / "task.xml"))]


def test_a_task_that_is_not_there_is_no_reason_not_to_uninstall() -> None:
    told: list[str] = []
    windows.stop(Spoken(fails="/Delete"), lambda key, **_: told.append(key))
    assert told == ["stopped"]


def test_no_line_goes_through_a_shell() -> None:
    lines = [
        *windows.rights("C:\\a & b", "C:\\a & b\\agent", "system"),
        windows.register("x y"),
        windows.begin(),
    ]
    assert {line[0] for line in [*lines, *windows.end()]} == {"icacls.exe", "schtasks.exe"}
    assert "C:\\a & b" in lines[0]
