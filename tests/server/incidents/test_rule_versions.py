"""A rule that is edited acts from its instant on; what it no longer judges ends as withdrawn."""

import pytest
from sqlalchemy import select

from reports import NONE, NOW, Device, World, remember
from schoolwatch_server import incidents, rule_versions
from schoolwatch_server import rules as all_rules
from schoolwatch_server.database import audit, faults, registry, rules
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.batch import take
from schoolwatch_server.rule_changes import Withdrawing
from schoolwatch_server.rules import Book
from schoolwatch_server.rules.load import SHIPPED
from schoolwatch_server.rules.step import RuleState
from schoolwatch_server.saved import VersionError
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.strict_yaml import SheetError

TEXT = (SHIPPED / "antivirus_off.yaml").read_text(encoding="utf-8")


def fine(world: World, count: int = 1) -> list[Device]:
    """New devices that the shipped rule has judged before, without a fault."""
    devices = world.enrol(count)
    (mark,) = (rule.condition.mark for rule in all_rules.load() if rule.id == "antivirus_off")
    with begin_write(world.engine) as conn:
        remember(conn, [one.id for one in devices], RuleState(NOW - 7200, condition=mark))
    return devices


def save(world: World, text: str, since: float | None = None, *, base: int = 1000, now: float = NOW, **more):
    given = {"reason": "phòng máy mới", "by": "sở"} | more
    return rule_versions.save(
        world.engine, world.folder / "rules", {"C"}, text, since, base=base, now=now, **given
    )


def book(world: World) -> Book:
    with begin_read(world.engine) as conn:
        return all_rules.put_together(all_rules.of_files(world.folder / "rules"), rules.stored(conn))


def report(world: World, device: Device, seq: int, at: float, **more) -> None:
    take(world.engine, [device.message(seq, at=at, readings=NONE, **more)], Rules())


def judge(world: World, now: float) -> None:
    held = book(world)
    Withdrawing().look(world.engine, held, now)
    while incidents.judge_next(world.engine, held, (), now):
        pass


def rows(world: World, *columns) -> list[tuple]:
    with begin_read(world.engine) as conn:
        return [tuple(row) for row in conn.execute(select(*columns).order_by(columns[0].table.c[0]))]


AT_ONCE = TEXT.replace("open_after: 600", "open_after: 0").replace("severity: high", "severity: critical")


def test_an_edited_rule_judges_what_was_taken_from_its_instant_on_and_is_in_the_audit_log(
    world: World,
) -> None:
    early, late_one = fine(world, 2)
    held = save(world, AT_ONCE)
    since = held.since
    assert since is not None
    assert since % 60 == 0
    assert rule_versions.LEAD <= since - NOW <= 60 + rule_versions.LEAD
    report(world, early, 1, since - 1)
    report(world, late_one, 1, since + 1)
    judge(world, since + 5)
    i = t.incident.c
    assert rows(world, i.device_id, i.rule_version, i.severity) == [(late_one.id, 1001, "critical")]
    report(world, early, 2, since + 5)
    judge(world, since + 9)
    assert rows(world, i.device_id, i.rule_version)[1:] == [(early.id, 1001)]
    with begin_read(world.engine) as conn:
        (told,) = (one for one in audit.newest(conn, 5) if one.action == "rule.save")
    assert (told.actor, told.subject) == ("sở", "antivirus_off")
    assert (told.detail["before"], told.detail["version"]) == ("antivirus_off@1", 1001)
    assert told.detail["reason"] == "phòng máy mới"
    assert ["open_after", "600.0", "0.0"] in told.detail["changes"]


def test_evidence_of_before_that_comes_late_is_judged_as_it_was_then(world: World) -> None:
    (pc,) = fine(world)
    since = save(world, AT_ONCE).since or 0.0
    report(world, pc, 1, since - 30)
    judge(world, since + 100)
    assert rows(world, t.incident.c.id) == [], "ten minutes were asked then"


