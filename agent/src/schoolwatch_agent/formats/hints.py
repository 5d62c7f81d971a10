"""What tells one machine from another, as keyed digests: the numbers themselves stay here.

SMBIOS says little by itself: one UUID was found at 689 schools (UNICEF Giga Meter, BLOCKED_HARDWARE_IDS),
so several hints are kept, and those that makers left empty or gave to whole series are none.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

Kind = Literal["system", "board", "disk", "mac", "name"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""SMBIOS system UUID, baseboard serial, disk serials, MACs of physical adapters, the machine's name."""

DIGITS: Final = 32
"""Hex digits of a digest: 128 bits."""

MOST: Final = 8
"""Digests of one kind that are told: a machine with more disks is still recognised by these."""

_BLOCKED: Final = frozenset(
    {
        "03000200040005000006000700080009",  # AMI's sample, on boards of many makers
        "03020100050004000006000700080009",  # the same with the other byte order
        "12345678123456789012345678901234",
        "1234567890",
        "123456789",
    }
)
_EMPTY: Final = re.compile(
    r"(?i)to ?be ?filled.*|default ?string|.*serial ?number.*|o\.?e\.?m\.?|"
    r"not (?:specified|applicable|available)|none|unknown|invalid|undefined|n/?a|no[ _]?uuid[ _]?available|"
    r"0123456789(?:abcdef)?|(.)\1*|(..)\2*|\W*"
)
"""A text of a maker who filled in nothing; also one letter or one pair of letters over and over."""

_DISK: Final = re.compile(r"(ata|nvme|scsi|mmc|sata)-(?!.*-part\d+$)(.+)")
"""Names in /dev/disk/by-id of built-in disks; `usb-` can be carried away, `wwn-` and `dm-` repeat others."""


def normal(value: str) -> str | None:
    """One spelling of a number, None when it says nothing: `00-1A-2B…` and `00:1a:2b…` are the same."""
    text = " ".join(value.split()).lower()
    plain = re.sub(r"[\s:{}-]", "", text)
    if not plain or plain in _BLOCKED or _EMPTY.fullmatch(text) or _EMPTY.fullmatch(plain):
        return None
    return plain


def digests(key: bytes, found: Mapping[Kind, Iterable[str]]) -> dict[Kind, tuple[str, ...]]:
    """For each kind the sorted digests of what says something, possibly none of them."""
    return {
        kind: tuple(sorted({pseudonym(key, kind, text) for value in values if (text := normal(value))}))[
            :MOST
        ]
        for kind, values in found.items()
    }


def disk_names(by_id: Iterable[str]) -> tuple[str, ...]:
    """The built-in disks among the names of /dev/disk/by-id: bus, model and serial in one text."""
    return tuple(sorted(match[2] for name in by_id if (match := _DISK.fullmatch(name))))


def station(key: bytes, mac: str) -> str:
    """The pseudonym of a MAC (`00:1a:2b:…`); a computer with an agent has the same as its hint `mac`."""
    return pseudonym(key, "mac", mac.replace(":", ""))


def pseudonym(key: bytes, kind: str, text: str) -> str:
    """32 hex digits that stand for a text in this school alone."""
    return hmac.digest(key, f"{kind}\0{text}".encode(), hashlib.sha256).hex()[:DIGITS]
