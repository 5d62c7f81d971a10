"""Linux posture: recorded machines with what must be said of them, and what a recording leaves out."""

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

import machines
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Observed, observe
from schoolwatch_agent.probes import listed
from schoolwatch_agent.recorded import RecordedHost
from schoolwatch_agent.recorder import Recorder, record


def look(probe: str, machine: str) -> dict[str, float | None]:
    observed = machines.look(probe, f"linux/{machine}")
    assert machines.failure(observed) in (None, "nothing is known: cannot be read")
    return {name.removeprefix(f"{probe}."): value for name, value in machines.readings(observed).items()}


def reasons(probe: str, machine: str) -> dict[str, str]:
    found = machines.facts(machines.look(probe, f"linux/{machine}"))
    return {name.removeprefix(f"{probe}."): fact.reason for name, fact in found.items() if fact.reason}


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("encryption-luks-lvm", {"/": 1, "swap": 1}),
        ("encryption-none", {"/": 0, "swap": 0}),
        ("encryption-home-only", {"/": 0, "/home": 1}),
        ("encryption-one-leg-plain", {"/": 0}),
        ("encryption-old-lsblk", {"/": 1}),
        ("encryption-fscrypt", {"/": None, "/srv": 0}),
        ("encryption-zfs-root", {"/": None}),
        ("encryption-in-a-sandbox", {"/": 1, "swap": 0}),
        ("encryption-home-of-its-own-hidden", {"/": 0, "/home": 1, "/srv/school data": 0}),
        ("encryption-fscrypt-home-closed", {"/": None, "/srv": 0}),
        ("encryption-ecryptfs-home-closed", {"/": None, "/srv": 0}),
        ("encryption-home-closed-and-nothing-opens", {"/": 0, "/srv": 0}),
    ],
)
def test_encrypted_volumes(machine: str, expected: dict[str, float | None]) -> None:
    assert {name.removeprefix("enabled "): on for name, on in look("encryption", machine).items()} == expected


def test_why_encryption_is_unknown() -> None:
    assert reasons("encryption", "encryption-fscrypt") == {"state /": "single folders are encrypted"}
    closed = {"state /": "single folders may be encrypted"}
    assert reasons("encryption", "encryption-fscrypt-home-closed") == closed


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (
            "disk_health-hdd-healthy",
            {"healthy sda": 1, "power_on_time sda": 28451 * 3600, "bad_sectors sda": 0},
        ),
        (
            "disk_health-hdd-failing",
            {"healthy sda": 0, "power_on_time sda": 52560 * 3600, "bad_sectors sda": 4000},
        ),
        (
            "disk_health-hdd-errors-logged",
            {"healthy sda": 1, "power_on_time sda": 9000 * 3600, "bad_sectors sda": 8},
        ),
        (
            "disk_health-ssd-wear",
            {"healthy sda": 1, "power_on_time sda": 11000 * 3600, "wear sda": pytest.approx(0.29)},
        ),
        (
            "disk_health-nvme",
            {"healthy nvme0n1": 1, "power_on_time nvme0n1": 5200 * 3600, "wear nvme0n1": 0.07},
        ),
        (
            "disk_health-nvme-worn",
            {"healthy nvme0n1": 0, "power_on_time nvme0n1": 5200 * 3600, "wear nvme0n1": 1.12},
        ),
        (
            "disk_health-udisks-failing",
            {"healthy sda": 0, "power_on_time sda": 36000000, "bad_sectors sda": 24},
        ),
        ("disk_health-udisks-never-looked", {"healthy sda": None}),
        ("disk_health-udisks-nvme", {"healthy nvme0n1": 1, "power_on_time nvme0n1": 5200 * 3600}),
        (
            "disk_health-udisks-two-disks",
            {"healthy sda": 1, "power_on_time sda": 7200, "healthy sdb": 0, "power_on_time sdb": 10800},
        ),
        ("disk_health-without-root", {"healthy sda": None}),
        ("disk_health-asleep", {"healthy sda": None}),
        ("disk_health-no-smartctl", {"healthy sda": None}),
        ("disk_health-usb-bridge", {"healthy sda": None}),
        ("disk_health-emmc", {"healthy mmcblk0": 1, "wear mmcblk0": 0.2}),
        ("disk_health-emmc-worn", {"healthy mmcblk0": 0, "wear mmcblk0": 1.1}),
        ("disk_health-emmc-old", {"healthy mmcblk0": None}),
        ("disk_health-sd-card", {"healthy mmcblk0": None}),
        ("disk_health-virtual", {}),
    ],
)
def test_disks(machine: str, expected: dict[str, float | None]) -> None:
    assert look("disk_health", machine) == expected


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        ("disk_health-without-root", "not permitted"),
        ("disk_health-in-a-sandbox", "not permitted"),
        ("disk_health-udisks-never-looked", "not permitted"),
        ("disk_health-asleep", "asleep"),
        ("disk_health-no-smartctl", "smartctl is not installed"),
        ("disk_health-usb-bridge", "the USB adapter does not pass it on"),
        ("disk_health-emmc-old", "not supported by this disk"),
        ("disk_health-sd-card", "SD cards do not tell"),
    ],
)
def test_why_a_disk_is_unknown(machine: str, reason: str) -> None:
    assert set(reasons("disk_health", machine).values()) == {reason}


