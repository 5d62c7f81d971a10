"""Where a school stands, as people write it and as a map takes it."""

import pytest

from schoolwatch_server.position import Position, PositionError, parse


@pytest.mark.parametrize(
    "text",
    ["20.2543, 105.975", "20.2543,105.975", " 20.2543  105.975 ", "20,2543; 105,975", "20,2543, 105,975"],
)
def test_it_is_read_as_maps_and_people_write_it(text: str) -> None:
    assert parse(text) == Position(20.2543, 105.975)
    assert parse(text).text == "20.25430, 105.97500"
    assert parse(parse(text).text) == parse(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not_a_position"),
        ("0", "not_a_position"),
        ("Hà Nội", "not_a_position"),
        ("20.2543", "not_a_position"),
        ("20.2543, 105.975, 3", "not_a_position"),
        ("-20.2543, 105.975", "not_a_position"),
        ("105.975, 20.2543", "swapped_position"),
        ("0, 0", "outside_position"),
        ("48.85, 2.35", "outside_position"),
    ],
)
def test_what_is_none_says_why(text: str, fault: str) -> None:
    with pytest.raises(PositionError) as found:
        parse(text)
    assert found.value.fault == fault


@pytest.mark.parametrize(
    ("latitude", "longitude", "geohash"),
    # the examples of https://en.wikipedia.org/wiki/Geohash and of a well-known place
    [(57.64911, 10.40744, "u4pruydqq"), (42.605, -5.603, "ezs42"), (21.0285, 105.8542, "w7er8u")],
)
def test_geohash(latitude: float, longitude: float, geohash: str) -> None:
    assert Position(latitude, longitude).geohash.startswith(geohash)
