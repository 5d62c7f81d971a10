"""What has had its time is gone from every table, and nothing else is."""

from collections.abc import Mapping

import pytest
from sqlalchemy import Connection, Table, select

from reports import NOW, World
from rows import Key, Rows
from schoolwatch_server.config import Retention
from schoolwatch_server.database import audit, retired
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.ages import AGES
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.marks import NEWEST
from schoolwatch_server.database.retention import Kept, prune
from schoolwatch_server.database.room_use import BACK
from schoolwatch_server.store.names import INCIDENT_OPENED, SERVER
from schoolwatch_server.store.rollup import DAY, HOUR
from schoolwatch_server.terms import CONFIGURED, TERMS
from schoolwatch_server.use import WEEK, newest_settled

TABLES: Mapping[str, Table] = t.metadata.tables
KEPT = Kept()


def test_every_table_says_how_it_ages_by_columns_that_it_has() -> None:
    assert {*AGES} == {*TABLES}, "say in database/ages.py how long the rows of a new table are kept"
    for name, age in AGES.items():
        assert {*age.by} <= {column.name for column in TABLES[name].columns}
        assert (age.how == "stays") == (age.term is None)


def test_the_settings_hold_each_term_within_its_bounds() -> None:
    assert {*CONFIGURED} < {*TERMS}
    for name in CONFIGURED:
        assert Retention().days(name) == TERMS[name].days
        assert TERMS[name].within(TERMS[name].days)
    assert TERMS["audit"].least >= 365
    assert TERMS["proof"].least >= 730, "a number of last school year must still be provable"
    assert {age.term for age in AGES.values() if age.term} | {"daily", "copy"} == {*TERMS}


def test_what_has_had_its_time_is_gone_from_every_table_and_the_rest_stays(world: World) -> None:
    with begin_write(world.engine) as conn:
        old, kept = aged(Rows(conn))
    assert {table for table, _ in old} == {name for name, age in AGES.items() if age.how != "stays"}
    assert prune(world.engine, NOW) > 0
    with begin_read(world.engine) as conn:
        left = {name: keys(conn, table) for name, table in TABLES.items()}
    assert [one for one in old if one[1] in left[one[0]]] == []
    assert [one for one in kept if one[1] not in left[one[0]]] == []
    assert prune(world.engine, NOW) == 0


@pytest.mark.database("sqlite")
def test_what_had_its_time_is_overwritten_in_the_file(world: World) -> None:
    marks = [b"a report's body that is old", b"the last state of a retired device"]
    with (
        world.engine.connect() as conn
    ):  # as SQLite comes on other systems: the same one connection of the pool
        conn.exec_driver_sql("PRAGMA secure_delete=OFF")
    with begin_write(world.engine) as conn:
        rows, over = Rows(conn), NOW - 400 * DAY
        rows.make(t.journal, received_at=over, taken_at=over, body=marks[0] * 20)
        device = rows.make(t.device, retired_at=over)
        rows.make(t.state_body, device_id=device[0], body=marks[1] * 20)
    prune(world.engine, NOW)
    world.engine.dispose()
    assert not list(world.folder.glob("schoolwatch.db-*")), "all is in the one file"
    held = (world.folder / "schoolwatch.db").read_bytes()
    assert [mark for mark in marks if mark in held] == []


def aged(rows: Rows) -> tuple[list[tuple[str, Key]], list[tuple[str, Key]]]:
    """Of each table rows that are over their term, and others that are not or not yet: (table, key)."""
    old: list[tuple[str, Key]] = []
    kept: list[tuple[str, Key]] = []
    for name, age in AGES.items():
        table = TABLES[name]
        if age.how == "stays":
            kept.append((name, rows.parent(table)))
            continue
        if name in OWN:
            continue
        assert age.term is not None
        for by in age.by:
            past = NOW - KEPT.of(age.term) * DAY
            old.append((name, rows.make(table, **{by: int(past - HOUR)})))
            kept.append((name, rows.make(table, **{by: int(past + HOUR)})))
            if table.c[by].nullable:
                kept.append((name, rows.make(table, **{by: None})))
    for make in OWN.values():
        make(rows, old, kept)
    return old, kept


Made = list[tuple[str, Key]]


def _journal(rows: Rows, old: Made, kept: Made) -> None:
    for made, at in ((old, NOW - 15 * DAY), (kept, NOW - 13 * DAY)):
        journal = rows.make(t.journal, received_at=at, taken_at=at)
        sighting = rows.make(t.sighting, journal_id=journal[0], received_at=at)
        made += [("journal", journal), ("sighting", sighting)]


