"""A frozen report opens as the same bytes, whatever comes in later; each act leaves its line."""

import hashlib
import os
import time
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import exc, select, update

from databases import drop_trigger
from declaring import PDF, put_claim
from reports import NOW, RULES, World
from schoolwatch_contract.records import Reading
from schoolwatch_server import lifecycle, packs
from schoolwatch_server.access import ROLES, Principal
from schoolwatch_server.database import audit, erasure, registry, report_deadlines, reports
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.reports import AlteredReportError
from schoolwatch_server.intake.batch import take
from schoolwatch_server.reports import content, keeping
from schoolwatch_server.reports.calendar import day_of, period_of
from schoolwatch_server.reports.difference import difference
from schoolwatch_server.reports.freeze import Judged
from schoolwatch_server.reports.keeping import ReportError, Wanted
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.vietnam import ends

JUDGED = Judged(packs.load(), lifecycle.load())
MONTH = period_of("monthly", day_of(NOW))
LATE = int(os.environ.get("SCHOOLWATCH_LATE_READINGS", "3000"))
"""Late readings that come in after a report was frozen; with 100000 it takes about a minute."""

PRODUCT = {"product": "clamav"}


def protected(yes: bool) -> tuple[Reading, ...]:
    running = (Reading("antivirus.running", 1.0, PRODUCT),) if yes else ()
    return (
        Reading("antivirus.products", float(yes)),
        *running,
        Reading("probe.ok", 1.0, {"probe": "antivirus"}),
    )


def freeze(
    world: World, level="school", code="S", *, kind="monthly", now=NOW + 100, scope=EVERYTHING, **more
):
    wanted = Wanted(level, code, kind, **more)
    return keeping.freeze(world.engine, wanted, JUDGED, scope, by="lan", now=now)


def body(world: World, row) -> bytes:
    with begin_read(world.engine) as conn:
        return reports.body(conn, row.id)


def somebody(role, level, id_) -> Principal:
    return Principal("account", f"{role} {level}", ROLES[role], Scope(level, id_), role)


def places(world: World) -> tuple[int, int]:
    with begin_read(world.engine) as conn:
        row = registry.school(conn, world.school, EVERYTHING)
        return row.commune_id, row.province_id


