"""Reads GeoJSON (RFC 7946): features with polygons in degrees of WGS 84, longitude first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, cast

import msgspec

from schoolwatch_server.boundaries.trouble import BoundariesError, Kind, Problem

BYTES_MAX = 16 << 20
POSITIONS_MAX = 500_000
FEATURES_MAX = 5_000
"""Vietnam has 3,321 communes since July 2025."""

PROBLEMS_MAX = 20
"""Of one file are named; the others are most likely the same."""

_DEGREE = 1_000_000
_WEST, _SOUTH, _EAST, _NORTH = 102.0, 6.0, 118.0, 24.0
"""Vietnam with its islands lies within, in degrees."""

_WGS84 = ("CRS84", "EPSG::4326", "EPSG:4326")
_LABEL_MAX, _LABELS_MAX = 200, 60

Point = tuple[int, int]
"""Longitude and latitude in millionths of a degree: a corner of two communes is the same in both."""

Ring = tuple[Point, ...]
"""Without its last point, which is the first."""

Polygon = tuple[Ring, ...]
"""The outline, then holes."""


@dataclass(frozen=True, slots=True)
class Feature:
    """What the file has as one thing: its number from 1, its properties that are short texts or numbers."""

    number: int
    labels: dict[str, str]
    polygons: tuple[Polygon, ...]


_Position = Annotated[list[float], msgspec.Meta(min_length=2, max_length=4)]


class _Polygon(msgspec.Struct, tag="Polygon"):
    coordinates: list[list[_Position]]


class _MultiPolygon(msgspec.Struct, tag="MultiPolygon"):
    coordinates: list[list[list[_Position]]]


class _Kind(msgspec.Struct):
    type: str


class _Feature(msgspec.Struct):
    type: Literal["Feature"]
    geometry: msgspec.Raw = msgspec.Raw(b"null")
    properties: dict[str, msgspec.Raw] | None = None


class _Collection(msgspec.Struct):
    type: str
    features: list[msgspec.Raw] = []
    crs: msgspec.Raw = msgspec.Raw(b"null")


def read(data: bytes) -> tuple[Feature, ...]:
    """Every feature of the file. Raises `BoundariesError`, which names each one that is wrong."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if len(data) > BYTES_MAX:
        raise BoundariesError(Problem("too_large", what=str(BYTES_MAX >> 20)))
    if data.count(b"[") > POSITIONS_MAX:  # before anything is made of it
        raise BoundariesError(Problem("too_many", what=str(POSITIONS_MAX)))
    found = _collection(data)
    features: list[Feature] = []
    problems: list[Problem] = []
    for number, raw in enumerate(found.features, 1):
        try:
            features.append(_feature(number, raw))
        except BoundariesError as error:
            problems.extend(error.problems)
            if len(problems) >= PROBLEMS_MAX:
                break
    if problems:
        raise BoundariesError(*problems[:PROBLEMS_MAX])
    return tuple(features)


def _collection(data: bytes) -> _Collection:
    try:
        found = msgspec.json.decode(data, type=_Collection)
    except msgspec.ValidationError as error:
        raise BoundariesError(Problem("not_collection", what=str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BoundariesError(Problem("not_json", what=str(error))) from error
    if found.type != "FeatureCollection":
        raise BoundariesError(Problem("not_collection", what=found.type[:40]))
    if not found.features:
        raise BoundariesError(Problem("no_features"))
    if len(found.features) > FEATURES_MAX:
        raise BoundariesError(Problem("too_many", what=str(FEATURES_MAX)))
    crs = bytes(found.crs)
    if crs.strip() != b"null" and not any(name.encode() in crs for name in _WGS84):
        raise BoundariesError(Problem("crs", what=crs[:200].decode(errors="replace")))
    return found


def _feature(number: int, raw: msgspec.Raw) -> Feature:
    try:
        found = msgspec.json.decode(raw, type=_Feature)
        labels = dict(_labels(found.properties or {}))
        geometry = msgspec.json.decode(found.geometry, type=_Kind | None)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BoundariesError(Problem("feature", str(number), str(error))) from error
    where = f"{number} ({name})" if (name := next(iter(labels.values()), "")) else str(number)
    if geometry is None or geometry.type not in ("Polygon", "MultiPolygon"):
        kind = "null" if geometry is None else geometry.type[:40]
        raise BoundariesError(Problem("geometry", where, kind))
    try:
        shape = msgspec.json.decode(found.geometry, type=_Polygon | _MultiPolygon)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BoundariesError(Problem("feature", where, str(error))) from error
    parts = [shape.coordinates] if isinstance(shape, _Polygon) else shape.coordinates
    polygons = tuple(tuple(_ring(ring, where) for ring in part) for part in parts if part)
    if not polygons:
        raise BoundariesError(Problem("geometry", where, "[]"))
    return Feature(number, labels, polygons)


def _labels(properties: dict[str, msgspec.Raw]) -> Iterator[tuple[str, str]]:
    """Properties that may be a code or a name, as text."""
    for key, raw in list(properties.items())[:_LABELS_MAX]:
        if len(raw) > _LABEL_MAX * 6:
            continue
        value = msgspec.json.decode(raw)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield key[:_LABEL_MAX], str(value).strip()[:_LABEL_MAX]


def _ring(positions: list[_Position], where: str) -> Ring:
    """Checked, in millionths of a degree."""
    if len(positions) < 4:
        raise BoundariesError(Problem("ring", where, str(len(positions))))
    if positions[0][:2] != positions[-1][:2]:
        raise BoundariesError(Problem("open_ring", where))
    for x, y, *_ in positions:
        if not (_WEST <= x <= _EAST and _SOUTH <= y <= _NORTH):
            raise BoundariesError(Problem(_why_outside(x, y), where, f"{x:g}, {y:g}"))
    ring = [(round(x * _DEGREE), round(y * _DEGREE)) for x, y, *_ in positions[:-1]]
    return cast("Ring", tuple(ring))


def _why_outside(x: float, y: float) -> Kind:
    if _WEST <= y <= _EAST and _SOUTH <= x <= _NORTH:
        return "swapped"
    return "outside" if abs(x) <= 180 and abs(y) <= 90 else "not_degrees"
