"""What is known of one school apart from sums over its devices: lists, contracts, measured line. Pure.

Empty is "no list was taken in", which is no statement about the school.
"""

from dataclasses import dataclass

import msgspec


class Pair(msgspec.Struct, frozen=True, gc=False):
    """Devices of which something is known, and of those the ones of which it is so."""

    yes: int = 0
    known: int = 0


class Lab(msgspec.Struct, frozen=True, gc=False):
    """A room of role `student_lab`, with its computers for pupils: the teacher's is not among them.

    `known`: heard lately, or said to be broken. `by_hand`: working ones that can't run the agent, by a check
    that still holds; None without one. `declared` is what the school says is in the room.
    """

    room_id: int
    working: int
    known: int
    declared: int | None = None
    by_hand: int | None = None


class SchoolClass(msgspec.Struct, frozen=True, gc=False):
    """A class of the school year in force. `taught`: the largest group that has a lesson at once.

    `room_id` is the lab that it uses; None where nobody said.
    """

    name: str
    stage: str
    students: int
    taught: int
    grade: int | None = None
    room_id: int | None = None


@dataclass(frozen=True, slots=True)
class Classrooms:
    """Rooms in use in which is taught. `connected`: by a computer in it, or by hand.

    `equipped`: projects, and is connected. `equipped_known`: both are known, or one is known to be missing.
    """

    rooms: int = 0
    connected: int = 0
    connected_by_hand: int = 0
    equipped: int = 0
    equipped_known: int = 0


@dataclass(frozen=True, slots=True)
class Contract:
    """A line as its contract says it; Mbit/s. Empty and None is unknown."""

    provider: str
    technology: str
    download: float | None = None
    upload: float | None = None
    subscriber: str = ""


@dataclass(frozen=True, slots=True)
class LineTests:
    """Medians of the speed tests of the window in bit/s, and how many there were; held-back ones are none."""

    tests: int = 0
    download: float | None = None
    upload: float | None = None


@dataclass(frozen=True, slots=True)
class Assets:
    """Records of the register, those with every field filled, and devices that no record is about."""

    records: int = 0
    complete: int = 0
    devices_without: int = 0


@dataclass(frozen=True, slots=True)
class LabUse:
    """The newest week summed of each lab: seconds that computers were on, on so many of their days.

    `labs` are all labs with a week; `told` those of which a number may be shown.
    """

    labs: int = 0
    told: int = 0
    seconds_on: float = 0.0
    device_days: int = 0


class Site(msgspec.Struct, frozen=True, gc=False):
    """A school's website at the newest look of the server's own probe; None: not known, which is never bad.

    `is_trusted`: browsers take its certificate. `has_https_over_ipv6`: the page comes by HTTPS over IPv6.
    Instants are UTC seconds.
    """

    is_up: bool | None
    is_trusted: bool | None
    has_ipv6: bool | None
    has_https_over_ipv6: bool | None
    expires_at: float | None
    looked_at: float


class Said(msgspec.Struct, frozen=True, gc=False):
    """What the school declared of a quantity or a question; `at` is UTC seconds.

    `state` is a claim's own, or `declared` of a number that nobody looked through. What can be added up over
    schools has `numerator` and `denominator`.
    """

    value: float | None
    state: str
    at: float
    numerator: float | None = None
    denominator: float | None = None


NO_PAIR = Pair()
NO_CLASSROOMS = Classrooms()
NO_TESTS = LineTests()
NO_ASSETS = Assets()
NO_USE = LabUse()
"""Of a school of which nothing was taken in."""
