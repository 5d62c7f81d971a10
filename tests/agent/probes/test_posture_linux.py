"""Linux posture: recorded machines with what must be said of them, and real sshd, dconf, lsblk, smartctl."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

import machines
from schoolwatch_agent.formats import dconf, linux_ssh, smart
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Observed, observe
from schoolwatch_agent.probes import encryption, remote_access, updates

Peer = Callable[[str], Path]


def look(probe: str, machine: str) -> dict[str, float | None]:
    observed = machines.look(probe, f"linux/{machine}")
    assert machines.failure(observed) is None
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
    ],
)
def test_encrypted_volumes(machine: str, expected: dict[str, float | None]) -> None:
    assert {name.removeprefix("enabled "): on for name, on in look("encryption", machine).items()} == expected


def test_why_encryption_is_unknown() -> None:
    assert reasons("encryption", "encryption-fscrypt") == {"state /": "single folders are encrypted"}


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
PEOPLE: dict[str, float | None] = {"administrators": 3, "without_password": 1}


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
            | {"administrators": 2, "without_password": 0},
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
        ("backup-future", None, "the clock was set back"),
        ("antivirus-none", None, "no such file"),
    ],
)
def test_the_backups_marker(machine: str, age: float | None, reason: str) -> None:
    assert look("backup", machine) == {"age marker": age}
    assert machines.facts(machines.look("backup", f"linux/{machine}"))["backup.state marker"].reason == reason


@pytest.mark.parametrize(
    ("machine", "automatic"),
    [
        ("updates-automatic", 1),
        ("updates-automatic-not-installed", 0),
        ("updates-automatic-off", 0),
        ("updates-automatic-disabled", 0),
        ("updates-automatic-timer-off", 0),
        ("ubuntu2204-classroom-laptop", None),
    ],
)
def test_automatic_updates_are_configured_installed_and_started(
    machine: str, automatic: float | None
) -> None:
    assert look("updates", machine)["automatic"] == automatic


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


# --- real programs ------------------------------------------------------------------------------------


@pytest.fixture
def sshd(peer: Peer, tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """What the real daemon makes of a configuration: `sshd -T`, keyword → value."""
    program, keys = peer("sshd"), peer("ssh-keygen")
    key = tmp_path / "key"
    subprocess.run([keys, "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)

    def ask(config: str) -> dict[str, str]:
        file = tmp_path / "etc/ssh/sshd_config"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(config)
        # includes are named from the root: the daemon is shown the folder they are really in
        shown = tmp_path / "shown"
        shown.write_text(config.replace("Include /etc/ssh", f"Include {tmp_path}/etc/ssh"))
        said = subprocess.run(
            [program, "-T", "-f", shown, "-h", key], capture_output=True, text=True, check=False
        )
        if "privilege separation" in said.stderr:
            pytest.skip(f"not run: {said.stderr.strip()}")
        assert said.returncode == 0, said.stderr
        return dict(line.split(" ", 1) for line in said.stdout.splitlines() if " " in line)

    return ask


@pytest.mark.parametrize(
    "config",
    [
        "",
        "PermitRootLogin yes\nPermitRootLogin no\n",
        "permitrootlogin=no\nPASSWORDAUTHENTICATION no\n",
        'PermitRootLogin "no" # by the school\n',
        "\tPasswordAuthentication\tno\t\nUsePAM yes\n",
        "UsePAM yes\nChallengeResponseAuthentication no\nPasswordAuthentication no\n",
        "PasswordAuthentication no\nUsePAM yes\n",
        "PermitRootLogin without-password\n",
        "Include /etc/ssh/none.d/*.conf\nPermitRootLogin no\n",
        "Include /etc/ssh/more.d/*.conf\nPermitRootLogin yes\nPasswordAuthentication yes\n",
        "PermitRootLogin yes\nInclude /etc/ssh/more.d/*.conf\n",
        "Port 2222\nPort 22\n",
        "AuthenticationMethods publickey\n",
        "AuthenticationMethods publickey password\n",
    ],
)
def test_a_configuration_is_read_as_sshd_reads_it(
    sshd: Callable[[str], dict[str, str]], tmp_path: Path, config: str
) -> None:
    more = tmp_path / "etc/ssh/more.d"
    more.mkdir(parents=True)
    (more / "20-b.conf").write_text("PasswordAuthentication yes\nPermitRootLogin yes\n")
    (more / "10-a.conf").write_text("PasswordAuthentication no\nPermitRootLogin no\n")
    (more / ".hidden.conf").write_text("PermitRootLogin yes\n")
    real = sshd(config)
    lines = remote_access._lines(Host(tmp_path), "/etc/ssh/sshd_config", remote_access._Budget())
    ours = linux_ssh.access(lines)
    assert ours.root == real["permitrootlogin"].replace("without-password", "prohibit-password")
    by_pam = (real["kbdinteractiveauthentication"], real["usepam"]) == ("yes", "yes")
    ways = real["authenticationmethods"].split()
    own = real["passwordauthentication"] == "yes"
    assert ours.password is ((own or by_pam) if ways == ["any"] else own and "password" in ways)
    assert str(ours.ports[-1]) == real["port"]


def test_what_sshd_refuses_is_not_understood() -> None:
    for config in ("PermitRootLogin no#comment\n", "{\n", "PasswordAuthentication maybe\n"):
        with pytest.raises(ValueError, match="not a"):
            linux_ssh.access(linux_ssh.lines(config))


def test_files_that_include_each_other_end() -> None:
    class Endless(Host):
        def text(self, path: str) -> str:
            return "Include /etc/ssh/sshd_config\n" * 50

        def names(self, folder: str) -> tuple[str, ...]:
            return ("sshd_config",)

        def exists(self, path: str) -> bool:
            return True

    assert "includes without end" in (machines.failure(observe(remote_access.PROBE, Endless())) or "")


@pytest.mark.parametrize(
    ("locks", "below"),
    [
        ("", ""),
        ("/org/gnome/desktop/session/idle-delay\n", ""),
        ("/org/gnome/desktop/session/\n", "/org/gnome/desktop/session/idle-delay\n"),
    ],
)
def test_key_files_count_as_dconf_compiles_them(peer: Peer, tmp_path: Path, locks: str, below: str) -> None:
    program = peer("dconf")
    key = "/org/gnome/desktop/session/idle-delay"
    files = [
        "[org/gnome/desktop/session]\nidle-delay=uint32 300\n",
        "# later\n[org/gnome/desktop/session]\nidle-delay=uint32 600\n",
    ]
    lower = "[org/gnome/desktop/session]\nidle-delay=uint32 777\n"
    for name, texts, locked in (("local", files, locks), ("site", [lower], below)):
        folder = tmp_path / f"{name}.d"
        (folder / "locks").mkdir(parents=True)
        for number, text in enumerate(texts):
            (folder / f"{number}0-school").write_text(text)
        (folder / "locks" / "school").write_text(locked)
        subprocess.run([program, "compile", tmp_path / name, folder], check=True)
    (tmp_path / "profile").write_text(f"file-db:{tmp_path}/local\nfile-db:{tmp_path}/site\n")
    environment = {**os.environ, "DCONF_PROFILE": str(tmp_path / "profile")}
    real = subprocess.run(
        [program, "read", key], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    databases = (dconf.database(files, [locks]), dconf.database([lower], [below]))
    ours = dconf.forced(databases, key)
    assert ours == (dconf.Forced(real) if locks else None)
    assert dconf.number(real) in (600, 777)


def test_lsblk_of_this_machine_tells_of_its_root() -> None:
    observed = observe(encryption.PROBE, Host())
    assert machines.failure(observed) is None
    if observed != Observed():  # a container
        assert "encryption.enabled /" in machines.readings(observed)


def test_real_smartctl_on_what_is_no_disk(peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(4096))
    argv = [peer("smartctl"), "-j", "-H", "-A", "-n", "standby", tmp_path / "image"]
    said = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert smart.smartctl(said.stdout).trouble == "not supported by this disk"


def test_without_root_nothing_fails_and_what_is_not_permitted_says_so(peer: Peer) -> None:
    if os.getuid() != 0:
        pytest.skip("not run: needs root to become somebody else")
    agent = Path(sys.executable).with_name("schoolwatch-agent")
    argv = [peer("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups", agent, "once", "--json"]
    said = subprocess.run(argv, capture_output=True, text=True, check=False)
    if "Permission denied" in said.stderr or said.returncode == 127:
        pytest.skip("not run: the checkout is in a folder that others may not enter")
    assert said.returncode == 0, said.stderr
    seen = json.loads(said.stdout)
    facts = {(fact["name"], *fact.get("labels", {}).values()): fact for fact in seen["facts"]}
    assert facts["accounts.source", "without_password"]["reason"] == "not permitted"
    posture = {"accounts", "autorun", "backup", "disk_health", "encryption", "remote_access"}
    failed = {labels[0] for name, *labels in facts if name == "probe.failure"}
    assert not posture & failed


@pytest.mark.skipif(not Path("/var/log/dpkg.log").exists(), reason="not run: no dpkg here")
def test_dpkgs_own_log_is_read_to_its_last_upgrade() -> None:
    rows = [line.split(" ") for line in Path("/var/log/dpkg.log").read_text().splitlines()]
    upgrades = [" ".join(row[:2]) for row in rows if row[2:3] == ["upgrade"]]
    then = updates.last_installed(Path("/var/log/dpkg.log").read_text())
    told = None if then is None else datetime.fromtimestamp(then).strftime("%Y-%m-%d %H:%M:%S")  # noqa: DTZ006
    assert told == (upgrades[-1] if upgrades else None)


@pytest.mark.parametrize(
    ("settings", "on"),
    [
        ((), False),
        (("Update-Package-Lists=1", "Unattended-Upgrade=1"), True),
        (("Update-Package-Lists=1", "Unattended-Upgrade=0"), False),
        (("Update-Package-Lists=always", "Unattended-Upgrade=7d"), True),
        (("Enable=0", "Update-Package-Lists=1", "Unattended-Upgrade=1"), False),
    ],
)
def test_real_apt_config(peer: Peer, tmp_path: Path, settings: tuple[str, ...], on: bool) -> None:
    """apt is shown an empty configuration, and what the test sets."""
    nowhere = "".join(f'Dir::Etc::{part} "{tmp_path}/none";\n' for part in ("parts", "main"))
    (tmp_path / "apt.conf").write_text(nowhere)
    options = [word for setting in settings for word in ("-o", f"APT::Periodic::{setting}")]
    environment = {**os.environ, "APT_CONFIG": str(tmp_path / "apt.conf"), "LC_ALL": "C"}
    argv = [peer("apt-config"), *options, "dump", "APT::Periodic"]
    said = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout
    assert updates.automatic(said) is on