@pytest.mark.parametrize(
    ("machine", "listening", "root", "password"),
    [
        ("remote_access-debian-default", 1, 1, 1),
        ("remote_access-hardened", 1, 0, 0),
        ("remote_access-root-with-password", 1, 1, 1),
        ("remote_access-match", 1, 0, None),
        ("remote_access-unreadable-part", 1, None, None),
        ("remote_access-keys-only", 0, 1, 0),
    ],
)
def test_ssh(machine: str, listening: float | None, root: float | None, password: float | None) -> None:
    assert look("remote_access", machine) == {
        "ssh_listening": listening,
        "ssh_root_login": root,
        "ssh_password": password,
    }


def test_why_ssh_is_unknown() -> None:
    assert reasons("remote_access", "remote_access-match") == {
        "state ssh_password sshd": "not the same for everybody"
    }
    assert set(reasons("remote_access", "remote_access-unreadable-part").values()) == {"not permitted"}


def test_ssh_that_is_not_installed_is_not_here() -> None:
    assert machines.look("remote_access", "linux/antivirus-none") == Observed()


RULES: dict[str, float | None] = {
    "password_min_length": 6,
    "lockout_threshold": 0,
    "password_expires": 0,
}
PEOPLE: dict[str, float | None] = {
    "enabled": 3,
    "administrators": 2,
    "other_administrators": 1,
    "without_password": 1,
}


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("accounts-debian-default", RULES | PEOPLE),
        (
            "accounts-hardened",
            {"password_min_length": 12, "lockout_threshold": 5}
            | {"password_expires": 1, "password_max_age": 90 * 86400}
            | PEOPLE,
        ),
        (
            "accounts-red-hat",
            RULES
            | {"password_min_length": 8, "lockout_threshold": 3}
            | {"enabled": 1, "administrators": 2, "other_administrators": 0, "without_password": 0},
        ),
        (
            "accounts-included-stack",
            RULES | PEOPLE | {"password_min_length": None, "lockout_threshold": None},
        ),
        ("accounts-without-root", RULES | PEOPLE | {"without_password": None}),
        ("desktop-gnome-default", RULES | PEOPLE | {"screen_lock_timeout machine": None}),
        ("desktop-gnome-fixed", RULES | PEOPLE | {"screen_lock_timeout machine": 330, "auto_login": 0}),
        ("desktop-gnome-not-locked", RULES | PEOPLE | {"screen_lock_timeout machine": None, "auto_login": 1}),
        ("desktop-mate-never-locks", RULES | PEOPLE | {"screen_lock_timeout machine": None, "auto_login": 1}),
        ("desktop-cinnamon-fixed", RULES | PEOPLE | {"screen_lock_timeout machine": None}),
        ("desktop-xfce-no-sticks", RULES | PEOPLE | {"screen_lock_timeout machine": None, "auto_login": 0}),
    ],
)
def test_accounts(machine: str, expected: dict[str, float | None]) -> None:
    assert look("accounts", machine) == expected


