"""Classrooms with a network, and with what projects as well: from the list of rooms and computers in them."""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, Parts


def equipped(counts: Counts, _: Numbers) -> Fraction:
    """The share of all classrooms that are shown to have both: at least so many do.

    Not covered is a room of which nobody said what projects in it, or whose network nothing shows.
    """
    rooms = counts.classrooms
    if not rooms.rooms:
        return Fraction(None, None, 0, None, "no_rooms")
    return Fraction(rooms.equipped, rooms.rooms, rooms.equipped_known, rooms.rooms)


def connected(counts: Counts, _: Numbers) -> Fraction:
    """The share of all classrooms of which a network is shown: at least so many have one.

    That a room has none shows itself nowhere, so the rooms without a sign are the ones that are not covered.
    """
    rooms = counts.classrooms
    if not rooms.rooms:
        return Fraction(None, None, 0, None, "no_rooms")
    return Fraction(rooms.connected, rooms.rooms, rooms.connected, rooms.rooms)


def parts(counts: Counts, _: Numbers) -> Parts:
    """How the network of rooms is shown: by a computer in it that reports, or by a person."""
    rooms = counts.classrooms
    by_hand = rooms.connected_by_hand
    return (
        ("by_computer", rooms.connected - by_hand),
        ("by_hand", by_hand),
        ("not_shown", rooms.rooms - rooms.connected),
    )


EQUIPPED = Indicator(
    "classrooms_equipped",
    "ratio",
    equipped,
    parts,
    code="I-01",
    group="assessment",
    basis="hybrid",
)
CONNECTED = Indicator(
    "classrooms_connected",
    "ratio",
    connected,
    parts,
    code="I-13",
    group="network",
    basis="hybrid",
)