def _sites(rows: Rows, old: Made, kept: Made) -> None:
    """A school has one present site; looks grow old by themselves, and go with a site that had its time."""
    proof, hourly = NOW - KEPT.of("proof") * DAY, NOW - KEPT.of("hourly") * DAY
    ended = rows.make(t.site, valid_to=proof - HOUR)
    old += [("site", ended), ("site_look", rows.make(t.site_look, site_id=ended[0], at=NOW))]
    kept.append(("site", rows.make(t.site, valid_to=proof + HOUR)))
    present = rows.parent(t.site)
    kept.append(("site", present))
    for made, at in ((old, hourly - HOUR), (kept, hourly + HOUR)):
        made.append(("site_look", rows.make(t.site_look, site_id=present[0], at=at)))


def _rollups(rows: Rows, old: Made, kept: Made) -> None:
    for table, resolution, days in (
        (t.rollup, HOUR, KEPT.of("hourly")),
        (t.rollup, DAY, KEPT.of("daily")),
        (t.use_rollup, HOUR, KEPT.of("journal") + 1),
        (t.use_rollup, DAY, KEPT.of("use")),
    ):
        for made, at in ((old, NOW - (days + 1) * DAY), (kept, NOW - (days - 1) * DAY)):
            made.append((table.name, rows.make(table, resolution=resolution, bucket=int(at))))


def _generations(rows: Rows, old: Made, kept: Made) -> None:
    over = NOW - (KEPT.of("generation") + 1) * DAY
    generation = rows.make(t.generation, heard_at=over)
    old += [("generation", generation), ("arrived", rows.make(t.arrived, generation_id=generation[0]))]
    kept += [("generation", rows.make(t.generation, heard_at=over)) for _ in range(NEWEST)]


def _judged(rows: Rows, old: Made, kept: Made) -> None:
    over = NOW - (KEPT.of("proof") + 1) * DAY
    series = rows.make(t.judged_series)[0]
    old.append(("judged", rows.make(t.judged, series_id=series, at=over)))
    kept.append(("judged", rows.make(t.judged, series_id=series, at=NOW - 366 * DAY)))
    kept.append(("judged", rows.make(t.judged, at=over)))  # the newest of its series: it still holds
    # what happened once holds no longer: an incident's beginning goes with incidents
    opened = rows.make(t.judged_series, measurement=INCIDENT_OPENED)[0]
    over, new = (NOW - (KEPT.of("incident") + days) * DAY for days in (1, -1))
    old.append(("judged", rows.make(t.judged, series_id=opened, at=over)))
    kept.append(("judged", rows.make(t.judged, series_id=opened, at=new)))
    lone = rows.make(t.judged_series, measurement=INCIDENT_OPENED)[0]
    old.append(("judged", rows.make(t.judged, series_id=lone, at=over)))
    health = rows.make(t.judged_series, measurement=SERVER)[0]
    old.append(("judged", rows.make(t.judged, series_id=health, at=NOW - (KEPT.of("hourly") + 1) * DAY)))
    kept.append(("judged", rows.make(t.judged, series_id=health, at=NOW - (KEPT.of("hourly") - 1) * DAY)))


def _declarations(rows: Rows, old: Made, kept: Made) -> None:
    over = NOW - (KEPT.of("proof") + 1) * DAY
    same = {"school_id": rows.parent(t.school)[0], "quantity": "students"}
    old.append(("declaration", rows.make(t.declaration, **same, declared_at=over - DAY)))
    kept.append(("declaration", rows.make(t.declaration, **same, declared_at=over)))  # held until the next
    kept.append(("declaration", rows.make(t.declaration, **same, declared_at=NOW)))


def _memberships(rows: Rows, old: Made, kept: Made) -> None:
    for made, days in ((old, KEPT.longest + 1), (kept, KEPT.longest - 1), (kept, None)):
        until = None if days is None else NOW - days * DAY
        made.append(("membership", rows.make(t.membership, valid_to=until)))


OF_AN_INCIDENT = (t.incident_mark, t.incident_sent, t.incident_form, t.escalation)


def _incidents(rows: Rows, old: Made, kept: Made) -> None:
    over = NOW - (KEPT.of("incident") + 1) * DAY
    for made, closed in ((old, over), (kept, NOW - DAY), (kept, None)):
        incident = rows.make(t.incident, opened_at=over, closed_at=closed)
        made.append(("incident", incident))
        made.append(("incident_event", rows.make(t.incident_event, at=over, incident_id=incident[0])))
        made.append(("notification", rows.make(t.notification, incident_id=incident[0])))
        for table in OF_AN_INCIDENT:
            made.append((table.name, rows.make(table, incident_id=incident[0])))


