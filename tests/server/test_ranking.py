"""Communes in the order of an indicator: who is ranked, who stands apart and why, and what changed."""

import time
from datetime import date

import pytest

from schoolwatch_server import packs, ranking
from schoolwatch_server.database import declarations, judged, registry
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.indicators import INDICATORS, series
from schoolwatch_server.ranking import Change, Reached, Standing
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store.series import Judged
from tree import Tree

DAY = 86400.0


PACKS = packs.load()
OF = {indicator.id: indicator for indicator in INDICATORS}


def read(tree: Tree, indicator: str, now: float | None = None) -> ranking.Ranking:
    with begin_read(tree.engine) as conn:
        communes = registry.communes(conn, EVERYTHING, province_id=tree.schools[0].province)
        return ranking.read(conn, communes, OF[indicator], PACKS, now or time.time())


def declare(tree: Tree, school: int, devices: int) -> None:
    with begin_write(tree.engine) as conn:
        declarations.declare(conn, school, "devices", devices, tree.now, "test")


def test_a_commune_below_the_floor_stands_apart_with_the_reason_and_has_no_rank(tree: Tree) -> None:
    """Of a commune's 4 declared computers 4 report; then a school declares 20, and nobody heard of 18."""
    series.write(tree.engine, PACKS, time.time(), 1.0, {})
    found = read(tree, "antivirus_coverage")
    assert [(each.rank, each.value) for each in found.ranked] == [(1, 0.5), (1, 0.5)], "2 of 4 are protected"
    assert found.apart == ()
    declare(tree, tree.schools[0].id, 20)
    series.write(tree.engine, PACKS, time.time(), 1.0, {})
    found = read(tree, "antivirus_coverage")
    assert [each.code for each in found.ranked] == ["MarkC01X"]
    (apart,) = found.apart
    assert (apart.code, apart.rank, apart.value, apart.reason) == (
        "MarkC00X", None, None, "coverage_below_floor",
    )  # fmt: skip
    assert apart.coverage == pytest.approx(4 / 22)


def test_schools_that_reach_what_is_asked_are_counted_and_few_are_said_to_be_few(tree: Tree) -> None:
    """A school asks for 100 % of protected computers: of 2 schools with 1 of 2 each none reaches it."""
    series.write(tree.engine, PACKS, time.time(), 1.0, {})
    found = read(tree, "antivirus_coverage")
    assert found.target == 1.0
    assert [each.reached for each in found.ranked] == [Reached(0, 2, 2)] * 2
    assert all(each.is_small for each in found.ranked)
    assert [each.reached for each in read(tree, "telemetry_coverage").ranked] == [Reached(2, 2, 2)] * 2
    asked = read(tree, "studio")
    assert asked.ranked == ()
    assert [(each.reason, each.reached) for each in asked.apart] == [("few_schools", None)] * 2


def test_a_commune_in_which_nothing_changes_keeps_its_rank_until_the_daily_value_is_missed(
    tree: Tree,
) -> None:
    now = time.time()
    series.write(tree.engine, PACKS, now, 1.0, {})
    assert len(read(tree, "telemetry_coverage", now + DAY).ranked) == 2
    late = read(tree, "telemetry_coverage", now + 2 * DAY)
    assert [each.reason for each in late.apart] == ["stale", "stale"]


def test_change_is_since_the_same_day_of_the_last_month_or_the_last_value_before_it(tree: Tree) -> None:
    now = time.time()
    series.write(tree.engine, PACKS, now, 1.0, {})
    compared = read(tree, "telemetry_coverage").compared
    with begin_write(tree.engine) as conn:
        newest = judged.latest(conn, "indicator", {"indicator": "telemetry_coverage", "level": "commune"})
        one, other = newest[:2]
        noon = 86400.0 * (compared.toordinal() - date(1970, 1, 1).toordinal()) + 5 * 3600
        rows = [
            Judged("indicator", one.tags, noon - 9 * DAY, 0.1, None, None, 1.0, one.pack),  # too long before
            Judged("indicator", one.tags, noon - 2 * DAY, 0.75, None, None, 1.0, one.pack),
            Judged("indicator", other.tags, noon, 0.25, None, None, 1.0, "observation@0"),
            Judged("indicator", other.tags, noon + DAY, 0.9, None, None, 1.0, other.pack),  # after that day
        ]
        judged.write(conn, rows)
    changes = {each.commune_id: each.change for each in read(tree, "telemetry_coverage").ranked}
    first, second = (changes[int(row.tags["commune"])] for row in (one, other))
    assert first is not None
    assert (round(first.amount, 6), first.other_pack, (compared - first.day).days) == (0.25, False, 2)
    assert second == Change(0.75, compared, True)
    assert {each.change for each in read(tree, "antivirus_coverage").ranked} == {None}, "nothing to compare"


def test_a_commune_without_schools_is_named(tree: Tree) -> None:
    with begin_write(tree.engine) as conn:
        registry.create_commune(conn, tree.schools[0].province, "EMPTY", "Xã Trống")
    series.write(tree.engine, PACKS, time.time(), 1.0, {})
    (apart,) = read(tree, "telemetry_coverage").apart
    assert (apart.name, apart.reason) == ("Xã Trống", "no_schools")


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 11, 29), date(2026, 10, 29)),
        (date(2026, 3, 31), date(2026, 2, 28)),
        (date(2028, 3, 30), date(2028, 2, 29)),
        (date(2026, 1, 15), date(2025, 12, 15)),
    ],
)
def test_the_same_day_of_the_month_before(day: date, before: date) -> None:
    assert ranking.month_before(day) == before


def standing(name: str, value: float, change: float | None) -> Standing:
    moved = None if change is None else Change(change, date(2026, 10, 29), other_pack=False)
    return Standing(name, name, 1, 1, value, None, None, 0.9, "", moved, None, None)


def test_what_has_no_number_in_the_column_stays_at_the_end_either_way() -> None:
    rows = [standing("Đại", 0.5, None), standing("Dương", 0.5, 0.1), standing("An", 0.9, -0.2)]

    def names(key: ranking.Key, *, down: bool) -> list[str]:
        return [each.name for each in ranking.ordered(rows, key, is_descending=down)]

    assert names("change", down=False) == ["An", "Dương", "Đại"]
    assert names("change", down=True) == ["Dương", "An", "Đại"]
    assert names("name", down=False) == ["An", "Dương", "Đại"], "as Vietnamese is sorted"
    assert names("value", down=True) == ["An", "Dương", "Đại"], "equals by name"
