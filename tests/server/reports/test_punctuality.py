"""I-30 of places: on their pages, and as a series that others can ask for."""

import pytest

from reports import NOW, World
from schoolwatch_server.database import judged, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators.stored import MEASUREMENT
from schoolwatch_server.reports import agenda, punctuality
from schoolwatch_server.reports.on_time import OnTime
from schoolwatch_server.scope import EVERYTHING, Scope

LATER = NOW + 100 * 86400.0
"""By then reports of three months were due, and nobody has handed in any."""


def test_reports_on_time_are_a_series_of_every_place(world: World) -> None:
    assert punctuality.write(world.engine, NOW, 300, {}) == 0, "nothing was due: no point"
    written: dict = {}
    assert punctuality.write(world.engine, LATER, 300, written) == len(written) > 2
    assert punctuality.write(world.engine, LATER + 60, 300, written) == 0, "nothing changed"
    with begin_read(world.engine) as conn:
        rows = judged.latest(conn, MEASUREMENT, {"indicator": "reports_on_time"})
        school = registry.school(conn, world.school, EVERYTHING)
        assert school is not None
        due = agenda.counted(conn, EVERYTHING, LATER)
        of_place = {
            level: punctuality.here(conn, level, id_, LATER + 60)
            for level, id_ in (
                ("school", school.id),
                ("commune", school.commune_id),
                ("province", school.province_id),
            )
        }
        alone = agenda.counted(conn, Scope("school", school.id), LATER)
    of_level = {row.tags["level"]: row for row in rows}
    assert due.due > alone.due > 0
    assert (due.on_time, of_level["province"].value) == (0, 0.0)
    assert of_level["province"].denominator == due.due, "its own, its communes' and its schools'"
    assert of_level["school"].denominator == alone.due
    assert {level: one.value for level, one in of_place.items()} == dict.fromkeys(of_place, 0.0)
    assert of_place["province"].at == LATER // 300 * 300, "as it was written"


@pytest.mark.parametrize(
    ("one", "value", "coverage"),
    [
        (OnTime(), None, None),
        # 7 of 10 on time, 1 late, 2 not at all: that they are missing is known
        (OnTime(10, 7, 1), 0.7, 1.0),
        (OnTime(3, 0, 3), 0.0, 1.0),
    ],
)
def test_late_and_missing_reports_are_none_on_time(one: OnTime, value, coverage) -> None:
    got = punctuality.value({("school", 1): one}, "school", 1, NOW)
    assert (got.code, got.value, got.coverage) == ("I-30", value, coverage)
    assert (got.reason == "nothing_due") == (value is None)
