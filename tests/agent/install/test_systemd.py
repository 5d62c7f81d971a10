"""The units are what systemd itself takes, and as closed as `systemd-analyze` can see."""

import re
import subprocess
from pathlib import Path

import pytest

from conftest import Peer
from schoolwatch_agent.install import systemd
from schoolwatch_agent.install.service import Mode, Role, Service


def service(mode: Mode = "tick", role: Role = "pc", every: float = 300, seed: str = "one") -> Service:
    program = ("/usr/bin/env", "/opt/school watch/100%/$x")
    return Service(
        program,
        "/etc/schoolwatch/agent.toml",
        "/var/lib/schoolwatch-agent",
        mode,
        role,
        every,
        240,
        300 << 20,
        seed,
        ("so.vn:443", "[2001:db8::1]:8883") if role == "gateway" else None,
        watches=role == "gateway",
    )


@pytest.mark.parametrize("mode", ["tick", "run"])
@pytest.mark.parametrize("role", ["pc", "gateway"])
def test_systemd_takes_the_units_without_a_word(peer: Peer, tmp_path: Path, mode: Mode, role: Role) -> None:
    texts = systemd.units(service(mode, role))
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [peer("systemd-analyze"), "verify", "--man=no", *(str(tmp_path / name) for name in texts)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("role", "unit", "most"),
    [
        ("pc", systemd.SERVICE, 20),
        ("gateway", systemd.SERVICE, 25),
        ("gateway", systemd.PASSAGE, 20),
        ("gateway", systemd.WATCH, 20),
    ],
)
def test_the_sandbox_is_closed(peer: Peer, tmp_path: Path, role: Role, unit: str, most: int) -> None:
    """Exposure in tenths, from 0 (closed) to 100 (a plain root service has 96)."""
    file = tmp_path / unit
    file.write_text(systemd.units(service("tick", role))[unit])
    done = subprocess.run(
        [peer("systemd-analyze"), "security", "--offline=yes", "--no-pager", f"--threshold={most}", file],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.splitlines()[-1]
    open_ = {
        line.split("=")[1].split()[0]
        for line in done.stdout.splitlines()
        if "CapabilityBoundingSet" in line and "✗" in line
    }
    assert open_ == (
        set() if unit == systemd.PASSAGE or role == "pc" else {"~CAP_NET_(BIND_SERVICE|BROADCAST|RAW)"}
    )


def test_bounds_are_in_the_unit() -> None:
    text = systemd.units(service())[systemd.SERVICE]
    for line in (
        "MemoryMax=393216000",
        "TasksMax=64",
        "TimeoutStartSec=300",
        "CPUQuota=100%",
        "DynamicUser=yes",
    ):
        assert f"\n{line}\n" in text
    assert 'ExecStart=/usr/bin/env "/opt/school watch/100%%/$$x" tick --config' in text


def test_the_instant_is_the_devices_own() -> None:
    texts = [systemd.units(service(seed=str(seed)))[systemd.TIMER] for seed in range(200)]
    assert texts[7] == systemd.units(service(seed="7"))[systemd.TIMER]
    found = [re.search(r"OnCalendar=\*-\*-\* \*:([0-4])/5:([0-5]\d)\n", text) for text in texts]
    instants = {int(match[1]) * 60 + int(match[2]) for match in found if match}
    assert len(instants) > 120  # of 200 devices in 300 seconds
    assert min(instants) < 30
    assert max(instants) >= 270


@pytest.mark.parametrize(
    ("every", "line"),
    [(420, "OnUnitActiveSec=420s"), (60, "OnCalendar=*-*-* *:0/1:"), (30, "OnUnitActiveSec=30s")],
)
def test_any_period_has_a_timer(every: float, line: str) -> None:
    assert line in systemd.units(service(every=every))[systemd.TIMER]


def test_a_word_of_a_command_stays_a_word() -> None:
    assert systemd.quoted("/usr/bin/python3") == "/usr/bin/python3"
    assert systemd.quoted('a "b" %n $HOME \\') == '"a \\"b\\" %%n $$HOME \\\\"'
    assert systemd.quoted("") == '""'
