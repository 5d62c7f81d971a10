"""What stands behind the numbers of a report: scores, targets, history, computers.

A frozen self-assessment holds the scores and the plan's targets of that day, whatever is entered later.
"""

from datetime import date
from pathlib import Path

import msgspec

from databases import make_database
from declaring import put_claim
from parts.province import fill
from reports import NOW, World
from schoolwatch_server import lifecycle, packs
from schoolwatch_server.database import reports
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.indicators import series
from schoolwatch_server.packs.sheet import Stored
from schoolwatch_server.reports import content, keeping
from schoolwatch_server.reports.behind import COUNTED
from schoolwatch_server.reports.content import Content
from schoolwatch_server.reports.difference import difference
from schoolwatch_server.reports.freeze import Judged, place
from schoolwatch_server.reports.freeze import fill as fill_report
from schoolwatch_server.reports.keeping import Wanted
from schoolwatch_server.scope import EVERYTHING

PLAN = b"""
{kind: plan, id: so, version: 1, vi: KH, issuer: So, items: [
 {id: page, vi: Trang, question: studio, target: 1.0, deadline: 2025-12-31, clause: I.1, confidence: P}]}
"""
JUDGED = Judged(
    packs.load(None, [Stored("so", 1, date(2026, 9, 1), PLAN.decode(), 0.0, "so")], date(2026, 9, 21)),
    lifecycle.load(),
)
SCORES = {"1.1": 1, "1.2": 1, "1.3": 24, "1.4": 8, "1.5": 12, "1.6": 15, "1.7.1": 6, "1.7.2": 7, "1.7.3": 5}


def frozen(world: World, level="school", code="S", *, kind="self_assessment", at=100.0, **more) -> Content:
    wanted = Wanted(level, code, kind, **more)
    row = keeping.freeze(world.engine, wanted, JUDGED, EVERYTHING, by="lan", now=NOW + at)
    with begin_read(world.engine) as conn:
        return content.decode(reports.body(conn, row.id))


def test_scores_are_those_of_the_day_and_a_later_revision_says_what_is_another(world: World) -> None:
    for code, points in SCORES.items():
        if code != "1.6":
            put_claim(world.engine, world.school, "accepted", f"qd4725.{code}", now=NOW, value=points)
    put_claim(world.engine, world.school, "submitted", "qd4725.1.6", now=NOW, value=15)
    first = frozen(world)
    (one,) = first.assessments
    assert one.pack == "qd4725@1"
    assert [pack.name for pack in first.packs if pack.name in ("qd4725@1", "so@1")] == ["qd4725@1", "so@1"]
    lines = {line.code: line for line in one.lines}
    assert (lines["1.3"].score, lines["1.3"].basis, lines["1.3"].most) == (24, "entered", 30)
    assert lines["1.6"].score is None, "nobody has accepted it yet"
    groups = {group.code: group for group in one.groups}
    assert (groups["1"].total, groups["1"].why, groups["1"].criteria) == (None, "not_entered", ("1.6",))
    assert (groups["2"].total, groups["2"].why) == (None, "no_maximum")
    assert (one.level, one.why) == (None, "not_entered")

    put_claim(world.engine, world.school, "accepted", "qd4725.1.6", now=NOW + 200, value=15)
    put_claim(world.engine, world.school, "accepted", "studio", now=NOW + 200)
    second = frozen(world, at=300.0, note="xã đã chấp nhận điểm 1.6")
    assert {group.code: group.total for group in second.assessments[0].groups} == {
        "1": 24 + 8 + 12 + 15 + 6 + 7 + 5,
        "2": None,
    }
    assert second.assessments[0].level is None
    changed = {
        getattr(change.after, "code", None) or getattr(change.after, "item", ""): change
        for change in difference(first, second).asked
    }
    assert set(changed) == {"1.6", "", "page"}
    assert (changed["page"].before.standing, changed["page"].after.standing) == ("unknown", "met")
    assert not difference(second, second)


def test_a_target_that_nobody_answered_is_unknown_and_monthly_reports_hold_targets_without_scores(
    world: World,
) -> None:
    of = frozen(world, kind="monthly")
    assert of.assessments == ()
    (line,) = of.plan_lines
    assert (line.plan, line.item, line.standing, line.value) == ("so@1", "page", "unknown", None)
    assert line.deadline == "2025-12-31"


def test_a_commune_holds_the_level_of_each_school_and_counts_answers(world: World) -> None:
    put_claim(world.engine, world.school, "accepted", "studio", now=NOW)
    of = frozen(world, "commune", "C")
    (part,) = of.parts
    (scored,) = part.scored
    assert (scored.criteria, scored.level, scored.why) == ("qd4725", None, "not_entered")
    (line,) = of.plan_lines
    assert (line.reached, line.answered, line.schools) == (1, 1, 1)
    assert frozen(world, "commune", "C", kind="year").parts[0].scored == ()


def test_history_is_the_last_value_of_each_week_before_the_freezing(world: World) -> None:
    world.enrol(1)
    for weeks in (60, 3, 2, 1):
        series.write(world.engine, JUDGED.packs, NOW - weeks * 7 * 86400, 300.0, {})
    series.write(world.engine, JUDGED.packs, NOW - 7 * 86400 + 7200, 300.0, {})
    series.write(world.engine, JUDGED.packs, NOW + 86400, 300.0, {})  # after it
    of = frozen(world)
    days = {one.indicator: one.days for one in of.history}
    assert [len(one) for one in days.values()] == [3] * len(days), "one of each week, none older than a year"
    expected = (("2026-08-31", None), ("2026-09-07", None), ("2026-09-14", None))
    assert days["antivirus_coverage"] == expected, "too little data is kept as that"
    assert content.decode(content.encode(of)) == of
    assert msgspec.json.decode(content.encode(of))["history"]


def test_the_computers_named_behind_a_number_are_as_many_as_it_says(tmp_path: Path) -> None:
    engine = open_database(make_database(tmp_path), tmp_path)
    with begin_write(engine) as conn:
        fill(conn, 2, 40, NOW)
        found = place(conn, "school", "S2", EVERYTHING)
        assert found is not None
        of = fill_report(conn, found, "monthly", "2026-09", JUDGED, NOW)
    engine.dispose()
    checked = set()
    for value in of.values:
        said = [one.counted[value.indicator] for one in of.devices if value.indicator in one.counted]
        if value.unit == "ratio" and value.indicator in COUNTED and value.numerator is not None:
            known = 40 if value.indicator == "telemetry_coverage" else len(said)
            assert (sum(said), known) == (value.numerator, value.denominator), value.indicator
            checked.add(value.indicator)
    assert len(checked) >= 10, checked
    assert "issued_antivirus" not in of.devices[0].counted, "nobody has named the province's product"
