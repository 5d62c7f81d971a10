"""Copies on another machine: a real sshd on the loopback, with a key, and its host key known."""

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.server.backup.conftest import DEVICES, REPORTS, Run, furnish

from conftest import Peer
from schoolwatch_server.config import ServerConfig


@dataclass
class Sshd:
    """The other machine: it lets in one key, to its sftp server alone."""

    port: int
    folder: Path
    key: Path
    known_hosts: Path

    def options(self, folder: Path) -> tuple[object, ...]:
        place = f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{folder}"
        return ("--ssh-key", self.key, "--known-hosts", self.known_hosts, "--passphrase-file",
                self.folder / "passphrase", place)  # fmt: skip


@pytest.fixture
def sshd(peer: Peer, free_port: Callable[[], int], tmp_path: Path) -> Iterator[Sshd]:
    peer("restic")
    program, keygen, port = peer("sshd"), peer("ssh-keygen"), free_port()
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for name in ("host", "client", "stranger"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "authorized_keys").write_text((folder / "client.pub").read_text())
    (folder / "authorized_keys").chmod(0o600)
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\nForceCommand internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it puts away its rights
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", folder / "config"], stderr=log)
    deadline = time.monotonic() + 20
    while not listens(port):
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield Sshd(port, tmp_path, folder / "client", folder / "known_hosts")
    process.terminate()
    process.wait(10)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    return furnish(tmp_path)


def test_copies_go_to_another_machine_and_come_back(
    sshd: Sshd, config: ServerConfig, run: Run, tmp_path: Path
) -> None:
    *options, place = sshd.options(tmp_path / "off site")
    code, said = run("backup", "--data", config.folder, *options, "--to", place)
    assert code == 0, said
    assert (tmp_path / "off site" / "config").is_file()
    code, said = run("restore", "--data", tmp_path / "new", *options, "--from", place)
    assert code == 0, said
    assert f"reports in the journal: {DEVICES * REPORTS}\n" in said


def test_what_keeps_it_from_getting_there_is_said(
    sshd: Sshd, config: ServerConfig, run: Run, tmp_path: Path
) -> None:
    *options, place = sshd.options(tmp_path / "off")
    backup = ("backup", "--data", config.folder, *options, "--to", place)
    stranger = sshd.key.with_name("stranger")
    code, said = run(*backup, "--ssh-key", stranger)
    assert (code, "refuses the login" in said) == (2, True), said
    unknown = sshd.known_hosts.with_name("none")
    unknown.write_text("")
    code, said = run(*backup, "--known-hosts", unknown)
    assert (code, "host key is not known or has changed" in said) == (2, True), said
    code, said = run(*backup, "--to", f"sftp://{getpass.getuser()}@127.0.0.1:1{tmp_path}/off")
    assert (code, "cannot be reached" in said) == (2, True), said
    assert not (tmp_path / "off").exists()
    assert not (config.folder / "backup" / "stage").exists()