def test_why_accounts_are_unknown() -> None:
    assert reasons("accounts", "accounts-without-root") == {"source without_password": "not permitted"}
    assert reasons("accounts", "desktop-gnome-default") == {"screen_lock machine": "each user sets it"}
    facts = machines.facts(machines.look("accounts", "linux/desktop-mate-never-locks"))
    assert facts["accounts.screen_lock machine"].value == "off"


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("desktop-gnome-default", {"automount": None}),
        ("desktop-gnome-fixed", {"automount": 0}),
        ("desktop-gnome-not-locked", {"automount": None}),
        ("desktop-mate-never-locks", {"automount": None}),
        ("desktop-cinnamon-fixed", {"automount": 1}),
        ("desktop-xfce-no-sticks", {"automount": 0}),
        ("accounts-debian-default", {}),
    ],
)
def test_sticks(machine: str, expected: dict[str, float | None]) -> None:
    assert look("autorun", machine) == expected


@pytest.mark.parametrize(
    ("machine", "age", "reason"),
    [
        ("backup-yesterday", 86400, ""),
        ("backup-forbidden", None, "not permitted"),
        ("backup-hidden", None, "hidden from the agent's service"),
        ("backup-below-a-file", None, "a part of the path is no folder"),
        ("backup-unreadable", None, "cannot be read"),
        ("backup-future", None, "the clock was set back"),
        ("antivirus-none", None, "no such file"),
    ],
)
def test_the_backups_marker(machine: str, age: float | None, reason: str) -> None:
    assert look("backup", machine) == {"age marker": age}
    assert machines.facts(machines.look("backup", f"linux/{machine}"))["backup.state marker"].reason == reason


@pytest.mark.parametrize(
    ("machine", "automatic", "mode"),
    [
        ("updates-automatic", 1, "scheduled"),
        ("updates-automatic-not-installed", 0, "not installed"),
        ("updates-automatic-off", 0, "off"),
        ("updates-automatic-disabled", 0, "off"),
        ("updates-automatic-timer-off", 0, "not started"),
        ("updates-automatic-timer-masked", 0, "not started"),
        ("updates-automatic-timers-run", 1, "scheduled"),
        ("updates-automatic-timer-stopped", 0, "not started"),
        ("updates-automatic-cron", 1, "scheduled"),
        ("updates-automatic-no-cron", 0, "not started"),
        ("updates-automatic-no-script", 0, "not started"),
        ("updates-automatic-anacron", None, "what starts it cannot be seen"),
        ("updates-automatic-processes-hidden", None, "what starts it cannot be seen"),
        ("ubuntu2204-classroom-laptop", None, "not reported"),
    ],
)
def test_automatic_updates_are_configured_installed_and_started(
    machine: str, automatic: float | None, mode: str
) -> None:
    assert look("updates", machine)["automatic"] == automatic
    fact = machines.facts(machines.look("updates", f"linux/{machine}"))["updates.mode automatic"]
    assert (fact.value or fact.reason) == mode


@pytest.mark.parametrize(
    ("machine", "installed"),
    [
        ("updates-automatic", (2023, 11, 18, 6, 12, 33)),
        ("updates-automatic-not-installed", (2023, 10, 30, 6, 12, 33)),
        ("updates-automatic-off", None),
    ],
)
def test_the_last_installed_update(
    machine: str, installed: tuple[int, int, int, int, int, int] | None
) -> None:
    then = None if installed is None else datetime(*installed).astimezone().timestamp()
    assert look("updates", machine)["last_installed_age"] == (None if then is None else 1_700_550_000 - then)