def test_a_rule_that_is_switched_off_withdraws_its_incidents_and_begins_anew_when_it_is_on(
    world: World,
) -> None:
    (pc,) = fine(world)
    (listed,) = world.enrol()
    for seq, minutes in enumerate((0, 10), 1):
        report(world, pc, seq, NOW - 3600 + minutes * 60)
        report(world, listed, seq, NOW - 3600 + minutes * 60)
    judge(world, NOW)
    assert len(rows(world, t.incident.c.id)) == 1
    off = save(world, TEXT + "enabled: false\n").since or 0.0
    report(world, pc, 3, NOW + 1)
    judge(world, off + 1)
    i, e, f = t.incident.c, t.incident_event.c, t.standing_fault.c
    assert rows(world, i.closed_at) == [(off + 1,)]
    assert [kind for (kind,) in rows(world, e.kind)] == ["opened", "withdrawn"]
    assert rows(world, f.ended_at, f.withdrawn) == [(off + 1, True)]
    assert rows(world, t.rule_memory.c.device_id) == []
    with begin_read(world.engine) as conn:
        (fault,) = faults.of_school(conn, EVERYTHING, world.school, NOW - 86400, NOW + 86400)
    assert fault.withdrawn
    report(world, pc, 4, off + 60)
    judge(world, off + 61)
    assert len(rows(world, i.id)) == 1, "switched off"
    on = save(world, TEXT, base=1001, now=off + 70).since or 0.0
    for seq, minutes in enumerate((1, 11), 5):
        report(world, pc, seq, on + minutes * 60)
    judge(world, on + 700)
    assert len(rows(world, i.id)) == 1
    assert rows(world, f.device_id, f.ended_at)[1:] == [(pc.id, None)], "what was so goes on the work list"


def test_a_restricted_rule_judges_these_schools_alone(world: World) -> None:
    with begin_write(world.engine) as conn:
        commune = registry.create_commune(conn, registry.create_province(conn, "Q", "Tỉnh"), "D", "Xã")
        elsewhere = registry.create_school(conn, commune, "E", "Trường", "TH", NOW)
    inside, outside = fine(world, 2)
    with begin_write(world.engine) as conn:
        registry.move_device(conn, outside.id, elsewhere, None, NOW - 7200)
    for seq, minutes in enumerate((0, 10), 1):
        for pc in (inside, outside):
            report(world, pc, seq, NOW - 3600 + minutes * 60)
    judge(world, NOW)
    since = save(world, TEXT + "only: {communes: [C], levels: [THCS]}\n").since or 0.0
    judge(world, since + 1)
    i = t.incident.c
    assert rows(world, i.device_id, i.closed_at) == [(inside.id, None), (outside.id, since + 1)]
    report(world, outside, 3, since + 5)
    report(world, outside, 4, since + 700)
    judge(world, since + 800)
    assert len(rows(world, i.id)) == 2
    assert rows(world, t.rule_memory.c.device_id) == [(inside.id,)]


def test_what_is_in_order_of_no_version_is_refused_and_nothing_is_saved(world: World) -> None:
    for refused, given in (
        ("in_past", {"text": TEXT, "since": NOW}),
        ("no_reason", {"text": TEXT, "reason": "  "}),
        ("changed_meanwhile", {"text": TEXT, "base": 1001}),
        ("unknown_commune", {"text": TEXT + "only: {communes: [X]}\n"}),
    ):
        with pytest.raises(VersionError) as caught:
            save(world, **given)
        assert caught.value.reason == refused
    with pytest.raises(SheetError) as wrong:
        save(world, TEXT.replace("severity: high", "severity: dire"))
    assert wrong.value.where == "$.severity"
    with begin_read(world.engine) as conn:
        assert rules.stored(conn) == ()


def test_a_version_is_taken_back_before_it_acts_and_not_after(world: World) -> None:
    later = save(world, AT_ONCE, NOW + 86_400)
    rule_versions.take_back(world.engine, "antivirus_off", later.rule.version, by="sở", now=NOW + 10)
    assert {rule.name for rule in book(world).at(NOW + 99_999)} >= {"antivirus_off@1"}
    soon = save(world, AT_ONCE, base=1001).since or 0.0
    with pytest.raises(VersionError, match="acts_already"):
        rule_versions.take_back(world.engine, "antivirus_off", 1002, by="sở", now=soon)
    rule_versions.end(
        world.engine, world.folder / "rules", "antivirus_off", None, reason="lại như cũ", by="sở", now=soon
    )
    assert {rule.name for rule in book(world).at(soon + 120)} >= {"antivirus_off@1"}
    with begin_read(world.engine) as conn:
        actions = [one.action for one in audit.newest(conn, 9)]
    assert actions[:4] == ["rule.end", "rule.save", "rule.take_back", "rule.save"]
