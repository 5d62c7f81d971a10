"""Schools' lines and their providers as series: what is known of them, and that nothing else is said."""

import msgspec
import pytest
from sqlalchemy import insert

from schoolwatch_server import packs
from schoolwatch_server.database import erasure, hearings, judged
from schoolwatch_server.database import incidents as kept
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.indicators.facts import Contract
from schoolwatch_server.line_history import SpeedTest
from schoolwatch_server.rules import load
from schoolwatch_server.rules.step import Event, Evidence, as_json
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.standings import providers
from schoolwatch_server.standings.keeping import Standings
from schoolwatch_server.standings.lines import Lines
from schoolwatch_server.store import names
from schoolwatch_server.store.series import Judged
from tree import School, Tree

HOUR, DAY = 3600.0, 86400.0
RULES, PACKS = load(), packs.load()


def contract(
    tree: Tree, school: School, isp: str, down: float | None = 100.0, up: float | None = None
) -> None:
    row = {"school_id": school.id, "isp": isp, "technology": "fibre", "subscriber": f"{isp} {school.mark}"}
    with begin_write(tree.engine) as conn:
        conn.execute(insert(t.line_contract).values(**row, download_mbps=down, upload_mbps=up))


def measured(
    tree: Tree, school: School, *tests: tuple[float, float | None, float | None], **told: object
) -> None:
    """(days ago, download, upload in Mbit/s), by the school's first computer."""
    body = [
        SpeedTest(tree.now - days * DAY, *(None if way is None else way * 1e6 for way in ways))
        for days, *ways in tests
    ]
    device = school.devices[0].id
    with begin_write(tree.engine) as conn:
        state = t.state.update().where(t.state.c.device_id == device)
        conn.execute(state.values(line_tests=msgspec.msgpack.encode(body), **told))
        conn.execute(insert(t.line_tester).values(school_id=school.id, device_id=device))


def cut(
    tree: Tree, rule: str, about: Subject, since: float, end: float | None = None, **more: object
) -> None:
    readings = {"finding.outage_schools": more.get("schools", 0.0)}
    found = {"finding.outage_communes": more["communes"]} if "communes" in more else {}
    evidence = as_json(
        Event("opened", since, since, False, None, Evidence(0, since, readings, found), "high")
    )
    new = kept.NewIncident(rule, 1, "high", about, since, since, False, evidence)
    with begin_write(tree.engine) as conn:
        assert kept.open_incident(conn, new, since)
        if end is not None:
            facts = {"finding.line_cause": more.get("cause", "line")}
            told = Event("closed", since, end, False, None, Evidence(0, end, facts=facts), "high")
            kept.close_incident(conn, new.fingerprint, end, as_json(told), end)


def note(tree: Tree, standings: Standings | None = None, at: float | None = None) -> Standings:
    standings = standings or Standings(tree.engine)
    at = tree.now + 1 if at is None else at
    standings.note_open(RULES, at, 300.0)
    standings.note_lines(RULES, PACKS, at)
    return standings


def last(tree: Tree, measurement: str, **tags: str) -> list[Judged]:
    with begin_read(tree.engine) as conn:
        return list(judged.latest(conn, measurement, tags))


def of(tree: Tree, isp: str, what: str, school: School, level: str = "commune") -> Judged:
    tags = {"level": level, level: str(getattr(school, level))}
    (found,) = last(tree, names.ISP, isp=isp, what=what, **tags)
    return found


def test_a_line_stands_beside_what_was_measured_of_it(tree: Tree) -> None:
    school = tree.schools[0]
    contract(tree, school, "Viettel", 100.0, 50.0)
    contract(tree, school, " vnpt ", 300.0)
    measured(tree, school, (400, 10.0, 10.0), (3, 200.0, 20.0), (2, 100.0, None), (1, 150.0, 30.0))
    note(tree)
    its = {"school": str(school.id), "level": "school"}
    (fast,) = last(tree, names.LINE, isp="VNPT", way="download", **its)
    assert (fast.value, fast.numerator, fast.denominator) == (0.5, 150.0, 300.0)
    assert fast.tags["subscriber"] == f" vnpt  {school.mark}"
    (up,) = last(tree, names.LINE, isp="VNPT", way="upload", **its)
    assert (up.value, up.numerator, up.denominator) == (None, 25.0, None)
    (slow,) = last(tree, names.LINE, isp="VIETTEL", way="download", **its)
    assert (slow.value, slow.numerator, slow.denominator) == (None, None, 100.0), "it was not the one tested"
    (newest,) = last(tree, names.LINE_TEST, way="download", **its)
    assert (newest.value, newest.denominator) == (150.0, 3.0)
    assert newest.numerator == pytest.approx((tree.now - DAY) * 1000)
    assert last(tree, names.LINE, school=str(tree.schools[1].id)) == []


