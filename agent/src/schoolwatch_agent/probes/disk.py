"""Size and free space of local file systems that can be written; network and pseudo ones are left out.

Which there are, the machine's first process knows: one that the agent's own service is not shown (/home) is
unknown, not absent.
"""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import Hidden, TimedOut, why
from schoolwatch_agent.formats.mounts import Mount
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading

_LOCAL: Final = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs", "zfs", "bcachefs"}
    | {"vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "overlay"}
)
_MOST: Final = 32
_PERSONAL: Final = ("/media/", "/run/media/", "/home/", "/mnt/", "/var/lib/docker/", "/snap/")
"""Below these, mount points are named by people or by containers."""


def parse(mounted: dict[str, Mount], hidden: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Mount points worth asking: one of each local file system that can be written.

    It is the shortest path that is not `hidden`, if there is one. Read-only ones never fill up.
    """
    by_source: dict[str, str] = {}
    for mount, on in mounted.items():
        if on.kind not in _LOCAL or not on.writable or (on.kind == "overlay" and mount != "/"):
            continue
        if not mount.startswith(_PERSONAL):
            known = by_source.get(on.source, mount)
            by_source[on.source] = min(known, mount, key=lambda place: (place in hidden, len(place)))
    return tuple(sorted(by_source.values()))[:_MOST]


def parse_windows(partitions: Any) -> tuple[str, ...]:
    """Fixed drives out of psutil's disk_partitions: no CD, no stick, no network drive."""
    return tuple(
        drive["mountpoint"]
        for drive in partitions
        if "fixed" in drive["opts"].split(",") and "rw" in drive["opts"].split(",") and drive["fstype"]
    )[:_MOST]


def read(host: Host) -> Iterator[Reading | Fact]:
    """Asks each file system; one that hangs or is hidden is unknown and does not stop the others."""
    hidden: frozenset[str] = frozenset()
    if host.system == "windows":
        mounts = parse_windows(host.counters("disk_partitions"))
    else:
        mounted, hidden = asked.mounted(host)
        mounts = parse(mounted, hidden)
    if not mounts:
        raise NotHere
    for mount in mounts:
        size, free, reason = _space(host, mount) if mount not in hidden else (None, None, Hidden.WHY)
        labels = {"mount": mount[:128]}
        yield Reading("disk.size", size, labels)
        yield Reading("disk.free", free, labels)
        if reason:
            yield Fact("disk.state", None, labels, reason)


def _space(host: Host, mount: str) -> tuple[float | None, float | None, str]:
    try:
        size, free = host.space(mount)
    except OSError as error:
        return None, None, why(error)
    except TimedOut:
        return None, None, "timeout"
    return float(size), float(free), ""
