"""Linux posture against real programs: sshd, dconf, apt-config, ufw, lsblk, smartctl, and without root."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

import machines
from mqtt import wait_for
from schoolwatch_agent import asked
from schoolwatch_agent.formats import dconf, linux_ssh, smart
from schoolwatch_agent.host import Host, Own
from schoolwatch_agent.probe import Observed, observe
from schoolwatch_agent.probes import listed, remote_access, updates
from schoolwatch_contract.records import Fact, Reading

Peer = Callable[[str], Path]


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

    assert "includes without end" in (machines.failure(observe(listed("remote_access", 0), Endless())) or "")


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
    observed = observe(listed("encryption", 0), Host())
    assert machines.failure(observed) is None
    if observed != Observed():  # a container
        assert "encryption.enabled /" in machines.readings(observed)


def test_real_smartctl_on_what_is_no_disk(peer: Peer, on_disk: Path) -> None:
    (on_disk / "image").write_bytes(bytes(4096))
    argv = [peer("smartctl"), "-j", "-H", "-A", "-n", "standby", on_disk / "image"]
    said = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert smart.smartctl(said.stdout).trouble == "not supported by this disk"


SEEN = """
import sys, msgspec
from schoolwatch_agent.host import Host, Own
from schoolwatch_agent.probe import observe
from schoolwatch_agent.probes import PROBES
seen = [observe(probe, Host()) for probe in PROBES if probe.name in sys.argv[1:]]
readings, facts = [r for one in seen for r in one.readings], [f for one in seen for f in one.facts]
print(msgspec.json.encode((readings, facts)).decode())
"""


def seen_by(*before: str | Path, probes: tuple[str, ...]) -> tuple[dict[str, float | None], dict[str, Fact]]:
    """What probes see on this machine, in a process that something else starts: setpriv, unshare."""
    if os.getuid() != 0:
        pytest.skip("not run: needs root to become somebody else, or for a namespace")
    said = subprocess.run(
        [*before, sys.executable, "-c", SEEN, *probes], capture_output=True, text=True, check=False
    )
    if said.returncode != 0 and "ermission denied" in said.stderr:
        pytest.skip(f"not run: {said.stderr.strip()[-200:]}")
    assert said.returncode == 0, said.stderr
    readings, facts = msgspec.json.decode(said.stdout, type=tuple[tuple[Reading, ...], tuple[Fact, ...]])
    observed = Observed(readings, facts)
    return machines.readings(observed), machines.facts(observed)


def test_without_root_nothing_fails_and_what_is_not_permitted_says_so(peer: Peer) -> None:
    nobody = (peer("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups")
    posture = ("accounts", "autorun", "backup", "disk_health", "encryption", "firewall", "remote_access")
    readings, facts = seen_by(*nobody, probes=posture)
    assert not [name for name in facts if name.startswith("probe.failure")]
    assert readings["accounts.without_password"] is None
    assert facts["accounts.source without_password"].reason == "not permitted"
    firewalls = {name: fact.reason for name, fact in facts.items() if name.startswith("firewall.state")}
    assert set(firewalls.values()) <= {"not permitted", ""}
    assert all(readings[name.replace("state", "enabled")] is None for name, why in firewalls.items() if why)
    assert "not permitted" in firewalls.values(), "nft and ufw are there, and answer root alone"


def test_a_real_ufw_is_off_and_on_in_a_network_of_its_own(peer: Peer, tmp_path: Path) -> None:
    """Its folder is a copy, mounted over the real one in a mount namespace of this test's own."""
    peer("ufw")
    shutil.copytree("/etc/ufw", tmp_path / "ufw")
    for command, on in (("disable", 0), ("enable", 1)):
        shell = f'mount --bind {tmp_path}/ufw /etc/ufw && ufw --force {command} >/dev/null && exec "$@"'
        readings, _ = seen_by(
            peer("unshare"), "--net", "--mount", "sh", "-c", shell, "sh", probes=("firewall",)
        )
        assert readings["firewall.enabled ufw"] == on
        assert readings["firewall.enabled ufw.conf"] == on
        assert readings["firewall.enabled nftables"] == on, "ufw's rules are nftables' underneath"