def test_a_provider_is_held_against_its_contracts(tree: Tree) -> None:
    one, other, far = tree.schools[0], tree.schools[1], tree.schools[2]
    for school, down in ((one, 100.0), (other, 50.0), (far, 90.0)):
        contract(tree, school, "Viettel")
        measured(tree, school, (2, down, 1.0), (1, down, 1.0), server_latency=0.02, server_loss=0.0)
    note(tree)
    below = of(tree, "VIETTEL", "below", one)
    assert (below.value, below.numerator, below.denominator, below.coverage) == (0.5, 1.0, 2.0, 1.0)
    assert of(tree, "VIETTEL", "tests_below", one).denominator == 4.0
    assert of(tree, "VIETTEL", "below", one, "province").value == pytest.approx(1 / 3)
    assert of(tree, "VIETTEL", "share", one, "province").value == 0.9
    assert of(tree, "VIETTEL", "share_p10", one, "province").value == pytest.approx(0.58)
    assert of(tree, "VIETTEL", "download", one).value == 75.0
    assert of(tree, "VIETTEL", "latency", one).value == 0.02
    assert of(tree, "VIETTEL", "lines", one, "province").value == 3.0
    assert last(tree, names.ISP, what="ipv6") == [], "nobody told of IPv6"


def test_a_test_is_nobodys_where_a_school_has_two_providers(tree: Tree) -> None:
    school = tree.schools[0]
    contract(tree, school, "Viettel")
    contract(tree, school, "VNPT")
    measured(tree, school, (1, 5.0, 5.0))
    note(tree)
    for isp in ("VIETTEL", "VNPT"):
        assert of(tree, isp, "schools", school).value == 1.0
        assert last(tree, names.ISP, isp=isp, what="below") == []
        assert last(tree, names.ISP, isp=isp, what="download") == []


def test_who_is_cut_off_and_for_how_long(tree: Tree) -> None:
    one, other = tree.schools[0], tree.schools[1]
    contract(tree, one, "Viettel")
    contract(tree, one, "VNPT")
    contract(tree, other, "Viettel")
    now = tree.now
    cut(tree, "line_down", Subject("school", one.id), now - 10 * HOUR, now - 8 * HOUR)
    cut(tree, "line_down", Subject("school", one.id), now - 6 * HOUR, now - 5 * HOUR, cause="power")
    cut(tree, "line_down", Subject("school", one.id), now - 3 * HOUR)
    cut(
        tree,
        "outage_commune",
        Subject("commune", one.commune, "viettel"),
        now - DAY,
        now - 23 * HOUR,
        schools=2.0,
    )
    cut(tree, "line_down", Subject("school", other.id), now - 40 * DAY, now - 39 * DAY)
    note(tree, at=now)
    down = of(tree, "VIETTEL", "down", one)
    assert (down.value, down.numerator, down.denominator) == (1.0, 1.0, 2.0)
    assert of(tree, "VNPT", "down", one).value == 1.0
    hours = of(tree, "VIETTEL", "hours_down", one)
    assert hours.numerator == pytest.approx(2 + 3 + 2 * 1, abs=0.01)
    assert hours.value == pytest.approx((hours.numerator or 0.0) / 2)
    assert of(tree, "VNPT", "hours_down", one).value == pytest.approx(5, abs=0.01)


def test_an_outage_of_the_province_counts_at_each_commune_that_it_hit_and_once(tree: Tree) -> None:
    one = tree.schools[0]
    far = next(school for school in tree.schools if school.commune != one.commune)
    for school in (one, far):
        contract(tree, school, "Viettel")
    now, isp = tree.now, "viettel"
    about = Subject("commune", one.commune, isp)
    cut(tree, "outage_commune", about, now - 5 * HOUR, schools=3.0)
    with begin_write(tree.engine) as conn:  # it became part of the province's
        mark = kept.fingerprint("outage_commune", about)
        kept.close_incident(conn, mark, now - 4 * HOUR, {}, now - 4 * HOUR, kind="merged")
    cut(
        tree, "outage_province", Subject("province", one.province, isp), now - 5 * HOUR, now - 2 * HOUR,
        schools=7.0, communes=f"{one.commune}:4 {one.commune + 999}:3",
    )  # fmt: skip
    note(tree, at=now)
    assert of(tree, "VIETTEL", "hours_down", one).numerator == pytest.approx(3 * 4, abs=0.01)
    assert of(tree, "VIETTEL", "hours_down", one, "province").numerator == pytest.approx(3 * 7, abs=0.01)
    assert of(tree, "VIETTEL", "hours_down", far).numerator == 0.0


