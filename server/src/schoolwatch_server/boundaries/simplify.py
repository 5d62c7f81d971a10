"""Boundaries as a page draws them: on a grid, with fewer points, and no gap between neighbours.

A border of two communes is cut out once and simplified once (Douglas and Peucker, 1973), so both have the
same. Corners where three meet, or where a border meets the sea, stay. The library that does this (`shapely`
2.1, `coverage_simplify`) brings numpy: 60 MB on the disk for one page that is handed in once a year.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from schoolwatch_server.boundaries.geojson import Point, Polygon, Ring

GRID = 1000
"""Units of the longer side of a map: more than a page has pixels for it."""

TOLERANCE = 0.7
"""Units that a simplified border may lie beside the real one: less than a pixel of a page."""

POINTS_MAX = 30_000
"""Of one map, about 150 KB of a page; where more are left the tolerance is doubled, up to `COARSEST`."""

COARSEST = 8 * TOLERANCE


@dataclass(frozen=True, slots=True)
class Drawn:
    """A map `width` by `height` units, and the paths (SVG 2, `d`) of communes by their ids.

    `too_small` are communes of which nothing is left on the grid.
    """

    width: int
    height: int
    paths: Mapping[int, str]
    too_small: tuple[int, ...]


def drawn(shapes: Mapping[int, Sequence[Polygon]]) -> Drawn:
    """Draws communes beside each other."""
    rings = {id_: [ring for part in those for ring in part] for id_, those in shapes.items()}
    grid = _Grid.around(point for those in rings.values() for ring in those for point in ring)
    corners = _corners(ring for those in rings.values() for ring in those)
    tolerance = _first(sum(len(grid.ring(ring)) for those in rings.values() for ring in those))
    while True:
        borders = _Borders(grid, corners, tolerance)
        simpler = {id_: [borders.simpler(ring) for ring in those] for id_, those in rings.items()}
        points = sum(len(ring) for those in simpler.values() for ring in those)
        if points <= POINTS_MAX or tolerance >= COARSEST:
            break
        tolerance *= 2
    paths = {id_: "".join(_path(ring) for ring in those if ring) for id_, those in simpler.items()}
    return Drawn(
        grid.width,
        grid.height,
        {id_: path for id_, path in paths.items() if path},
        tuple(id_ for id_, path in paths.items() if not path),
    )


def _first(points: int) -> float:
    """The tolerance to begin with: of a real border a point in four is left, of a noisy one nearly all."""
    tolerance = TOLERANCE
    while points > 4 * POINTS_MAX and tolerance < COARSEST:
        points, tolerance = points // 2, tolerance * 2
    return tolerance


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where a point of the earth stands on the map; north is up, both ways have the same scale."""

    west: int
    north: int
    narrow: float
    scale: float
    width: int
    height: int

    @classmethod
    def around(cls, points: Iterable[Point]) -> "_Grid":
        xs, ys = zip(*points, strict=True)
        west, east, south, north = min(xs), max(xs), min(ys), max(ys)
        narrow = math.cos(math.radians((south + north) / 2e6))  # degrees of longitude are shorter here
        wide, high = (east - west) * narrow, north - south
        scale = GRID / max(wide, high, 1)
        return cls(west, north, narrow, scale, math.ceil(wide * scale) + 1, math.ceil(high * scale) + 1)

    def placed(self, point: Point) -> Point:
        """The nearest point of the grid."""
        x, y = point
        return round((x - self.west) * self.narrow * self.scale), round((self.north - y) * self.scale)

    def ring(self, points: Sequence[Point]) -> list[Point]:
        """Points of the grid, none of them following itself."""
        placed = [self.placed(point) for point in points]
        return [point for at, point in enumerate(placed) if at == 0 or point != placed[at - 1]]


def _area(ring: Sequence[Point]) -> int:
    """Twice the area."""
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(ring, (*ring[1:], ring[0]), strict=True)))


def _corners(rings: Iterable[Ring]) -> frozenset[Point]:
    """Points at which more than two lines meet."""
    beside: defaultdict[Point, set[Point]] = defaultdict(set)
    for ring in rings:
        for one, other in zip(ring, (*ring[1:], ring[0]), strict=True):
            beside[one].add(other)
            beside[other].add(one)
    return frozenset(point for point, those in beside.items() if len(those) > 2)


class _Borders:
    """Borders between corners, each simplified once for both of its neighbours."""

    def __init__(self, grid: _Grid, corners: frozenset[Point], tolerance: float) -> None:
        self._grid, self._corners, self._tolerance = grid, corners, tolerance
        self._known: dict[Ring, Ring] = {}

    def simpler(self, ring: Ring) -> Ring:
        """The ring on the grid, from simplified borders or as it is; empty when no area is left."""
        cuts = [at for at, point in enumerate(ring) if point in self._corners]
        if (
            len(cuts) < 2
        ):  # an island, or one that touches others in a point: each neighbour cuts it there too
            first = cuts[0] if cuts else ring.index(min(ring))
            far = max(range(len(ring)), key=lambda at: (_apart(ring[at], ring[first]), ring[at]))
            cuts = sorted({first, far})
        whole: list[Point] = []
        for start, end in zip(cuts, (*cuts[1:], cuts[0] + len(ring)), strict=True):
            border = tuple(ring[at % len(ring)] for at in range(start, end + 1))
            whole.extend(self._border(border)[:-1])
        for found in (whole, self._grid.ring(ring)):
            if len(found) > 2 and _area(found):
                return tuple(found)
        return ()

    def _border(self, border: Ring) -> Ring:
        """Neighbours go along it in opposite ways."""
        is_forward = border <= border[::-1]
        key = border if is_forward else border[::-1]
        if key not in self._known:
            self._known[key] = _kept(self._grid.ring(key), self._tolerance)
        return self._known[key] if is_forward else self._known[key][::-1]


def _kept(line: Sequence[Point], tolerance: float) -> Ring:
    """Douglas and Peucker, without recursion: a coast may have thousands of points."""
    if len(line) < 2:  # both ends lie in one point of the grid
        return (line[0], line[0])
    keep = {0, len(line) - 1}
    open_ = [(0, len(line) - 1)]
    while open_:
        start, end = open_.pop()
        far, at = max(
            ((_off(line[at], line[start], line[end]), at) for at in range(start + 1, end)),
            default=(0.0, start),
        )
        if far > tolerance:
            keep.add(at)
            open_ += [(start, at), (at, end)]
    return tuple(line[at] for at in sorted(keep))


def _apart(one: Point, other: Point) -> int:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2


def _off(point: Point, start: Point, end: Point) -> float:
    """How far a point lies from a stretch."""
    (x, y), (a, b), (c, d) = point, start, end
    along = (c - a) ** 2 + (d - b) ** 2
    share = 0.0 if along == 0 else min(1.0, max(0.0, ((x - a) * (c - a) + (y - b) * (d - b)) / along))
    return math.hypot(x - a - share * (c - a), y - b - share * (d - b))


def _path(ring: Ring) -> str:
    """`M3 4l1 0 0 1z`: relative, which is short."""
    first = ring[0]
    steps = " ".join(f"{u - x} {v - y}" for (x, y), (u, v) in pairwise(ring))
    return f"M{first[0]} {first[1]}l{steps}z"
