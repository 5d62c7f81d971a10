"""Ways in over the network that a school rarely needs: remote desktop and SMB 1, or sshd's logins.

sshd's configuration is read as sshd reads it: the first value of a keyword counts, files are included where
they are named. What a Match block changes is unknown, and so is all of it when a file may not be read.
"""

from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import NotUnderstood, TimedOut
from schoolwatch_agent.formats import linux_ssh, windows_remote_access
from schoolwatch_agent.formats.linux_ssh import Access, Line
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading

_PROGRAMS: Final = ("/usr/sbin/sshd", "/usr/local/sbin/sshd")
_FOLDER: Final = "/etc/ssh"
_DEEPEST: Final = 16
"""Includes inside includes that sshd follows (SERVCONF_MAX_DEPTH of servconf.c)."""

_MOST_FILES: Final = 200


def parse(access: Access) -> Iterator[Reading | Fact]:
    """What the configuration allows; what a Match block changes is not the same for everybody."""
    root = None if access.root is None else access.root != "no"
    yield from _records("ssh_root_login", root, "not the same for everybody")
    yield from _records("ssh_password", access.password, "not the same for everybody")
    if access.root is not None:
        yield Fact("remote_access.ssh_root_setting", access.root)


def _records(name: str, state: bool | None, reason: str) -> Iterator[Reading | Fact]:
    yield Reading(f"remote_access.{name}", None if state is None else float(state))
    said = None if state is None else "on" if state else "off"
    yield Fact("remote_access.state", said, {"setting": name, "source": "sshd"}, "" if said else reason)


def read(host: Host) -> Iterator[Reading | Fact]:
    """Registry values and one script's parts, or sshd's files and the kernel's two lists of TCP sockets."""
    if host.system == "windows":
        machine = asked.values(host, windows_remote_access.MACHINE)
        yield from windows_remote_access.parse(machine, asked.posture(host))
        return
    if not any(host.exists(program) for program in _PROGRAMS):
        raise NotHere
    try:
        access = linux_ssh.access(_lines(host, f"{_FOLDER}/sshd_config", _Budget()))
    except PermissionError:
        # not even the port is known: that nothing listens on the usual one says nothing
        yield from _records("ssh_listening", _listens(host, (22,)) or None, "not permitted")
        for name in ("ssh_root_login", "ssh_password"):
            yield from _records(name, None, "not permitted")
        return
    yield from _records("ssh_listening", _listens(host, access.ports), "not reported")
    yield from parse(access)


class _Budget:
    """How many files may still be read: a folder that includes itself must end."""

    def __init__(self) -> None:
        self.files = _MOST_FILES

    def spend(self, depth: int) -> None:
        self.files -= 1
        if self.files < 0 or depth > _DEEPEST:
            raise NotUnderstood("includes without end in sshd_config", depth)


def _lines(host: Host, path: str, budget: _Budget, depth: int = 0) -> Iterator[Line]:
    """The settings of a file and, in their places, of those it includes."""
    budget.spend(depth)
    for line in linux_ssh.lines(host.text(path)):
        if line.keyword != "include":
            yield line
            continue
        for included in _included(host, line.arguments):
            for inner in _lines(host, included, budget, depth + 1):
                # a Match of the included file ends with it, one around the Include holds for all of it
                yield Line(inner.keyword, inner.arguments, inner.is_conditional or line.is_conditional)


def _included(host: Host, patterns: tuple[str, ...]) -> Iterator[str]:
    """Files that glob(7) patterns name, each pattern's in order; wildcards are followed in the last part."""
    for pattern in patterns:
        path = pattern if pattern.startswith("/") else f"{_FOLDER}/{pattern}"
        folder, _, name = path.rpartition("/")
        try:
            names = host.names(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        yield from (f"{folder}/{one}" for one in names if fnmatchcase(one, name) and not one.startswith("."))


def _listens(host: Host, ports: tuple[int, ...]) -> bool | None:
    try:
        found = linux_ssh.listening(host.text("/proc/net/tcp"))
        with suppress(FileNotFoundError):  # a kernel without IPv6
            found |= linux_ssh.listening(host.text("/proc/net/tcp6"))
    except (OSError, TimedOut):
        return None
    return bool(found & set(ports))