def test_ufw_is_not_started_for_somebody_whom_it_refuses(peer: Peer, tmp_path: Path) -> None:
    """As set up it is known to everybody; whether it works is not, and asking costs 50 ms to be refused."""
    peer("ufw")
    shutil.copytree("/etc/ufw", tmp_path / "ufw")
    conf = tmp_path / "ufw/ufw.conf"
    conf.write_text("ENABLED=yes\n")
    shell = (
        f"mount --bind {tmp_path}/ufw /etc/ufw && mount --bind {shutil.which('false')} $(command -v ufw)"
        f' && exec {peer("setpriv")} --reuid=65534 --regid=65534 --clear-groups "$@"'
    )
    (tmp_path / "ufw").chmod(0o755)
    readings, facts = seen_by(peer("unshare"), "--mount", "sh", "-c", shell, "sh", probes=("firewall",))
    assert readings["firewall.enabled ufw.conf"] == 1
    assert readings["firewall.enabled ufw"] is None
    assert facts["firewall.state ufw"].reason == "not permitted", "not what a started one would end with"


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


def test_a_process_is_seen_by_its_name_and_not_in_a_container(peer: Peer, tmp_path: Path) -> None:
    name = f"sw{os.getpid()}-of-a-long-name"
    program = tmp_path / name
    shutil.copy(shutil.which("sleep") or "", program)
    assert asked.process(Host(), name) is False
    with running(program, "60"):
        wait_for(lambda: asked.process(Host(), name) is True)  # it has its name a moment later
    assert asked.process(Host(), name) is False
    if os.getuid() == 0:
        with running(peer("unshare"), "--pid", "--fork", "--kill-child", program, "60"):
            wait_for(lambda: Host().pids(name) != ())
            assert asked.process(Host(), name) is False, "it is another machine's"


@contextmanager
def running(*command: str | Path) -> Iterator[None]:
    started = subprocess.Popen(command)
    try:
        yield
    finally:
        started.kill()
        started.wait()


def test_apt_is_asked_again_when_what_it_reads_has_changed(tmp_path: Path) -> None:
    """A folder that is a machine, whose apt-get counts how often it was started."""
    lists, status = tmp_path / "var/lib/apt/lists", tmp_path / "var/lib/dpkg/status"
    for folder in (lists, status.parent, tmp_path / "usr/bin", tmp_path / "own"):
        folder.mkdir(parents=True)
    status.write_text("")
    (lists / "x_Release").write_text("")
    line = "Inst curl [1] (2 Debian-Security:12/stable-security [amd64])"
    apt = tmp_path / "usr/bin/apt-get"
    end = "1 upgraded, 0 newly installed, 0 to remove and 0 not upgraded."
    apt.write_text(f"#!/bin/sh\nprintf . >> {tmp_path}/count\necho '{line}'\necho '{end}'\n")
    apt.chmod(0o755)

    def look(own: Own | None) -> tuple[float | None, float | None, int]:
        found = machines.readings(observe(listed("updates", 0), Host(tmp_path, own)))
        count = len((tmp_path / "count").read_text())
        return found["updates.pending"], found["updates.security"], count

    own = Own(tmp_path / "own")
    assert look(own) == (1, 1, 1)
    assert look(own) == (1, 1, 1), "the same answer, without apt"
    assert look(None) == (1, 1, 2), "a look has nothing kept"
    os.utime(status, (1, 1))
    assert look(own) == (1, 1, 3), "something was installed"
    os.utime(lists, (1, 1))
    assert look(own) == (1, 1, 4), "updates were looked for"
    (tmp_path / "own" / updates.KEPT).write_text("{}")
    assert look(own) == (1, 1, 5), "what was kept is damaged"
    kept = msgspec.json.decode((tmp_path / "own" / updates.KEPT).read_bytes())
    for at, asked_again in ((kept["at"] - updates.KEPT_SECONDS - 1, 6), (kept["at"] + 3600, 7)):
        (tmp_path / "own" / updates.KEPT).write_bytes(msgspec.json.encode(kept | {"at": at}))
        assert look(own) == (1, 1, asked_again), "a day ago, and from a clock that was set back"
