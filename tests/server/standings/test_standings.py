"""Incidents, safeguards, rollout and the server's own health as series: what is written, and what is not."""

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from reports import World
from schoolwatch_server import handling
from schoolwatch_server.access import ROLES, Principal
from schoolwatch_server.claims.questions import QUESTIONS
from schoolwatch_server.database import erasure, journal, judged, rollout, store_writer
from schoolwatch_server.database import incidents as kept
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.handling import Wish
from schoolwatch_server.indicators.facts import Pair
from schoolwatch_server.indicators.indicator import Counts
from schoolwatch_server.rules import load, subject
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.standings import posture, server
from schoolwatch_server.standings.keeping import Standings
from schoolwatch_server.store import names
from schoolwatch_server.store.series import Judged
from tree import Tree

HOUR, DAY = 3600.0, 86400.0
RULES = load()
ASKED = [one for one in QUESTIONS if not one.stages][:4]
"""Of every school."""
LAN = Principal("account", "lan", ROLES["so_admin"], EVERYTHING, "so_admin")


def hour_after(tree: Tree) -> float:
    """The first whole hour that is later than all that the tree holds."""
    return (tree.now // HOUR + 2) * HOUR


def put(tree: Tree, about: Subject, at: float, rule: str = "device_silent", severity: str = "high") -> int:
    new = kept.NewIncident(rule, 1, severity, about, at - 60, at - 60, False, {})
    with begin_write(tree.engine) as conn:
        opened = kept.open_incident(conn, new, at)
    assert opened is not None
    return opened.id


def do(tree: Tree, number: int, act: handling.Act, at: float) -> None:
    (outcome,) = handling.handle(tree.engine, LAN, [number], Wish(act), at)
    assert outcome.is_done


def last(tree: Tree, measurement: str, **tags: str) -> list[Judged]:
    with begin_read(tree.engine) as conn:
        return list(judged.latest(conn, measurement, tags))


def value(tree: Tree, measurement: str, **tags: str) -> float | None:
    (found,) = last(tree, measurement, **tags)
    return found.value


def test_a_place_without_incidents_has_a_true_zero_and_no_idle_series(tree: Tree) -> None:
    at, school = hour_after(tree), tree.schools[0]
    standings = Standings(tree.engine)
    with begin_write(tree.engine) as conn:
        conn.execute(t.incident.update().values(closed_at=tree.now))
    wrote = standings.note_open(RULES, at + 1, 300.0)
    places = 8 + 4 + 2 + 1
    assert wrote == places + 4 * (4 + 2 + 1)  # severities of communes, provinces and the server
    assert value(tree, names.INCIDENTS, level="school", school=str(school.id)) == 0
    assert last(tree, names.INCIDENTS_BY_SEVERITY, level="school") == []
    assert last(tree, names.INCIDENTS_BY_RULE) == []
    assert standings.note_open(RULES, at + 301, 300.0) == 0


def test_open_incidents_count_in_every_place_that_they_are_in(tree: Tree) -> None:
    at, school = hour_after(tree), tree.schools[0]
    standings = Standings(tree.engine)
    put(tree, subject.device(school.devices[1].id), at, severity="critical")
    put(tree, Subject("commune", school.commune, "viettel"), at, "outage_commune")
    put(tree, Subject("server", 0), at, "server_disk")
    standings.note_open(RULES, at, 300.0)
    here, commune, province = (
        {"level": "school", "school": str(school.id)},
        {"level": "commune", "commune": str(school.commune)},
        {"level": "province", "province": str(school.province)},
    )
    assert value(tree, names.INCIDENTS, **here) == 2
    assert value(tree, names.INCIDENTS, **commune) == 2 + 1 + 1  # its neighbour's, and its own
    assert value(tree, names.INCIDENTS, **province) == 4 + 1 + 1
    assert value(tree, names.INCIDENTS, level="server") == 1
    assert value(tree, names.INCIDENTS_BY_SEVERITY, severity="critical", **here) == 1
    assert value(tree, names.INCIDENTS_BY_SEVERITY, severity="low", **commune) == 0
    (of_rule,) = last(tree, names.INCIDENTS_BY_RULE, rule="outage_commune", **commune)
    titles = {rule.id: rule.title for rule in RULES}
    assert of_rule.tags["title"] == titles["outage_commune"].vi
    assert of_rule.tags["title_en"] == titles["outage_commune"].en
    assert last(tree, names.INCIDENTS_BY_RULE, rule="outage_commune", **here) == []


def test_what_ends_becomes_a_zero_once_also_after_a_restart(tree: Tree) -> None:
    at, school = hour_after(tree), tree.schools[0]
    number = put(tree, subject.device(school.devices[1].id), at, "disk_failing", "critical")
    Standings(tree.engine).note_open(RULES, at, 300.0)
    do(tree, number, "resolve", at + 100)
    again = Standings(tree.engine)
    again.note_open(RULES, at + 300, 300.0)
    here = {"level": "school", "school": str(school.id)}
    for measurement, more in (
        (names.INCIDENTS_BY_RULE, {"rule": "disk_failing"}),
        (names.INCIDENTS_BY_SEVERITY, {"severity": "critical"}),
    ):
        (found,) = last(tree, measurement, **here, **more)
        assert (found.value, found.at) == (0, at + 300)
    again.note_open(RULES, at + 3 * DAY, 300.0)
    (found,) = last(tree, names.INCIDENTS_BY_RULE, rule="disk_failing", **here)
    assert found.at == at + 300  # an idle zero is not written again and again
    (found,) = last(tree, names.INCIDENTS, **here)
    assert found.at == at + 3 * DAY


def test_new_incidents_add_up_over_any_time(tree: Tree) -> None:
    """Equal numbers of two hours are both written, a restart writes none twice, exercises are none."""
    at, school = hour_after(tree), tree.schools[0]
    for hour in (0, 1, 3):
        put(tree, subject.device(school.devices[1].id), at + hour * HOUR + 10, f"rule{hour}")
    exercise = put(tree, subject.device(school.devices[0].id), at + 20, "rule9")
    with begin_write(tree.engine) as conn:
        conn.execute(t.incident.update().where(t.incident.c.id == exercise).values(is_exercise=True))
    standings = Standings(tree.engine)
    for hour in range(1, 6):
        standings.note_open(RULES, at + hour * HOUR + 70, 300.0)
        standings.note_hour(at + hour * HOUR + 70)
    again = Standings(tree.engine)
    again.note_open(RULES, at + 5 * HOUR + 400, 300.0)
    again.note_hour(at + 5 * HOUR + 400)
    with begin_read(tree.engine) as conn:
        for tags in (
            {"level": "school", "school": str(school.id)},
            {"level": "commune", "commune": str(school.commune)},
            {"level": "province", "province": str(school.province)},
        ):
            rows = judged.read(conn, names.INCIDENTS_NEW, tags, at, at + DAY)
            told = {round((row.at - at) / HOUR): row.value for row in rows if row.value}
            assert told == {0: 1, 1: 1, 3: 1}, tags


def test_an_hour_is_written_when_it_is_over(tree: Tree) -> None:
    at = hour_after(tree)
    standings = Standings(tree.engine)
    standings.note_open(RULES, at, 300.0)
    standings.note_hour(at + 120)
    assert standings.note_hour(at + HOUR) == 0
    assert standings.note_hour(at + HOUR + 59) == 0
    assert standings.note_hour(at + HOUR + 61) > 0


def test_mean_times_are_those_of_the_page(tree: Tree) -> None:
    at, school = hour_after(tree), tree.schools[0]
    one = put(tree, subject.device(school.devices[1].id), at + 10)
    do(tree, one, "acknowledge", at + 70)
    do(tree, one, "resolve", at + 610)
    standings = Standings(tree.engine)
    standings.note_open(RULES, at + HOUR, 300.0)
    standings.note_hour(at + HOUR + 61)
    (taken,) = last(tree, names.INCIDENT_TIMES, until="acknowledged", level="school", school=str(school.id))
    (over,) = last(tree, names.INCIDENT_TIMES, until="closed", level="school", school=str(school.id))
    assert (taken.value, taken.numerator, taken.denominator) == (60, 1, 3)
    assert over.numerator == 2  # one of the tree's closed by itself, at once
    assert over.value == pytest.approx(600 / 2)


def test_marks_are_at_the_narrowest_place_and_written_once(tree: Tree) -> None:
    at, school = hour_after(tree), tree.schools[0]
    standings = Standings(tree.engine)
    assert standings.note_marks(RULES, tree.now + 1) > 0  # those of the tree
    assert standings.note_marks(RULES, tree.now + 2) == 0
    put(tree, subject.device(school.devices[1].id), at, "disk_full", "low")
    put(tree, Subject("province", school.province), at, "outage_province", "critical")
    assert standings.note_marks(RULES, at + 60) == 2
    (mark,) = last(tree, names.INCIDENT_OPENED, rule="disk_full")
    assert (mark.at, mark.value, mark.tags["school"], mark.tags["level"]) == (
        at - 60, 1, str(school.id), "school"
    )  # fmt: skip
    (wide,) = last(tree, names.INCIDENT_OPENED, rule="outage_province")
    assert (wide.tags["level"], wide.tags["severity"]) == ("province", "critical")
    assert "commune" not in wide.tags
    before = len(last(tree, names.INCIDENT_OPENED))
    Standings(tree.engine).note_marks(RULES, at + 120)
    assert len(last(tree, names.INCIDENT_OPENED)) == before


def test_a_deleted_school_leaves_no_incident_behind(tree: Tree) -> None:
    at, school = hour_after(tree), tree.schools[0]
    standings = Standings(tree.engine)
    standings.note_open(RULES, at, 300.0)
    standings.note_marks(RULES, at)
    with begin_write(tree.engine) as conn:
        for device in school.devices:
            erasure.device(conn, device.id, device.device)
        gone = erasure.school(conn, school.id, at)
    assert gone["judged_series"] > 0
    its = {"school": str(school.id)}
    assert [last(tree, name, **its) for name in names.GO_WITH_SCHOOL] == [[]] * len(names.GO_WITH_SCHOOL)
    other = {"level": "school", "school": str(tree.schools[1].id)}
    assert value(tree, names.INCIDENTS, **other) == 1


def test_rollout_by_silence(tmp_path: Path) -> None:
    world = World(tmp_path)
    now = 1_790_000_000.0 + 100 * DAY
    ages: list[float | None] = [0.0, 20.9, 21.1, 27.9, 28.1, 90.0, None]
    devices = world.enrol(len(ages))
    with begin_write(world.engine) as conn:
        for device, age in zip(devices, ages, strict=True):
            if age is not None:
                row = {"device_id": device.id, "seq": 1, "agent": f"1.{age:.0f}", "taken_at": 0.0}
                conn.execute(t.state.insert().values(**row, heard_at=now - age * DAY))
        found = rollout.by_school(conn, now)
        assert found == {world.school: {"live": 2, "at_risk": 2, "dropped": 2, "never": 1}}
        assert rollout.versions(conn, now) == {"1.0": 1, "1.21": 2, "1.28": 1}
    standings = Standings(world.engine)
    standings.note_open((), now, 300.0)
    standings.note_hour(now)
    with begin_read(world.engine) as conn:
        for level in ("school", "commune", "province"):
            rows = judged.latest(conn, names.ROLLOUT, {"level": level})
            assert {row.tags["state"]: row.value for row in rows} == found[world.school]
    with begin_write(world.engine) as conn:
        conn.execute(t.state.update().values(heard_at=now + HOUR))
    standings.note_hour(now + HOUR)
    with begin_read(world.engine) as conn:
        for level in ("school", "province"):
            rows = judged.latest(conn, names.ROLLOUT, {"level": level})
            told = {row.tags["state"]: row.value for row in rows}
            assert told == {"live": 6, "at_risk": 0, "dropped": 0, "never": 1}
    world.engine.dispose()


def test_a_board_without_a_dropped_computer_says_0_of_a_province(tree: Tree) -> None:
    standings = Standings(tree.engine)
    standings.note_open(RULES, tree.now, 300.0)
    standings.note_hour(tree.now)
    assert (
        value(tree, names.ROLLOUT, level="commune", commune=str(tree.schools[0].commune), state="dropped")
        == 0
    )
    assert last(tree, names.ROLLOUT, level="school", state="dropped") == []


def test_verdicts_by_hand() -> None:
    """Each computer is in one verdict of each kind; one that is not heard is unknown."""
    counts = Counts(
        devices_enrolled=10,
        protected_yes=6,
        protected_known=7,
        signatures_old=2,
        firewall=Pair(3, 8),
        patched=Pair(0, 0),
        supported=Pair(9, 10),
    )
    found = posture.verdicts(counts)
    of = {kind: tuple(found[kind, verdict] for verdict in ("good", "bad", "unknown")) for kind, _ in found}
    assert of == {
        "antivirus": (4, 1, 3),
        "firewall": (3, 5, 2),
        "updates": (0, 0, 10),
        "system": (9, 1, 0),
    }
    assert found["antivirus", "old"] == 2
    by_kind: Counter[str] = Counter()
    for (kind, _), count in found.items():
        by_kind[kind] += count
    assert set(by_kind.values()) == {10}


def test_ages_in_the_spool() -> None:
    assert server.spread([5.0]) == (5.0, 5.0)
    assert server.spread([float(n) for n in range(101)]) == (50.0, 95.0)
    assert server.spread([-3.0, -1.0, 0.0]) == (0.0, 0.0)


def test_the_servers_own_health(tree: Tree) -> None:
    """All reports of the tree came within one interval; nobody but the rules has read them."""
    with begin_read(tree.engine) as conn:
        newest = conn.execute(t.journal.select().order_by(t.journal.c.received_at.desc())).first()
        count = len(conn.execute(t.journal.select()).all())
    assert newest is not None
    every = 4 * HOUR
    with begin_write(tree.engine) as conn:
        journal.set_pruned_before(conn, newest.received_at - 30 * HOUR)
        store_writer.begin(conn, "a store that has got nothing yet")
    Standings(tree.engine).note_server((newest.received_at // every + 1) * every, every)
    Standings(tree.engine).note_server((newest.received_at // every) * every, every)
    found = last(tree, names.SERVER)
    assert all(set(row.tags) <= {"what", "part"} for row in found)  # no place: of the whole Sở alone
    with begin_read(tree.engine) as conn:
        rows = judged.read(conn, names.SERVER, {"what": "intake"}, 0, 2e9)
    assert sum((row.value or 0) * every / 60 for row in rows) == pytest.approx(count)
    said = {(row.tags["what"], row.tags.get("part")): row.value for row in found}
    assert said["behind", "rules"] == 0
    assert said["lag", "rules"] == 0
    assert said["behind", "series"] == count
    assert (said["lag", "series"] or 0) > 0
    assert said["quarantine", None] == 0
    assert said["undelivered", None] == 0
    assert (said["database", None] or 0) > 100_000
    assert said["version", "0.1.0"] == 16
    assert said["whole", None] == 1000 * (newest.received_at - 30 * HOUR), "as Grafana shows instants"


def test_the_servers_own_health_is_looked_at_once_an_interval(tree: Tree) -> None:
    at, standings = hour_after(tree), Standings(tree.engine)
    assert standings.note_server(at, 600.0) > 0
    with begin_write(tree.engine) as conn:
        conn.execute(t.device.update().values(retired_at=tree.now))
    assert standings.note_server(at + 599, 600.0) == 0
    assert {row.at for row in last(tree, names.SERVER)} == {at}
    assert standings.note_server(at + 600, 600.0) > 0
    assert {row.at for row in last(tree, names.SERVER, what="quarantine")} == {at + 600}, (
        "though it is the same"
    )
    standings.forget()
    assert standings.note_server(at + 601, 600.0) > 0, "somebody else may have written meanwhile"


def test_what_schools_declare_is_counted_where_it_stands(tree: Tree) -> None:
    """An older answer that was accepted counts while a newer one waits; of what nobody asks nothing does."""
    at, school = hour_after(tree), tree.schools[0]
    with begin_write(tree.engine) as conn:
        conn.execute(update(t.school).values(level="THCS"))
        for question, revision, state in (
            ("studio_teaching", 1, "accepted"),
            ("studio_teaching", 2, "draft"),
            (ASKED[0].id, 1, "recognised"),
            (ASKED[1].id, 1, "accepted"),
            (ASKED[1].id, 2, "submitted"),
            (ASKED[2].id, 1, "returned"),
        ):
            row = {"school_id": school.id, "question": question, "revision": revision, "state": state}
            row |= {"as_of": "2026-01-01", "created_at": at, "created_by": "lan", "changed_at": at}
            conn.execute(insert(t.claim).values(row))
    standings = Standings(tree.engine)
    standings.note_open(RULES, at, 300.0)
    assert standings.note_schools(ASKED, at) > 0
    assert standings.note_schools(ASKED, at + 60) == 0
    its = {"level": "school", "school": str(school.id)}
    (share,) = last(tree, names.CLAIMS, **its, subject="all")
    assert (share.value, share.numerator, share.denominator) == (2 / 4, 2.0, 4.0)
    states = {row.tags["state"]: row.value for row in last(tree, names.CLAIMS_BY_STATE, **its)}
    assert states == {"recognised": 1, "submitted": 1, "returned": 1, "none": 1}
    above = {"level": "province", "province": str(school.province)}
    (whole,) = last(tree, names.CLAIMS, **above, subject="all")
    schools = sum(one.province == school.province for one in tree.schools)
    assert (whole.numerator, whole.denominator) == (2.0, 4.0 * schools)
    subjects = {row.tags["subject"] for row in last(tree, names.CLAIMS, **above)}
    assert subjects == {"all", *(question.subject for question in ASKED)}


def test_schools_that_are_on_no_map_are_counted(tree: Tree) -> None:
    at, school = hour_after(tree), tree.schools[0]
    with begin_write(tree.engine) as conn:
        here = t.school.c.id == school.id
        conn.execute(update(t.school).where(here).values(position="20.25430, 105.97500"))
    standings = Standings(tree.engine)
    standings.note_open(RULES, at, 300.0)
    standings.note_schools((), at)
    (row,) = last(tree, names.UNPLACED, level="province", province=str(school.province))
    schools = sum(one.province == school.province for one in tree.schools)
    assert (row.value, row.denominator) == (schools - 1, schools)
    assert last(tree, names.UNPLACED, level="school") == []
