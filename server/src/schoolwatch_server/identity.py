"""What a device's hints tell: the same machine, one with a new disk or name, or another machine's copy.

Hints are keyed digests (probe `identity`): equal ones come from equal numbers, and say nothing else.
One number alone proves nothing, because makers gave the same to whole series: it takes two.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

HINT = "identity.hint"
HARDWARE = ("system", "board", "disk", "mac")
ENOUGH = 2
"""Kinds of hardware that must agree before two reports come from one machine."""

Hints = Mapping[str, frozenset[str]]
"""Kind to digests; a kind that is not known is missing or empty."""

Change = Literal[
    "renamed", "disk_replaced", "adapter_replaced", "board_replaced", "disk_moved", "other_machine"
]


def parse(values: Iterable[tuple[str, str | None]]) -> dict[str, frozenset[str]]:
    """Hints out of (kind, digests joined by blanks)."""
    return {kind: frozenset(value.split()) for kind, value in values if value}


def agreeing(one: Hints, other: Hints) -> frozenset[str]:
    """Kinds of hardware of which both have a digest in common."""
    return frozenset(kind for kind in HARDWARE if _known(one, other, kind) and one[kind] & other[kind])


def is_same_machine(one: Hints, other: Hints) -> bool:
    """Two kinds agree at least."""
    return len(agreeing(one, other)) >= ENOUGH


def changes(before: Hints, now: Hints) -> tuple[Change, ...]:
    """What happened to the machine between two reports; nothing can be said of kinds that one lacks."""
    agree = agreeing(before, now)
    differ = {kind for kind in HARDWARE if _known(before, now, kind)} - agree
    if not agree and len(differ) >= ENOUGH:
        return ("other_machine",)
    found: list[Change] = []
    if agree == {"disk"} and {"system", "board"} & differ:
        found.append("disk_moved")
    elif {"system", "board"} & differ:
        found.append("board_replaced")
    if "disk" in differ:
        found.append("disk_replaced")
    if "mac" in differ and "disk_moved" not in found:
        found.append("adapter_replaced")
    if _known(before, now, "name") and before["name"] != now["name"]:
        found.append("renamed")
    return tuple(found)


def find(hints: Hints, known: Mapping[int, Hints]) -> int | None:
    """The one device among `known` that agrees best and enough; None when none does, or two do alike."""
    scores = {device: len(agreeing(hints, other)) for device, other in known.items()}
    best = max(scores.values(), default=0)
    if best < ENOUGH:
        return None
    found = [device for device, score in scores.items() if score == best]
    return found[0] if len(found) == 1 else None


def _known(one: Hints, other: Hints, kind: str) -> bool:
    return bool(one.get(kind)) and bool(other.get(kind))
