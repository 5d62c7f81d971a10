"""The program restic, as we use it: its commands, and its errors in our words."""

import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from schoolwatch_server import child
from schoolwatch_server.backup.errors import BackupError, Trouble
from schoolwatch_server.backup.target import Target

TAG = "schoolwatch"


class Snapshot(msgspec.Struct, frozen=True):
    """One copy in the repository, when it was begun and on which machine; `id` is 64 hex digits."""

    id: str
    short_id: str
    time: datetime
    hostname: str


class Listing(msgspec.Struct, frozen=True):
    """The copies, the oldest first, and what restic said of those that it could not read."""

    copies: tuple[Snapshot, ...]
    unreadable: str


class Added(msgspec.Struct, frozen=True):
    """What one backup stored: bytes that were new, and bytes of everything that it holds."""

    snapshot_id: str
    data_added: int
    total_bytes_processed: int


_DAMAGED = (
    r"ciphertext verification failed|invalid data|unexpected EOF|does not match|does not exist|"
    r"no such file or directory|not found in (the )?(index|repository)|repository contains errors|"
    r"unable to load|ReadFull|could not load snapshot"
)

# What restic 0.14 to 0.18 and OpenSSH 9 say; restic's exit codes tell them apart only from 0.17 on.
_SAID: Final[tuple[tuple[str, Trouble], ...]] = (
    (r"wrong password or no key found", "passphrase_wrong"),
    (r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED", "host_key"),
    (r"Permission denied \([a-z,-]+\)", "login"),
    (r"no space left on device|disk quota exceeded", "disk_full"),
    (
        r"ssh: |subprocess ssh|unable to start the sftp|connection lost|Connection closed",
        "unreachable",
    ),
    (r"^panic: ", "crashed"),
    (r"repository is already locked", "locked"),
    (r"Is there a repository at|repository does not exist|unable to open config file", "no_repository"),
    (r"permission denied|read-only file system|operation not permitted", "unwritable"),
    (_DAMAGED, "damaged"),
)


@dataclass(frozen=True, slots=True)
class Restic:
    """A repository with what opens it."""

    program: Path
    target: Target
    passphrase: Path
    cache: Path | None = None

    def init(self) -> None:
        """Makes an empty repository."""
        self._run("init")

    def snapshots(self) -> Listing:
        """Every copy of a server. One that can't be read is no error to restic: it says so and goes on."""
        out, said = self._ask("snapshots", "--json", "--tag", TAG)
        found = msgspec.json.decode(out, type=tuple[Snapshot, ...])
        return Listing(tuple(sorted(found, key=lambda one: one.time)), said)

    def backup(self, folder: Path, host: str) -> Added:
        """Stores everything in a folder as one copy."""
        words = ("--json", "--tag", TAG, "--host", host, ".")
        # its progress is many lines; the last one is the summary
        last = self._run("backup", *words, folder=folder).splitlines()[-1:]
        return msgspec.json.decode(last[0] if last else b"{}", type=Added)

    def forget(self, host: str, daily: int, weekly: int, monthly: int) -> None:
        """Lets go of the copies that have had their time, and of what only they held.

        All of two days are kept: a copy made because something was ended replaces none from before it.
        """
        keep = (
            "--keep-within",
            "2d",
            "--keep-daily",
            str(daily),
            "--keep-weekly",
            str(weekly),
            "--keep-monthly",
            str(monthly),
        )
        self._run("forget", "--tag", TAG, "--host", host, "--group-by", "host,tags", *keep, "--prune", "-q")

    def dump(self, snapshot: str, name: str) -> bytes:
        """One file of a copy."""
        return self._run("dump", snapshot, f"/{name}")

    def restore(self, snapshot: str, folder: Path) -> None:
        """Writes a copy into a folder."""
        self._run("restore", snapshot, "--target", str(folder), "-q")

    def check(self, *, read_data: bool) -> None:
        """Sees that the repository is whole; `read_data` reads every byte of it."""
        self._run("check", *(("--read-data",) if read_data else ()))

    def unlock(self) -> None:
        """Removes the locks of processes that are gone, and no others."""
        self._run("unlock", "-q")

    def _run(self, *words: str, folder: Path | None = None) -> bytes:
        return self._ask(*words, folder=folder)[0]

    def _ask(self, *words: str, folder: Path | None = None) -> tuple[bytes, str]:
        cache = ("--cache-dir", str(self.cache)) if self.cache else ("--no-cache",)
        command = (str(self.program), "-r", self.target.repository, *self.target.options, *cache, *words)
        environment = {"RESTIC_PASSWORD_FILE": str(self.passphrase), "LC_ALL": "C"}
        try:
            code, out, said = child.run_long(command, environment=environment, folder=folder)
        except OSError as error:
            raise BackupError("no_program", program=self.program, package="restic") from error
        if code != 0:
            raise self._meaning(said)
        return out, said

    def _meaning(self, said: str) -> BackupError:
        """What it comes to; restic may be gone before it passed on what ssh had to say, so ssh is asked."""
        error = meaning(self.target, said)
        if error.trouble != "unreachable" or not self.target.ssh:
            return error
        ssh = shutil.which(self.target.ssh[0])
        if ssh is None:
            return BackupError("no_program", program="ssh", package="openssh-client")
        code, _, said = child.run_long((ssh, *self.target.ssh[1:]), environment={"LC_ALL": "C"})
        found = meaning(self.target, said)
        return error if code == 0 or found.trouble == "other" else found


def find(named: str) -> Path:
    """The program. Raises `BackupError` when it isn't there."""
    found = shutil.which(named or "restic")
    if found is None:
        raise BackupError("no_program", program=named or "restic", package="restic")
    return Path(found)


def meaning(target: Target, said: str) -> BackupError:
    """What restic's errors come to."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for pattern, trouble in _SAID:
        hit = next((line for line in lines if re.search(pattern, line, re.IGNORECASE)), None)
        if hit is not None:
            return BackupError(trouble, target=target.name, detail=hit)
    return BackupError("other", target=target.name, detail=lines[-1] if lines else "restic said nothing")
