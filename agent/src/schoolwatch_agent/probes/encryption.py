"""Whether the disks of a lost computer can be read: BitLocker, or LUKS.

On Linux a volume is encrypted that lies on dm-crypt; lsblk tells so without root. Folders that are encrypted
one by one (fscrypt, eCryptfs) make a volume unknown. `/boot` is left out: it is read before anything is
unlocked.
"""

from collections.abc import Iterator
from typing import Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import CommandFailed, Missing
from schoolwatch_agent.formats import linux_blocks, windows_encryption
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere, Probe
from schoolwatch_contract.records import Fact, Reading

_MOST: Final = 32
_LEFT_OUT: Final = ("/boot", "/efi", "/media", "/mnt", "/run", "/snap", "/var/lib/docker", "/var/lib/snapd")
"""These and what is below them: boot loaders' volumes, sticks, containers' mount points."""

_FOLDERS: Final = {"/.fscrypt": "/", "/home/.fscrypt": "/home", "/home/.ecryptfs": "/home"}
"""Signs of folders that are encrypted one by one, and the volume they speak of (fscrypt(8), ecryptfs(7))."""


def parse(volumes: dict[str, bool], folders: frozenset[str]) -> Iterator[Reading | Fact]:
    """`folders` are the volumes on which single folders are encrypted. Homes may be part of `/`."""
    if "/home" in folders and "/home" not in volumes:
        folders |= {"/"}
    for mount in sorted(mount for mount in volumes if not _is_left_out(mount))[:_MOST]:
        on = volumes[mount]
        name = "swap" if mount == "[SWAP]" else mount[:128]
        partly = not on and mount in folders
        yield from _records(name, None if partly else on, "single folders are encrypted" if partly else "")
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
    found = linux_blocks.volumes(_lsblk(host))
    if not found:
        raise NotHere  # a container: its disks are the host's
    folders = frozenset(volume for sign, volume in _FOLDERS.items() if host.exists(sign))
    yield from parse(found, folders)


def _lsblk(host: Host) -> str:
    try:
        return host.run("lsblk", "-J", "-o", "NAME,TYPE,MOUNTPOINTS")
    except CommandFailed:
        return host.run("lsblk", "-J", "-o", "NAME,TYPE,MOUNTPOINT")  # before util-linux 2.37
    except Missing as error:
        raise NotHere from error


PROBE = Probe("encryption", every=asked.EVERY, read=read, group=asked.GROUP)
