"""What a rule judges and an incident is about: a computer, a room, a place, the server itself."""

from typing import Literal, get_args

import msgspec

Kind = Literal["device", "room", "school", "commune", "province", "server"]

KINDS: tuple[Kind, ...] = get_args(Kind)

PART_MAX = 32
"""Characters of a part's name: a subject is a key of 60 characters in the database."""


class Subject(msgspec.Struct, frozen=True):
    """One of them by its internal id (0: the server), and which part of it where it has several.

    `part` tells apart what belongs to the same place: a commune's provider, what a sighting is about. Raises
    `ValueError` for a part that is too long.
    """

    kind: Kind
    id: int
    part: str = ""

    def __post_init__(self) -> None:
        """Refuses what would not fit into its column."""
        if len(self.part) > PART_MAX:
            raise ValueError(f"part: at most {PART_MAX} characters, these are {len(self.part)}")

    def __str__(self) -> str:
        """`12` for device 12, `school:12`, `commune:3:viettel`."""
        kind = "" if self.kind == "device" else f"{self.kind}:"
        return f"{kind}{self.id}:{self.part}" if self.part else f"{kind}{self.id}"


def device(device_id: int) -> Subject:
    """A computer or a gateway."""
    return Subject("device", device_id)


def parse(text: str) -> Subject:
    """What `str` gave. Raises `ValueError` for anything else."""
    first, _, rest = text.partition(":")
    for kind in KINDS:
        if kind == first:
            number, _, part = rest.partition(":")
            return Subject(kind, int(number), part)
    return Subject("device", int(first), rest)
