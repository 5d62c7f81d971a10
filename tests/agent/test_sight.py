"""What is not there is told apart from what may not be looked at, by somebody who is not root."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from schoolwatch_agent import sight
from schoolwatch_agent.errors import Hidden, Missing
from schoolwatch_agent.host import Host
from schoolwatch_agent.recorded import RecordedHost
from schoolwatch_agent.recorder import Recorder

Ask = Callable[[str], str]

ASKED = """
import sys
from pathlib import Path
from schoolwatch_agent.host import Host
host = Host(Path(sys.argv[1]))
try:
    print(eval(sys.argv[2]))
except Exception as error:
    print(type(error).__name__, error)
"""

SERVICE = """\
400 300 8:2 / / ro,relatime - ext4 /dev/sda2 rw
404 400 0:25 /systemd/inaccessible/dir /home ro,nosuid - tmpfs tmpfs rw,size=4k
405 400 8:2 /tmp/systemd-private-0f1e-schoolwatch-agent.service-AbCdEf/tmp /tmp rw - ext4 /dev/sda2 rw
406 400 0:31 /systemd-private-0f1e-schoolwatch-agent.service-AbCdEf/tmp /var/tmp rw - tmpfs tmpfs rw
"""
"""Lines as systemd 252 makes them with ProtectHome=yes and PrivateTmp; /var/tmp is a tmpfs of its own."""


@pytest.fixture
def nobody(peer: Callable[[str], Path]) -> Iterator[tuple[Path, Ask]]:
    """A folder that is a machine, and what somebody who may enter most of it is told."""
    if os.geteuid() != 0:
        pytest.skip("not run: needs root to become somebody else")
    setpriv = peer("setpriv")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)

        def ask(what: str) -> str:
            become = (setpriv, "--reuid=65534", "--regid=65534", "--clear-groups")
            done = subprocess.run(
                [*become, sys.executable, "-c", ASKED, folder, what],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0 and "ermission denied" in done.stderr:
                pytest.skip(f"not run: {done.stderr.strip()[-200:]}")
            assert done.returncode == 0, done.stderr
            return done.stdout.strip()

        yield Path(folder), ask


def program(file: Path, mode: int = 0o755) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\necho works\n")
    file.chmod(mode)


def test_a_path_in_a_closed_folder_is_neither_there_nor_absent(nobody: tuple[Path, Ask]) -> None:
    machine, ask = nobody
    (machine / "home").mkdir(mode=0o700)
    (machine / "home/.fscrypt").mkdir()
    (machine / "srv").write_text("a file")
    assert ask("host.exists('/srv')") == "True"
    assert ask("host.exists('/nothing')") == "False"
    assert ask("host.exists('/srv/below/a/file')") == "False"
    assert ask("host.exists('/home/.fscrypt')").startswith("PermissionError")
    assert ask("host.exists('/home/nothing')").startswith("PermissionError")
    assert ask("host.modified('/srv/done')").startswith("NotADirectoryError")


def test_a_program_in_a_closed_folder_is_not_told_as_missing(nobody: tuple[Path, Ask]) -> None:
    machine, ask = nobody
    program(machine / "opt/vendor/bin/tool")
    program(machine / "opt/open/bin/only-root", 0o700)
    program(machine / "opt/open/bin/text", 0o644)
    (machine / "usr/bin").mkdir(parents=True)
    (machine / "usr/bin/linked").symlink_to(machine / "opt/vendor/bin/tool")
    (machine / "usr/bin/broken").symlink_to("nowhere")
    assert ask("host.run('/opt/vendor/bin/tool')") == "works"
    (machine / "opt/vendor").chmod(0o700)
    assert ask("host.run('/opt/vendor/bin/tool')").startswith("PermissionError")
    assert ask("host.run('linked')") == "CommandFailed linked ended with 126: permission denied"
    assert "126" in ask("host.run('/opt/open/bin/only-root')")
    assert ask("host.run('/opt/open/bin/text')").startswith("Missing"), "no program at all"
    assert ask("host.run('broken')").startswith("Missing")
    assert ask("host.run('nothing')") == "Missing nothing is not installed"
    (machine / "usr/bin").chmod(0o700)
    assert ask("host.run('nothing')").startswith("PermissionError"), "it may be in the closed folder"


def test_a_closed_folder_of_a_person_hides_no_program_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = os.lstat

    def closed(path: str) -> os.stat_result:
        if "/own/" in path:
            raise PermissionError
        return seen(path)

    monkeypatch.setattr(sight.os, "lstat", closed)
    monkeypatch.setenv("PATH", "/own/bin")
    with pytest.raises(Missing):
        sight.program("nothing", lambda path: tmp_path / path.lstrip("/"), "linux")


def test_what_systemd_puts_in_a_folders_place_is_known_by_where_it_is_from() -> None:
    assert sight.screened(SERVICE) == ("/home", "/tmp", "/var/tmp")
    assert sight.screened(SERVICE.splitlines()[0]) == ()


def test_what_is_not_in_the_services_own_tmp_is_hidden_not_absent(peer: Callable[[str], Path]) -> None:
    """In a mount namespace in which /var/tmp is what PrivateTmp of systemd would make of it."""
    if os.geteuid() != 0:
        pytest.skip("not run: needs root for a mount namespace")
    shell = (
        "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd-private-0-x.service-y/tmp"
        ' && mount --bind /run/systemd-private-0-x.service-y/tmp /var/tmp && exec "$@"'
    )

    def ask(what: str) -> str:
        words = [peer("unshare"), "--mount", "sh", "-c", shell, "sh", sys.executable, "-c", ASKED, "/", what]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if "ermission denied" in done.stderr:
            pytest.skip(f"not run: {done.stderr.strip()[-200:]}")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert Hidden.WHY in ask("host.modified('/var/tmp/done')")
    assert ask("host.exists('/var/tmp/done')").startswith("Hidden")
    assert ask("host.ask('/var/tmp/clamd.socket', b'')").startswith("Hidden")
    assert ask("host.exists('/var/lib/nothing')") == "False"


def test_a_recording_keeps_that_a_path_may_not_be_looked_at(tmp_path: Path) -> None:
    class Closed(Host):
        def exists(self, path: str) -> bool:
            raise Hidden(13, Hidden.WHY, path)

    recorder = Recorder(Closed())
    with pytest.raises(Hidden):
        recorder.exists("/home/.fscrypt")
    file = tmp_path / "encryption.json"
    file.write_bytes(msgspec.json.encode(recorder.recording()))
    with pytest.raises(Hidden):
        RecordedHost(file).exists("/home/.fscrypt")
    assert not RecordedHost(file).exists("/.fscrypt"), "what was not recorded is not there"