def _devices(rows: Rows, old: Made, kept: Made) -> None:
    """After a year the keys go, after the longest term the device; one that was never let in goes at once."""
    for days, let_in, device, rest in (
        (None, True, kept, kept),
        (364, True, kept, kept),
        (366, True, kept, old),
        (364, False, kept, kept),
        (366, False, old, old),
        (KEPT.longest + 1, True, old, old),
    ):
        id_ = rows.make(t.device, retired_at=None if days is None else NOW - days * DAY)
        device.append(("device", id_))
        rest += [(table.name, rows.make(table, device_id=id_[0])) for table in retired.STRIPPED]
        if let_in:
            rows.make(t.membership, device_id=id_[0], valid_to=None)


def _reports(rows: Rows, old: Made, kept: Made) -> None:
    for made, days in ((old, KEPT.of("report") + 1), (kept, KEPT.of("report") - 1)):
        report = rows.make(t.report, frozen_at=NOW - days * DAY)
        made += [("report", report), ("report_event", rows.make(t.report_event, report_id=report[0]))]


def _accounts(rows: Rows, old: Made, kept: Made) -> None:
    for made, at in ((old, NOW - (KEPT.of("audit") + 1) * DAY), (kept, NOW - DAY), (kept, None)):
        account = rows.make(t.account, disabled_at=at)
        session = rows.make(t.session, account_id=account[0], expires_at=NOW + DAY)  # goes with its account
        code = rows.make(t.recovery_code, account_id=account[0])
        made += [("account", account), ("session", session), ("recovery_code", code)]


def _audit(rows: Rows, old: Made, kept: Made) -> None:
    for made, at in ((old, NOW - (KEPT.of("audit") + 2) * DAY), (kept, NOW - KEPT.of("audit") * DAY + HOUR)):
        audit.record(rows.conn, actor="a", action="login", subject="a", detail={}, now=at)
        made.append(("audit", (audit.head(rows.conn)[0],)))


def _claims(rows: Rows, old: Made, kept: Made) -> None:
    over = NOW - (KEPT.of("proof") + 1) * DAY
    for made, state, at, replaced_at in (
        (old, "accepted", over - DAY, over),
        (kept, "accepted", over, None),  # it still counts
        (kept, "recognised", over, NOW - DAY),  # it counted until lately
        (old, "returned", over, None),
        (old, "draft", over, None),
        (kept, "withdrawn", NOW - DAY, None),
    ):
        number = len(old) + len(kept)
        same = {"school_id": rows.parent(t.school)[0], "question": f"q{number}"}
        claim = rows.make(t.claim, **same, revision=1, state=state, changed_at=at)
        body = rows.make(t.attachment_body)
        made += [("claim", claim), ("claim_event", rows.make(t.claim_event, claim_id=claim[0], at=at))]
        made += [("attachment", rows.make(t.attachment, claim_id=claim[0], body_id=body[0]))]
        made += [("attachment_body", body)]
        if replaced_at is not None:
            newer = rows.make(t.claim, **same, revision=2, state="accepted", changed_at=replaced_at)
            kept.append(("claim", newer))


OWN = {
    "claim": _claims,
    "claim_event": lambda *_: None,
    "attachment": lambda *_: None,
    "attachment_body": lambda *_: None,
    "device": _devices,
    **{table.name: lambda *_: None for table in retired.STRIPPED},
    "audit": _audit,
    "report": _reports,
    "report_event": lambda *_: None,
    "journal": _journal,
    "site": _sites,
    "site_look": lambda *_: None,
    "sighting": lambda *_: None,
    "rollup": _rollups,
    "use_rollup": lambda *_: None,
    "generation": _generations,
    "arrived": lambda *_: None,
    "judged": _judged,
    "declaration": _declarations,
    "membership": _memberships,
    "incident": _incidents,
    "incident_event": lambda *_: None,
    "notification": lambda *_: None,
    **{table.name: lambda *_: None for table in OF_AN_INCIDENT},
    "account": _accounts,
}


def keys(conn: Connection, table: Table) -> set[Key]:
    return {tuple(row) for row in conn.execute(select(*table.primary_key))}


def test_where_a_device_stood_is_known_for_as_long_as_anything_that_it_measured_there(world: World) -> None:
    """Else a school would see what a computer measured in another one."""
    kept = Kept({"proof": 730, "daily": 3660})
    with begin_write(world.engine) as conn:
        there = Rows(conn).make(t.membership, valid_to=NOW - 800 * DAY)
    prune(world.engine, NOW, kept)
    with begin_read(world.engine) as conn:
        assert there in keys(conn, t.membership)


def test_a_days_use_is_kept_until_the_week_of_its_room_must_have_been_summed() -> None:
    """The oldest week that is made up for begins so long before now, at the latest moment of a week."""
    for moment in range(int(NOW), int(NOW) + WEEK, DAY):
        oldest = newest_settled(moment) - (BACK - 1) * WEEK
        assert oldest > moment - KEPT.of("use") * DAY
    assert KEPT.of("use") < 12 * 7