def test_the_recorded_debian() -> None:
    def found(probe: str) -> dict[str, float | None]:
        readings = machines.readings(machines.look(probe, "debian12"))
        return {name.removeprefix(f"{probe}."): value for name, value in readings.items()}

    assert found("accounts") == {
        "password_min_length": 8,  # libpam-pwquality is installed
        "password_expires": 0,
        "lockout_threshold": 0,
        "enabled": 1,
        "administrators": 0,
        "other_administrators": 0,
        "without_password": 0,
    }
    assert found("encryption") == {"enabled /": 0}
    assert found("remote_access") == {"ssh_listening": 0, "ssh_root_login": 1, "ssh_password": 1}
    assert machines.look("disk_health", "debian12") == Observed(), "a virtual disk has no health"


def test_a_recording_of_accounts_names_nobody_and_holds_no_password(tmp_path: Path) -> None:
    files = {
        "passwd": "root:x:0:0:root:/root:/bin/bash\nthanhnv:x:1000:1000:Nguyễn Văn Thành:/home/t:/bin/bash\n",
        "group": "sudo:x:27:thanhnv,maitt\nthanhnv:x:1000:\n",
        "shadow": "root:!:19000:0:99999:7:::\nthanhnv:$y$j9T$secret:19000:0:99999:7:::\nmaitt::1:::::\n",
        "login.defs": "PASS_MAX_DAYS 90\n",
    }
    (tmp_path / "etc").mkdir()
    for name, text in files.items():
        (tmp_path / "etc" / name).write_text(text)
    (tmp_path / "proc/net").mkdir(parents=True)
    (file,) = record(listed("accounts", 0), Host(tmp_path), tmp_path / "recorded")
    written = file.read_text()
    for secret in ("thanhnv", "maitt", "Nguyễn", "$y$", "secret"):
        assert secret not in written
    probe = listed("accounts", 0)
    again, now = observe(probe, RecordedHost(file)), observe(probe, Host(tmp_path))
    assert machines.readings(again) == machines.readings(now)
    found = machines.readings(now)
    assert (found["accounts.administrators"], found["accounts.other_administrators"]) == (1, 1)


def test_a_recording_of_ssh_and_updates_names_nobody(tmp_path: Path) -> None:
    peers = (
        "  sl  local_address rem_address   st\n"
        "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000\n"
        "   1: 0A00A8C0:0016 6400A8C0:D431 01 00000000:00000000 00:00000000 00000000  1000\n"
    )
    config = "AllowUsers thanhnv@192.168.1.7\nMatch User maitt\n  PasswordAuthentication no\n"
    log = "2026-11-01 06:00:00 install game:all <none> 1\n2026-11-02 06:00:00 upgrade curl:amd64 1 2\n"
    sddm, lightdm = "[Autologin]\nUser=\nSession=plasma\n", "[Seat:*]\nautologin-user = thanhnv\n"
    told = {
        "/proc/net/tcp": peers,
        "/etc/ssh/sshd_config": config,
        "/var/log/dpkg.log": log,
        "/etc/sddm.conf": sddm,
        "/etc/lightdm/lightdm.conf": lightdm,
    }
    for path, text in told.items():
        (tmp_path / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path.lstrip("/")).write_text(text)
    recorder = Recorder(Host(tmp_path))
    for path in told:
        recorder.text(path)
    (tmp_path / "busctl").write_text("/org/freedesktop/UDisks2/drives/KINGSTON_SA400S37240G_50026B7783")
    recorder.text("/busctl")
    written = msgspec.json.encode(recorder.recording()).decode()
    for secret in ("6400A8C0", "0A00A8C0", "thanhnv", "maitt", "192.168.1.7", "game", "50026B7783"):
        assert secret not in written
    kept = (
        "00000000:0016",
        "PasswordAuthentication no",
        "upgrade curl",
        "Session=plasma",
        "autologin-user = -",
    )
    for part in kept:
        assert part in written