def test_schools_that_went_together_are_cut_off_though_none_has_an_incident_of_its_own(tree: Tree) -> None:
    one, other = tree.schools[0], tree.schools[1]
    contract(tree, one, "Viettel")
    contract(tree, other, "VNPT")
    with begin_read(tree.engine) as conn:
        heard = max(row.heard_at for row in conn.execute(t.state.select()))
    cut(tree, "outage_commune", Subject("commune", one.commune, "viettel"), heard - 60)
    note(tree)
    assert of(tree, "VIETTEL", "down", one).value == 1.0
    assert of(tree, "VNPT", "down", other).value == 0.0


def test_of_what_nobody_ever_heard_nothing_is_said(tree: Tree) -> None:
    school = tree.schools[0]
    contract(tree, school, "Viettel", None)
    with begin_write(tree.engine) as conn:
        conn.execute(t.state.delete().where(t.state.c.device_id.in_([one.id for one in school.devices])))
    note(tree)
    found = {row.tags["what"]: row.value for row in last(tree, names.ISP, isp="VIETTEL", level="commune")}
    assert found == {"lines": 1.0, "schools": 1.0}


def test_a_school_whose_reports_come_on_a_stick_is_not_watched(tree: Tree) -> None:
    school, other = tree.schools[0], tree.schools[1]
    contract(tree, school, "Viettel")
    contract(tree, other, "VNPT")
    with begin_write(tree.engine) as conn:
        for device in school.devices:
            hearings.note_carried(conn, device.id, tree.now + 60)
    note(tree)
    assert last(tree, names.ISP, isp="VIETTEL", what="down") == []
    assert of(tree, "VNPT", "down", other).denominator == 1.0


def test_a_provider_that_has_left_ends_once(tree: Tree) -> None:
    school = tree.schools[0]
    contract(tree, school, "Viettel")
    measured(tree, school, (1, 50.0, 50.0))
    standings = note(tree)
    with begin_write(tree.engine) as conn:
        conn.execute(t.line_contract.delete())
    later = tree.now + 2 * HOUR
    note(tree, standings, later)
    assert of(tree, "VIETTEL", "lines", school).value == 0.0
    assert of(tree, "VIETTEL", "below", school).value is None
    ended = of(tree, "VIETTEL", "lines", school).at
    note(tree, Standings(tree.engine), later + HOUR)
    assert of(tree, "VIETTEL", "lines", school).at == ended


def test_a_deleted_school_leaves_no_line_behind(tree: Tree) -> None:
    school = tree.schools[0]
    contract(tree, school, "Viettel")
    measured(tree, school, (1, 50.0, 50.0))
    note(tree)
    assert last(tree, names.LINE, school=str(school.id))
    with begin_write(tree.engine) as conn:
        for device in school.devices:
            erasure.device(conn, device.id, device.device)
        erasure.school(conn, school.id, tree.now)
    for measurement in (names.LINE, names.LINE_TEST):
        assert last(tree, measurement, school=str(school.id)) == []


def test_lines_are_written_once_an_hour_and_again_when_something_changed(tree: Tree) -> None:
    contract(tree, tree.schools[0], "Viettel")
    hour = (tree.now // HOUR + 1) * HOUR
    standings = note(tree, at=hour)
    assert standings.note_lines(RULES, PACKS, hour + 600) == 0
    assert standings.note_lines(RULES, PACKS, hour + HOUR) > 0, "those of the province"
    (line,) = last(tree, names.LINE, way="download")
    assert line.at == hour


def test_shares_by_hand() -> None:
    lines = Lines(
        [Contract("A", "", 100.0, 10.0)],
        [SpeedTest(0, 90e6, 5e6), SpeedTest(1, 50e6, None), SpeedTest(2, None, None)],
    )
    assert lines.shares == [0.5, 0.5]
    assert lines.share == 0.5
    assert Lines([Contract("A", "", None, None)], lines.tests).share is None
    assert Lines([], lines.tests).shares == []
    assert providers.tenth([3.0]) == 3.0
    assert providers.tenth([float(n) for n in range(11)]) == 1.0
