"""What is mounted where: /proc/PID/mountinfo (proc(5)).

`27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard`: number of the file system, the part of it
that stands here, where; after the dash its kind, what it is on, and its own options. In the agent's sandbox
every mount is read-only; whether the file system can be written is said after the dash. Spaces are \\040.
"""

import re

import msgspec


class Mount(msgspec.Struct, frozen=True):
    """One mounted file system: `number` is MAJ:MIN, `part` the path in it that stands at the mount point."""

    number: str
    part: str
    kind: str
    source: str
    writable: bool


def parse(mountinfo: str) -> dict[str, Mount]:
    """By mount point; the last one covers those before."""
    found: dict[str, Mount] = {}
    for line in mountinfo.splitlines():
        where, _, what = line.partition(" - ")
        fields, told = where.split(" "), what.split(" ")
        if len(fields) > 4 and len(told) == 3:
            kind, source, options = told
            writable = "rw" in options.split(",")
            found[_plain(fields[4])] = Mount(fields[2], _plain(fields[3]), kind, _plain(source), writable)
    return found


def hidden(machine: dict[str, Mount], own: dict[str, Mount]) -> frozenset[str]:
    """Mount points of the machine at which a process with mounts of its `own` sees something else."""
    return frozenset(
        place for place, mount in machine.items() if place not in own or own[place].number != mount.number
    )


def _plain(field: str) -> str:
    if "\\" not in field:
        return field
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)
