"""Whether the disks of a lost computer can be read: BitLocker, or LUKS.

On Linux a volume is encrypted that lies on dm-crypt; lsblk tells so without root. Folders that are encrypted
one by one (fscrypt, eCryptfs) make a volume unknown; so do those that may be there, where /home is closed to
the agent and the machine has what opens them. `/boot` is left out: it is read before anything is unlocked.
"""

from collections.abc import Iterator
from typing import Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import CommandFailed, Missing, TimedOut
from schoolwatch_agent.formats import linux_blocks, windows_encryption
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading

_MOST: Final = 32
_LEFT_OUT: Final = ("/boot", "/efi", "/media", "/mnt", "/run", "/snap", "/var/lib/docker", "/var/lib/snapd")
"""These and what is below them: boot loaders' volumes, sticks, containers' mount points."""

_FSCRYPT: Final = ("/etc/fscrypt.conf",)
_ECRYPTFS: Final = ("/sbin/mount.ecryptfs_private", "/usr/sbin/mount.ecryptfs_private")
_FOLDERS: Final = (
    ("/.fscrypt", "/", _FSCRYPT),
    ("/home/.fscrypt", "/home", _FSCRYPT),
    ("/home/.ecryptfs", "/home", _ECRYPTFS),
)
"""Signs of folders that are encrypted one by one, the volume they speak of, and what opens such folders:
`fscrypt setup` writes its settings (fscrypt(8)), ecryptfs-utils has a helper that mounts a home at log-in
(mount.ecryptfs_private(1)). A machine without it has none."""

_ARE: Final = "single folders are encrypted"
_MAY_BE: Final = "single folders may be encrypted"


def parse(volumes: dict[str, bool], folders: dict[str, str]) -> Iterator[Reading | Fact]:
    """`folders`: why it is not known of a volume that lies open, when it is not. Homes may be part of `/`."""
    if "/home" in folders and "/home" not in volumes:
        folders = {"/": folders["/home"], **folders}
    for mount in sorted(mount for mount in volumes if not _is_left_out(mount))[:_MOST]:
        on = volumes[mount]
        name = "swap" if mount == "[SWAP]" else mount[:128]
        reason = "" if on else folders.get(mount, "")
        yield from _records(name, None if reason else on, reason)
    if "/" not in volumes:
        yield from _records("/", None, "not on a disk of its own")


def _is_left_out(mount: str) -> bool:
    return mount.startswith("/home/") or any(f"{mount}/".startswith(f"{left}/") for left in _LEFT_OUT)


def _records(volume: str, on: bool | None, reason: str) -> Iterator[Reading | Fact]:
    labels = {"volume": volume}
    yield Reading("encryption.enabled", None if on is None else float(on), labels)
    state = None if on is None else "encrypted" if on else "decrypted"
    yield Fact("encryption.state", state, labels, reason)
    yield Fact("encryption.volume_kind", "system" if volume == "/" else "data", labels)


def read(host: Host) -> Iterator[Reading | Fact]:
    """One script's part, or one program and a few looks."""
    if host.system == "windows":
        yield from windows_encryption.parse(asked.posture(host))
        return
    devices = _lsblk(host)
    found = linux_blocks.volumes(devices) | _hidden(host, linux_blocks.names(devices))
    if not found:
        raise NotHere  # a container: its disks are the host's
    yield from parse(found, _folders(host))


def _hidden(host: Host, names: dict[str, bool]) -> dict[str, bool]:
    """Volumes at whose mount points the agent's own service, and so lsblk, is shown something else."""
    try:
        mounted, hidden = asked.mounted(host)
    except (OSError, TimedOut):
        return {}
    on = {mount: mounted[mount].source.rpartition("/")[2] for mount in hidden}
    return {mount: names[name] for mount, name in on.items() if name in names}


def _folders(host: Host) -> dict[str, str]:
    found: dict[str, str] = {}
    for sign, volume, openers in _FOLDERS:
        try:
            seen = _ARE if host.exists(sign) else ""
        except PermissionError:
            seen = _MAY_BE if any(host.exists(opener) for opener in openers) else ""
        if seen and found.get(volume) != _ARE:
            found[volume] = seen
    return found


def _lsblk(host: Host) -> str:
    try:
        return host.run("lsblk", "-J", "-o", "NAME,TYPE,MOUNTPOINTS")
    except CommandFailed:
        return host.run("lsblk", "-J", "-o", "NAME,TYPE,MOUNTPOINT")  # before util-linux 2.37
    except Missing as error:
        raise NotHere from error
