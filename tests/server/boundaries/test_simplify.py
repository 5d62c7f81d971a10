"""Boundaries on a grid: what neighbours share stays shared, and nothing that has an area is lost."""

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from schoolwatch_server.boundaries.geojson import Point, Ring
from schoolwatch_server.boundaries.simplify import GRID, Drawn, drawn

WEST, SOUTH = 106_000_000, 20_000_000


def rings(path: str) -> list[Ring]:
    """The points of a path again."""
    assert re.fullmatch(r"(M\d+ \d+l(-?\d+ -?\d+ ?)+z)+", path), path
    found = []
    for part in path.split("M")[1:]:
        head, _, steps = part.removesuffix("z").partition("l")
        x, y = map(int, head.split())
        ring = [(x, y)]
        moves = list(map(int, steps.split()))
        for dx, dy in zip(moves[::2], moves[1::2], strict=True):
            x, y = x + dx, y + dy
            ring.append((x, y))
        found.append(tuple(ring))
    return found


def area(ring: Ring) -> float:
    return abs(sum(x * v - u * y for (x, y), (u, v) in pairwise((*ring, ring[0])))) / 2


def edges(ring: Ring) -> set[frozenset[Point]]:
    return {frozenset(pair) for pair in pairwise((*ring, ring[0]))}


def two_beside_each_other(middle: list[Point]) -> Drawn:
    """A west and an east one, 0.2° high; between them a border through these points."""
    south, north = (WEST + 100_000, SOUTH), (WEST + 100_000, SOUTH + 200_000)
    west = ((WEST, SOUTH), south, *middle, north, (WEST, SOUTH + 200_000))
    east = (north, *reversed(middle), south, (WEST + 200_000, SOUTH), (WEST + 200_000, SOUTH + 200_000))
    return drawn({1: [(west,)], 2: [(east,)]})


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-60_000, 60_000), max_size=40))
def test_a_border_is_the_same_on_both_sides(offsets: list[int]) -> None:
    step = 200_000 // (len(offsets) + 1)
    middle = [(WEST + 100_000 + off, SOUTH + step * (at + 1)) for at, off in enumerate(offsets)]
    found = two_beside_each_other(middle)
    (west,), (east,) = rings(found.paths[1]), rings(found.paths[2])
    whole = area(west) + area(east)
    assert abs(whole - (found.width - 1) * (found.height - 1)) <= found.width + found.height, "no gap"
    outer = {frozenset(pair) for pair in edges(west) ^ edges(east)}
    assert len(outer) <= 6, "all else is in both"


def test_a_straight_line_loses_its_points_and_a_bay_keeps_its_shape() -> None:
    straight = [(WEST + 100_000, SOUTH + at * 1000) for at in range(1, 200)]
    (west,) = rings(two_beside_each_other(straight).paths[1])
    assert len(west) == 4
    bay = [(WEST + 160_000, SOUTH + 100_000)]
    (west,) = rings(two_beside_each_other(bay).paths[1])
    assert len(west) == 5


def test_an_island_a_hole_and_what_fills_it_stay_and_a_speck_is_named() -> None:
    def square(x: int, y: int, side: int) -> Ring:
        return ((x, y), (x + side, y), (x + side, y + side), (x, y + side))

    hole = square(WEST + 100_000, SOUTH + 100_000, 50_000)
    found = drawn(
        {
            1: [(square(WEST, SOUTH, 300_000), hole)],
            2: [(tuple(reversed(hole)),)],
            3: [(square(WEST + 400_000, SOUTH, 20_000),)],
            4: [(square(WEST + 350_000, SOUTH, 10),)],
        }
    )
    outer, inner = rings(found.paths[1])
    (filled,) = rings(found.paths[2])
    assert edges(inner) == edges(filled)
    assert area(outer) > 30 * area(inner)
    assert found.too_small == (4,)
    assert max(found.width, found.height) == GRID + 1
    assert all(0 <= x < found.width and 0 <= y < found.height for path in found.paths.values()
               for ring in rings(path) for x, y in ring)  # fmt: skip


def test_north_is_up_and_a_degree_of_longitude_is_shorter() -> None:
    found = drawn({1: [(((WEST, SOUTH), (WEST + 100_000, SOUTH), (WEST, SOUTH + 100_000)),)]})
    assert found.height == GRID + 1
    assert 930 < found.width < 945, "cos 20°"
    assert min(rings(found.paths[1])[0], key=lambda point: point[1]) == (0, 0)
