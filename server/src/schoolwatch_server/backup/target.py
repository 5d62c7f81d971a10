"""Where copies go: a folder, or a folder of another machine by SFTP, and how restic is told to reach it."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from schoolwatch_server.backup.errors import BackupError

_SFTP = re.compile(
    r"sftp://(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]{0,63})@"
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252})"
    r"(?::(?P<port>[0-9]{1,5}))?/(?P<folder>[^\x00-\x1f\x7f]{1,400})"
)
_QUOTES = re.compile(r"[\x00-\x1f\x7f'\"\\]")


@dataclass(frozen=True, slots=True)
class Target:
    """A place for copies: a `folder` of this machine, or what `ssh` reaches."""

    name: str
    repository: str
    folder: Path | None
    ssh: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """What restic is told besides its repository."""
        return ("-o", f"sftp.command={shlex.join(self.ssh)}") if self.ssh else ()


def parse(text: str, *, ssh_key: str = "", known_hosts: str = "") -> Target:
    """The place that a person named. Raises `BackupError`."""
    if not text:
        raise BackupError("no_target")
    if text.startswith("sftp:"):
        return _sftp(text, ssh_key, known_hosts)
    if "\0" in text or re.match(r"[a-z0-9]+:", text):  # restic's other places: rest:, s3:, rclone: …
        raise BackupError("bad_target", target=text)
    folder = Path(text).absolute()
    return Target(str(folder), str(folder), folder)


def _sftp(text: str, ssh_key: str, known_hosts: str) -> Target:
    found = _SFTP.fullmatch(text)
    if found is None or int(found["port"] or 22) > 65535 or _QUOTES.search(ssh_key + known_hosts):
        raise BackupError("bad_target", target=text)
    # without a terminal nobody can answer a question, and a line that is cut must not hang the night
    words = ["ssh", "-p", found["port"] or "22", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"]
    words += ["-o", "ServerAliveInterval=20", "-o", "ServerAliveCountMax=6"]
    if ssh_key:
        words += ["-i", str(Path(ssh_key).absolute()), "-o", "IdentitiesOnly=yes"]
    if known_hosts:
        words += [
            "-o",
            f"UserKnownHostsFile={Path(known_hosts).absolute()}",
            "-o",
            "StrictHostKeyChecking=yes",
        ]
    words += [f"{found['user']}@{found['host'].strip('[]')}", "-s", "sftp"]
    return Target(
        text,
        # to restic one slash after the host begins in the login's own folder, two at the root
        f"sftp://{found['user']}@{found['host']}:{found['port'] or 22}//{found['folder'].lstrip('/')}",
        None,
        tuple(words),
    )