def test_a_report_opens_as_the_same_bytes_after_late_readings_and_a_new_revision_shows_them(
    world: World,
) -> None:
    devices = world.enrol(2)
    take(world.engine, [d.message(1, readings=protected(False)) for d in devices], RULES)
    first = freeze(world)
    kept = body(world, first)
    assert content.digest(kept) == first.sha256
    report = content.decode(kept)
    assert report.values
    assert {line.facts["protected"] for line in report.devices} == {False}
    assert (report.due, report.revision, report.previous) == (f"{MONTH}-19", 1, "")
    # a week of readings that were taken before the freezing and could not be sent
    begun, each = time.monotonic(), 500
    for start in range(0, LATE // 5, each):
        for device in devices[:1]:
            messages = [
                device.message(
                    n + 2, taken_at=NOW - 600_000 + n, at=NOW + 200 + n / 1e3, readings=protected(True) + BUSY
                )
                for n in range(start, min(start + each, LATE // 5))
            ]
            take(world.engine, messages, RULES)
    take(world.engine, [d.message(10**6, at=NOW + 5000, readings=protected(True)) for d in devices], RULES)
    with begin_read(world.engine) as conn:
        rows = len(conn.scalars(select(t.journal.c.id)).all())
    assert rows >= LATE // 5, "they are in the journal"
    assert body(world, first) == kept, f"changed by what came within {time.monotonic() - begun:.0f} s"
    with pytest.raises(ReportError, match="note"):
        freeze(world, now=NOW + 6000)
    second = freeze(world, now=NOW + 6000, note="hai máy gửi số liệu muộn")
    assert body(world, first) == kept
    assert second.revision == 2
    newer = content.decode(body(world, second))
    assert newer.previous == first.sha256
    changed = {change.indicator: change for change in difference(report, newer).values}
    assert changed["antivirus_coverage"].before.numerator == 0
    assert changed["antivirus_coverage"].after.numerator == 2
    assert difference(report, report).values == ()


BUSY = (Reading("processor.busy", 0.5), Reading("memory.used", 0.5))
"""With those of the antivirus, five readings a message."""


def test_what_the_school_proved_its_answers_with_is_named_by_its_digest(world: World) -> None:
    put_claim(world.engine, world.school, "recognised", now=NOW)
    put_claim(world.engine, world.school, "draft", "website", now=NOW)
    report = content.decode(body(world, freeze(world)))
    (named,) = report.evidence
    assert (named.question, named.size, named.sha256) == ("studio", len(PDF), hashlib.sha256(PDF).hexdigest())


def test_the_database_refuses_to_change_what_was_frozen(world: World) -> None:
    row = freeze(world)
    r = t.report
    for values in ({"body": b"x"}, {"sha256": "0" * 64}, {"period": "2020-01"}, {"revision": 9}):
        with pytest.raises(exc.DatabaseError, match="never changed"), begin_write(world.engine) as conn:
            conn.execute(update(r).where(r.c.id == row.id).values(**values))
    with begin_write(world.engine) as conn:
        drop_trigger(conn, "report_no_change", "report")
        conn.execute(update(r).where(r.c.id == row.id).values(body=b"x"))
    with begin_read(world.engine) as conn, pytest.raises(AlteredReportError, match="restore a backup"):
        reports.body(conn, row.id)


def test_each_level_holds_its_parts_and_nobody_freezes_beyond_the_scope(world: World) -> None:
    commune, province = places(world)
    below = content.decode(body(world, freeze(world, "commune", "C")))
    assert [(part.level, part.code) for part in below.parts] == [("school", "S")]
    whole = content.decode(body(world, freeze(world, "province", "P", kind="year")))
    assert [(part.level, part.code) for part in whole.parts] == [("commune", "C"), ("school", "S")]
    assert whole.devices == ()
    assert whole.due == "", "no source dates the province's own report"
    assert {v.indicator for v in whole.values} == {v.indicator for v in below.values}
    for level, code in (("province", "P"), ("commune", "C")):
        with pytest.raises(ReportError, match="no_place"):
            freeze(world, level, code, kind="year", scope=Scope("school", world.school))
    with begin_read(world.engine) as conn:
        seen = [len(reports.listed(conn, scope)) for scope in (
            EVERYTHING, Scope("province", province), Scope("commune", commune), Scope("school", world.school)
        )]  # fmt: skip
    assert seen == [2, 2, 1, 0]


def test_what_was_handed_in_outlives_the_deletion_of_its_school_and_a_draft_does_not(world: World) -> None:
    (device,) = world.enrol()
    draft, proof = freeze(world), freeze(world, kind="year")
    kept, head = body(world, proof), somebody("school_head", "school", world.school)
    keeping.act(world.engine, proof.sha256, head, "hand_in", "", now=NOW + 200)
    with begin_write(world.engine) as conn:
        assert erasure.device(conn, device.id, device.device)["report"] == 1, "the draft told of the device"
    again = freeze(world, note="chốt lại sau khi xóa máy")
    assert again.revision == draft.revision, "a draft that is gone leaves no trace of its number"
    with begin_write(world.engine) as conn:
        gone = erasure.school(conn, world.school, NOW + 300)
    assert gone["report"] == 1
    with begin_read(world.engine) as conn:
        (row,) = reports.listed(conn, EVERYTHING)
        assert (row.sha256, row.frozen_by, row.handed_in_by) == (proof.sha256, "", "")
        assert {event.by for event in reports.events(conn, row.id)} == {""}
    assert body(world, row) == kept


@pytest.mark.parametrize(
    ("period", "reason"),
    [("2026-13", "period"), ("2099-01", "future"), ("2026-Q1", "period"), ("2025-08", "too_old")],
)
def test_a_period_that_is_none_or_has_not_begun_is_refused(world: World, period: str, reason: str) -> None:
    with pytest.raises(ReportError, match=reason):
        freeze(world, period=period)


def test_of_two_servers_that_freeze_at_once_one_is_told_to_look_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = freeze(world)
    monkeypatch.setattr(keeping, "_newest", lambda *_: None)  # it read before the other one kept its own
    with pytest.raises(ReportError, match="meanwhile"):
        freeze(world, now=NOW + 101)
    monkeypatch.setattr(reports, "newest_revision", lambda *_: 0)  # and so did its last look
    with pytest.raises(ReportError, match="meanwhile"):
        freeze(world, now=NOW + 102)
    with begin_read(world.engine) as conn:
        assert [row.sha256 for row in reports.listed(conn, EVERYTHING)] == [first.sha256]


def test_the_head_hands_in_and_the_direct_manager_alone_decides(world: World) -> None:
    commune, province = places(world)  # a THCS: the commune manages it
    head, officer = somebody("school_head", "school", world.school), somebody("commune", "commune", commune)
    so, technician = somebody("so_admin", "all", None), somebody("technician", "school", world.school)
    row = freeze(world)

    def act(who: Principal, doing, remark: str = "", digest: str = row.sha256):
        return keeping.act(world.engine, digest, who, doing, remark, now=NOW + 500).state

    for who in (technician, officer, so):
        with pytest.raises(ReportError, match="not_yours"):
            act(who, "hand_in")
    with pytest.raises(ReportError, match="state"):
        act(officer, "accept")
    assert act(head, "hand_in") == "handed_in"
    for who in (head, so, somebody("so_admin", "province", province)):
        with pytest.raises(ReportError, match="not_manager"):
            act(who, "accept")
    with pytest.raises(ReportError, match="note"):
        act(officer, "return")
    assert act(officer, "return", "thiếu số máy phòng 2") == "returned"
    newer = freeze(world, note="bổ sung phòng 2", now=NOW + 600)
    with pytest.raises(ReportError, match="older"):
        act(head, "hand_in")
    assert act(head, "hand_in", digest=newer.sha256) == "handed_in"
    freeze(world, note="nháp của kỹ thuật viên", now=NOW + 650)
    assert act(officer, "accept", digest=newer.sha256) == "accepted"
    with pytest.raises(ReportError, match="state"):
        act(officer, "return", "đã duyệt rồi mà", newer.sha256)
    with begin_read(world.engine) as conn:
        told = [event.kind for event in reports.events(conn, row.id)]
        lines = [line.action for line in audit.newest(conn, 6)]
        handed = reports.first_handed_in(conn, EVERYTHING, "school")
    assert told == ["freeze", "hand_in", "return"]
    assert lines == [
        "report.accept", "report.freeze", "report.hand_in", "report.freeze", "report.return", "report.hand_in"
    ]  # fmt: skip
    assert handed == {world.school: {("monthly", MONTH): (NOW + 500, newer.due_on)}}, (
        "a draft changes nothing"
    )
    last = freeze(world, note="sau khi duyệt", now=NOW + 700)
    extended = {"before": "25", "document": "Công văn 9", "clause": "", "changed_at": NOW, "changed_by": "x"}
    with begin_write(world.engine) as conn:
        report_deadlines.set_deadline(conn, province, "monthly", "school", extended)
    act(head, "hand_in", digest=last.sha256)
    with begin_read(world.engine) as conn:
        held = reports.found(conn, last.sha256, EVERYTHING)
    assert held is not None
    assert held.due_on == f"{MONTH}-24", "the day that holds when it is handed in is what it is judged by"
    assert content.decode(body(world, last)).due == f"{MONTH}-19", "the paper stays as it is"


def test_a_paper_is_known_by_its_digest_without_a_name_or_a_number(world: World) -> None:
    row = freeze(world)
    with begin_read(world.engine) as conn:
        known = reports.kept(conn, row.sha256)
        assert (known.level, known.period, known.revision, known.is_newest) == ("school", MONTH, 1, True)
        assert reports.kept(conn, "0" * 64) is None
    freeze(world, note="số liệu đến muộn")
    with begin_read(world.engine) as conn:
        assert not reports.kept(conn, row.sha256).is_newest


def test_what_was_handed_in_is_not_superseded_by_a_draft(world: World) -> None:
    head = somebody("school_head", "school", world.school)
    row = freeze(world)
    keeping.act(world.engine, row.sha256, head, "hand_in", "", now=NOW + 500)
    newer = freeze(world, note="thử lại số liệu", now=NOW + 600)

    def known(digest: str):
        with begin_read(world.engine) as conn:
            return reports.kept(conn, digest)

    paper = known(row.sha256)
    assert (paper.is_newest, paper.state, paper.handed_in_at) == (True, "handed_in", NOW + 500)
    assert (known(newer.sha256).is_newest, known(newer.sha256).state) == (True, "frozen")
    keeping.act(world.engine, newer.sha256, head, "hand_in", "", now=NOW + 700)
    assert not known(row.sha256).is_newest


def test_a_report_on_request_is_of_a_day_says_what_for_and_holds_scores(world: World) -> None:
    with pytest.raises(ReportError, match="what_for"):
        freeze(world, kind="ad_hoc")
    row = freeze(world, kind="ad_hoc", note="Công văn 123/SGDĐT ngày 20/9/2026")
    report = content.decode(body(world, row))
    assert (report.period, report.due, report.note) == (
        day_of(NOW + 100).isoformat(), "", "Công văn 123/SGDĐT ngày 20/9/2026"
    )  # fmt: skip
    assert [one.criteria for one in report.assessments] == ["qd4725"]


def test_a_merged_school_keeps_its_reports_and_freezes_no_more(world: World, tmp_path: Path) -> None:
    from schoolwatch_server import fleet

    with begin_write(world.engine) as conn:
        commune, _ = places(world)
        registry.create_school(conn, commune, "T", "Trường khác", "THCS", NOW)
    row = freeze(world)
    kept = body(world, row)
    fleet.merge(world.engine, "S", "T", by="lan", now=NOW + 50)
    with begin_read(world.engine) as conn:
        found = reports.found(conn, row.sha256, Scope("commune", commune))
    assert found is not None, "whoever manages the place still reads it"
    assert body(world, found) == kept
    with pytest.raises(ReportError, match="no_place"):
        freeze(world, note="trường đã sáp nhập")


def test_a_report_tells_how_punctual_the_place_was_with_all_below_it(world: World) -> None:
    # the school came into the register at NOW, 21 September: from then on October and November were due
    head = somebody("school_head", "school", world.school)
    for month, at in ((10, _noon(2026, 10, 19)), (11, _noon(2026, 11, 20))):  # the last day; a day late
        row = freeze(world, period=f"2026-{month}", now=at)
        keeping.act(world.engine, row.sha256, head, "hand_in", "", now=at)
    for level, code in (("school", "S"), ("commune", "C"), ("province", "P")):
        report = content.decode(body(world, freeze(world, level, code, kind="year", now=_noon(2026, 11, 25))))
        (told,) = (value for value in report.values if value.code == "I-30")
        assert (told.value, told.numerator, told.denominator) == (0.5, 1.0, 2.0), level
    assert {part.values[-1].value for part in report.parts} == {0.5}
    first = content.decode(body(world, freeze(world, kind="quarterly", now=NOW + 60)))
    assert (first.values[-1].value, first.values[-1].reason) == (None, "nothing_due")


def _noon(year: int, month: int, day: int) -> float:
    return ends(date(year, month, day)) - 43200
