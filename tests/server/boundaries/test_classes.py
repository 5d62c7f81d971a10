"""Shades of a map: equal values have the same, and every value is counted in one class."""

from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.boundaries.classes import classes


def test_shares_that_spread_have_the_same_steps_on_every_map() -> None:
    found = classes([0.05, 0.2, 0.39, 0.5, 1.0], is_share=True)
    assert found is not None
    assert found.fixed
    assert [each.count for each in found.classes] == [1, 2, 1, 0, 1]
    assert [found.shade(value) for value in (0.0, 0.2, 0.8, 1.0)] == [1, 2, 5, 5]


def test_shares_close_to_each_other_and_other_numbers_get_about_equally_many() -> None:
    found = classes([0.9 + at / 1000 for at in range(20)], is_share=True)
    assert found is not None
    assert not found.fixed
    assert [each.count for each in found.classes] == [4, 4, 4, 4, 4]
    assert (found.classes[0].least, found.classes[0].most) == (0.9, 0.903)
    alone = classes([12.0, 12.0], is_share=False)
    assert alone is not None
    assert [(each.shade, each.count) for each in alone.classes] == [(3, 2)]
    assert classes([], is_share=True) is None


@given(st.lists(st.floats(0, 100) | st.sampled_from([1.0, 2.0]), min_size=1, max_size=60), st.booleans())
def test_every_value_is_in_one_class_between_its_ends(values: list[float], is_share: bool) -> None:
    values = [value / 100 for value in values] if is_share else values
    found = classes(values, is_share=is_share)
    assert found is not None
    assert sum(each.count for each in found.classes) == len(values)
    shades = [each.shade for each in found.classes]
    assert shades == sorted(set(shades))
    assert set(shades) <= {1, 2, 3, 4, 5}
    for value in values:
        of = next(each for each in found.classes if each.shade == found.shade(value))
        assert of.least <= value <= of.most
