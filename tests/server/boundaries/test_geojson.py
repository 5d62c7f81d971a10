"""Files of boundaries: what is read, and what is wrong with one in words that name it."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.boundaries import geojson
from schoolwatch_server.boundaries.trouble import BoundariesError, Problem

SQUARE = [[106.0, 20.0], [106.1, 20.0], [106.1, 20.1], [106.0, 20.1], [106.0, 20.0]]


def feature(
    ring: Sequence[object] = SQUARE, kind: str = "Polygon", **properties: object
) -> dict[str, object]:
    shape = [ring] if kind == "Polygon" else [[ring]]
    return {
        "type": "Feature",
        "properties": properties or {"ten": "Xã A"},
        "geometry": {"type": kind, "coordinates": shape},
    }


def collection(*features: object, **more: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


def problem(data: bytes) -> Problem:
    with pytest.raises(BoundariesError) as error:
        geojson.read(data)
    return error.value.problems[0]


def test_areas_are_read_with_their_short_properties_and_third_coordinates_are_left_out() -> None:
    high = [[*point, 12.5] for point in SQUARE]
    data = b"\xef\xbb\xbf" + collection(
        feature(ma=11317.0, ten="Xã A", dien_tich=1.5, con=None, chi_tiet={"a": 1}),
        feature(high, "MultiPolygon", ten="Xã B"),
        crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        name="xa",
    )
    one, other = geojson.read(data)
    assert one.labels == {"ma": "11317", "ten": "Xã A"}
    assert one.polygons == other.polygons
    assert one.polygons[0][0] == (
        (106_000_000, 20_000_000), (106_100_000, 20_000_000),
        (106_100_000, 20_100_000), (106_000_000, 20_100_000),
    )  # fmt: skip


VN2000 = [[595000.5, 2301000.0], [595100.0, 2301000.0], [595100.0, 2301100.0], [595000.5, 2301000.0]]


@pytest.mark.parametrize(
    ("data", "kind", "where"),
    [
        (b"PK\x03\x04", "not_json", ""),
        (b"[" * 400_000, "not_collection", ""),
        (b'{"type": "FeatureCollection", "features": [' + b"[" * 400_000, "not_json", ""),
        (b'{"type": "Topology", "objects": {}}', "not_collection", ""),
        (collection(), "no_features", ""),
        (collection(feature(), crs={"properties": {"name": "urn:ogc:def:crs:EPSG::9210"}}), "crs", ""),
        (collection(feature(), {"type": "Feature", "properties": {}, "geometry": None}), "geometry", "2"),
        (collection({**feature(), "geometry": {"type": "Point", "coordinates": [106, 20]}}), "geometry",
         "1 (Xã A)"),
        (collection(feature([])), "ring", "1 (Xã A)"),
        (collection(feature(SQUARE[:3])), "ring", "1 (Xã A)"),
        (collection(feature(SQUARE[:4])), "open_ring", "1 (Xã A)"),
        (collection(feature(VN2000)), "not_degrees", "1 (Xã A)"),
        (collection(feature([[y, x] for x, y in SQUARE])), "swapped", "1 (Xã A)"),
        (collection(feature([[x - 100, y] for x, y in SQUARE])), "outside", "1 (Xã A)"),
        (collection(feature([["106", "20"]] * 4)), "feature", "1 (Xã A)"),
        (collection({"type": "Feature", "geometry": {"type": "Polygon"}}), "feature", "1"),
        (b"[" * (geojson.POSITIONS_MAX + 1), "too_many", ""),
        (b" " * (geojson.BYTES_MAX + 1), "too_large", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_feature(data: bytes, kind: str, where: str) -> None:
    found = problem(data)
    assert (found.kind, found.where) == (kind, where)


def test_of_many_wrong_features_the_first_twenty_are_named() -> None:
    with pytest.raises(BoundariesError) as error:
        geojson.read(collection(*[feature(VN2000)] * 40))
    assert len(error.value.problems) == geojson.PROBLEMS_MAX


MEMBERS = ["type", "features", "geometry", "properties", "coordinates", "crs"]


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=12,
).map(lambda tree: json.dumps(tree).encode()))  # fmt: skip
def test_no_file_does_more_than_be_refused(data: bytes) -> None:
    with pytest.raises(BoundariesError):
        geojson.read(data)
