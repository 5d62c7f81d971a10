"""The PowerShell scripts, as far as they can be looked at without Windows: their form, and how they are run.

They are written for Windows PowerShell 5.1; nothing here runs them.
"""

import re
from base64 import b64decode
from importlib import resources
from pathlib import Path

import pytest

from schoolwatch_agent import asked
from schoolwatch_agent.errors import CommandFailed, TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.probes import POSTURE, PROBES
from schoolwatch_agent.schedule import due_probes
from schoolwatch_agent.script import encoded

FOLDER = Path(str(resources.files("schoolwatch_agent") / "scripts"))
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.ps1"))
_HARMLESS = {
    *("Read-Part", "Write-Answer", "Test-Path", "New-Object", "Start-Sleep", "Measure-Object"),
    *("ConvertTo-Json", "ConvertFrom-Json", "Invoke-CimMethod"),
}
"""Beside what gets, selects and filters; of methods one is called, which reads a volume's state."""

RUN = [name for name in SCRIPTS if name != "parts"]


@pytest.mark.parametrize("name", RUN)
def test_a_script_fits_the_command_line_of_windows(name: str) -> None:
    written = encoded(name)
    assert len(written) < 32_000, "32,767 characters are a command line's most"
    source = b64decode(written).decode("utf-16-le")
    assert source.startswith("$ErrorActionPreference='Stop'")
    assert not [line for line in source.splitlines() if line.startswith("#")]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_what_windows_powershell_5_understands(name: str) -> None:
    source = (FOLDER / f"{name}.ps1").read_text("utf-8")
    assert source.isascii(), "5.1 reads another encoding than ours"
    code = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|#[^\n]*", "", source)
    for newer in (
        r"\?\?",
        r"\?\.",
        r"&&",
        r"\|\|",
        r"\$\w+\s*\?\s",
        r"-Parallel",
        r"ConvertFrom-Json -AsHash",
    ):
        assert not re.search(newer, code), f"{newer} came with PowerShell 7"
    for opening, closing in ("{}", "()", "[]"):
        assert code.count(opening) == code.count(closing), f"{opening} and {closing} do not match"
    if "Read-Part '" in source:
        assert source.rstrip().endswith("Write-Answer")
        assert re.search(r"^\$budget = \d+$", source, re.MULTILINE)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_path_that_may_not_be_looked_at_ends_no_more_than_the_look(name: str) -> None:
    """Errors end a part (`Stop`), and Test-Path raises one where a folder is closed."""
    looks = [line for line in (FOLDER / f"{name}.ps1").read_text("utf-8").splitlines() if "Test-Path" in line]
    assert [
        line for line in looks if not re.search(r"try \{.*Test-Path.*\} catch \{ \S+ = \$null \}", line)
    ] == []
    assert bool(looks) == (name in ("antivirus", "updates"))


def test_a_hive_that_may_not_be_opened_is_told_and_not_left_out() -> None:
    users = (
        (FOLDER / "posture.ps1")
        .read_text("utf-8")
        .partition("Read-Part 'users'")[2]
        .partition("Read-Part")[0]
    )
    assert "SilentlyContinue" not in users
    assert "catch { $found = @{ error = " in users


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_only_reads(name: str) -> None:
    source = (FOLDER / f"{name}.ps1").read_text("utf-8")
    commands = set(re.findall(r"(?<![\w-])([A-Z][a-z]+-[A-Z]\w+)(?![\w-])", source))
    reads = {command for command in commands if command.startswith(("Get-", "Select-", "Where-", "ForEach-"))}
    assert commands - reads <= _HARMLESS
    assert set(re.findall(r"-MethodName (\w+)", source)) <= {"GetConversionStatus"}


def test_a_budget_ends_before_its_probe_gives_up() -> None:
    limits = {"posture": asked.TIMEOUT, "antivirus": 60, "firewall": 30, "updates": 180}
    for name, limit in limits.items():
        budget = re.search(r"^\$budget = (\d+)$", (FOLDER / f"{name}.ps1").read_text("utf-8"), re.MULTILINE)
        assert budget is not None
        assert int(budget[1]) + 5 <= limit, "PowerShell itself takes some seconds to start"


def test_the_probes_of_the_group_run_in_the_same_cycles() -> None:
    group = [probe for probe in PROBES if probe.group == POSTURE]
    assert {probe.name for probe in group} == {
        *("activation", "autorun", "accounts", "remote_access", "encryption", "backup", "disk_health")
    }
    ran = {probe.name: 1.7e9 for probe in group}
    for step in range(200):
        now = 1.7e9 + step * 300
        due = due_probes(group, ran, now=now, measure=300, device="a-device")
        assert len(due) in (0, len(group)), step
        ran |= {probe.name: now for probe in due}


class Counting(Host):
    """A machine whose PowerShell is a shell script that says how often it ran, and then hangs or fails."""

    def __init__(self, folder: Path, does: str) -> None:
        super().__init__()
        self.log = folder / "log"
        self.program = folder / "powershell.exe"
        self.program.write_text(f"#!/bin/sh\necho ran >> {self.log}\n{does}\n")
        self.program.chmod(0o755)

    def _program(self, name: str) -> str:
        return str(self.program)

    @property
    def ran(self) -> int:
        return len(self.log.read_text().splitlines())


def test_seven_probes_wait_once_for_a_script_that_hangs(tmp_path: Path) -> None:
    machine = Counting(tmp_path, "sleep 30")
    for _ in range(7):
        with pytest.raises(TimedOut):
            machine.powershell("posture", timeout=0.5)
    assert machine.ran == 1


def test_what_failed_or_answered_once_is_not_asked_again_at_once(tmp_path: Path) -> None:
    machine = Counting(tmp_path, "echo no >&2; exit 3")
    for _ in range(2):
        with pytest.raises(CommandFailed, match="ended with 3: no"):
            machine.powershell("posture")
    assert machine.ran == 1
    machine = Counting(tmp_path, "echo '{}'")
    machine.log.unlink()
    assert [asked.posture(machine), asked.posture(machine)] == [{}, {}]
    assert machine.ran == 1


def test_an_ungrouped_probe_keeps_a_time_of_its_own() -> None:
    probes = [Probe(name, 21600, lambda _: ()) for name in ("a", "b", "c", "d")]
    ran = dict.fromkeys(("a", "b", "c", "d"), 1.7e9)
    cycles = [due_probes(probes, ran, now=1.7e9 + step * 300, measure=300, device="x") for step in range(72)]
    assert {len(due) for due in cycles} != {0, 4}
