"""Which mounted volumes lie on dm-crypt: `lsblk -J -o NAME,TYPE,MOUNTPOINTS` (util-linux, lsblk(8))."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import cim

_DEEPEST: Final = 16
"""Disk, partition, RAID, LUKS, LVM, cache: real stacks are no deeper than a few."""

_NO_DATA: Final = ("zram", "ram", "loop", "sr", "fd")
"""Memory, images and media that are carried in: nothing of this machine rests on them."""


def volumes(lsblk: str) -> dict[str, bool]:
    """Mount point → whether it lies on dm-crypt (LUKS, plain); swap is `[SWAP]`.

    A volume on several disks is encrypted when it is so on each. One that is mounted in several places, as by
    a service's sandbox, is told by the shortest. Before util-linux 2.37 there is one `mountpoint` instead of
    `mountpoints`.
    """
    seen: dict[str, bool] = {}
    for device in _devices(lsblk):
        if device.mount:
            seen[device.mount] = device.encrypted and seen.get(device.mount, True)
    return seen


def names(lsblk: str) -> dict[str, bool]:
    """The name of each device → likewise: of what is mounted where lsblk can't see it."""
    seen: dict[str, bool] = {}
    for device in _devices(lsblk):
        seen[device.name] = device.encrypted and seen.get(device.name, True)
    return seen


class _Device(msgspec.Struct, frozen=True):
    name: str
    mount: str
    encrypted: bool


def _devices(lsblk: str) -> Iterator[_Device]:
    devices = cim.document(lsblk).get("blockdevices")
    if not isinstance(devices, list):
        raise NotUnderstood("no blockdevices in lsblk's answer", lsblk)
    for device in cim.objects(devices):
        if not str(device.get("name")).startswith(_NO_DATA):
            yield from _below(device, encrypted=False, depth=0)


def _below(device: dict[str, Any], *, encrypted: bool, depth: int) -> Iterator[_Device]:
    encrypted = encrypted or device.get("type") == "crypt"
    places = device.get("mountpoints", device.get("mountpoint"))
    found = [place for place in (places if isinstance(places, list) else [places]) if isinstance(place, str)]
    yield _Device(str(device.get("name")), min(filter(None, found), key=len, default=""), encrypted)
    if depth < _DEEPEST:
        for child in cim.objects(device.get("children")):
            yield from _below(child, encrypted=encrypted, depth=depth + 1)
