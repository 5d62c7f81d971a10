"""Size and free space of local file systems that can be written; network and pseudo ones are left out."""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.errors import TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere, Probe
from schoolwatch_contract.records import Reading

_LOCAL: Final = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs", "zfs", "bcachefs"}
    | {"vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "overlay"}
)
_MOST: Final = 32
_PERSONAL: Final = ("/media/", "/run/media/", "/home/", "/mnt/", "/var/lib/docker/", "/snap/")
"""Below these, mount points are named by people or by containers."""


def parse(mounts: str) -> tuple[str, ...]:
    """Mount points worth asking, from /proc/self/mountinfo (proc(5)).

    `27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard`: what counts is whether the file system
    can be written, after the dash; in the agent's own sandbox every mount is read-only. Of one file system
    the shortest path is taken; spaces are written \\040. Read-only ones never fill up.
    """
    mounted: dict[str, tuple[str, str, str]] = {}
    for line in mounts.splitlines():
        where, _, what = line.partition(" - ")
        if len(where.split(" ")) > 4 and len(what.split(" ")) == 3:
            kind, device, options = what.split(" ")
            mounted[where.split(" ")[4]] = (kind, device, options)  # the last one covers those before
    by_device: dict[str, str] = {}
    for path, (kind, device, options) in mounted.items():
        if kind not in _LOCAL or "rw" not in options.split(",") or (kind == "overlay" and path != "/"):
            continue
        mount = path.replace("\\040", " ")
        known = by_device.get(device)
        if not mount.startswith(_PERSONAL) and (known is None or len(mount) < len(known)):
            by_device[device] = mount
    return tuple(sorted(by_device.values()))[:_MOST]


def parse_windows(partitions: Any) -> tuple[str, ...]:
    """Fixed drives out of psutil's disk_partitions: no CD, no stick, no network drive."""
    return tuple(
        drive["mountpoint"]
        for drive in partitions
        if "fixed" in drive["opts"].split(",") and "rw" in drive["opts"].split(",") and drive["fstype"]
    )[:_MOST]


def read(host: Host) -> Iterator[Reading]:
    """Asks each file system; one that hangs is unknown and does not stop the others."""
    if host.system == "windows":
        mounts = parse_windows(host.counters("disk_partitions"))
    else:
        mounts = parse(host.text("/proc/self/mountinfo"))
    if not mounts:
        raise NotHere
    for mount in mounts:
        labels = {"mount": mount[:128]}
        try:
            size, free = host.space(mount)
        except (OSError, TimedOut):
            yield Reading("disk.size", None, labels)
            yield Reading("disk.free", None, labels)
            continue
        yield Reading("disk.size", float(size), labels)
        yield Reading("disk.free", float(free), labels)


PROBE = Probe("disk", every=0, read=read)
