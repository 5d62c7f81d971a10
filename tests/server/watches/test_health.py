"""Sites, indicators that fall, and the server's own health: what is said, and what is not."""

import dataclasses
from collections.abc import Mapping
from datetime import date

import pytest
from msgspec.structs import replace

from databases import settings_of
from reports import NOW, World
from reports import RULES as RULES_OF_COMMIT
from schoolwatch_server import channels, incidents, packs, rules, texts, watches
from schoolwatch_server.backup import status
from schoolwatch_server.config import Notify, SeriesStore, ServerConfig
from schoolwatch_server.database import (
    channel_rows,
    duty_rows,
    incident_rows,
    judged,
    open_incidents,
    own_channel_rows,
    registry,
    sites,
    store_writer,
)
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.duty.shift import Shift
from schoolwatch_server.indicators.stored import MEASUREMENT, PLAN_ITEM, item_tags
from schoolwatch_server.intake.batch import take
from schoolwatch_server.packs import Item, Plan
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding, watch
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.serious import evidence
from schoolwatch_server.sites.look import Look, Tls, Way
from schoolwatch_server.store.series import Judged
from schoolwatch_server.watches import server
from schoolwatch_server.watches.sight import Sight

DAY = 86400.0
RULES: Mapping[str, Rule] = {rule.id: rule for rule in rules.load()}


def look(
    world: World, rule: str, now: float = NOW, *, config: ServerConfig | None = None, **more
) -> list[Finding]:
    config = config or settings_of(world.folder)
    with begin_read(world.engine) as conn:
        return list(watches.look(Sight(conn, config, now, **more), [RULES[rule]])[rule])


# --- sites --------------------------------------------------------------------------------------------

PAGE = Way("", 200, 0.1, is_https=True)
FINE = Look(PAGE, PAGE, Tls(is_trusted=True, issuer="CA", expires_at=NOW + 90 * DAY), leads_to_https=True)
WITHOUT_V6 = replace(FINE, v6=Way("no_record"))
DOWN = Look(Way("refused"), Way("refused"))


def seen(world: World, found: Look, at: float = NOW) -> None:
    with begin_write(world.engine) as conn:
        sites.change(conn, world.school, "https://truong.edu.vn", NOW - 100 * DAY, "test")
        (id_,) = conn.scalars(t.site.select().with_only_columns(t.site.c.id))
        sites.put(conn, [id_], found, at, {id_: at + DAY})


@pytest.mark.parametrize(
    ("left", "severity"), [(31, None), (29, "low"), (13, "medium"), (6, "high"), (-1, "high")]
)
def test_a_certificate_is_told_thirty_days_before_it_ends(world: World, left: int, severity) -> None:
    seen(world, replace(FINE, tls=replace(FINE.tls, expires_at=NOW + (left + 0.5) * DAY)))
    assert [one.severity for one in look(world, "site_certificate")] == ([severity] if severity else [])


def test_a_certificate_is_one_incident_that_gets_worse(world: World) -> None:
    subject, rule = Subject("school", world.school), RULES["site_certificate"]
    memory, kinds = {}, []
    for severity in ("low", "low", "medium", "medium", "high"):
        finding = Finding(subject, True, severity=severity)
        changed, told = watch([rule], {rule.id: [finding]}, NOW, memory)
        memory |= changed
        kinds += [(one.event.kind, one.event.severity) for one in told]
    assert kinds == [("opened", "low"), ("worsened", "medium"), ("worsened", "high")]


def test_a_site_that_is_down_says_nothing_of_its_certificate(world: World) -> None:
    seen(world, DOWN)
    assert [one.value for one in look(world, "site_certificate")] == [None]
    assert [one.value for one in look(world, "site_untrusted")] == [None]


def test_a_site_without_ipv6_is_told_only_when_it_had_it(world: World) -> None:
    seen(world, WITHOUT_V6, NOW - 2 * DAY)
    assert look(world, "site_ipv6_lost") == []
    seen(world, FINE, NOW - DAY)
    assert look(world, "site_ipv6_lost") == []
    seen(world, WITHOUT_V6, NOW)
    assert [one.value for one in look(world, "site_ipv6_lost")] == [True]


def test_a_site_that_lost_ipv6_long_ago_is_not_mended_by_that(world: World) -> None:
    seen(world, FINE, NOW - 95 * DAY)
    seen(world, WITHOUT_V6, NOW)
    assert look(world, "site_ipv6_lost") == [], "it is how the site is by now"
    open_now = {"site_ipv6_lost": {Subject("school", world.school): NOW - 94 * DAY}}
    assert [one.value for one in look(world, "site_ipv6_lost", open_now=open_now)] == [True]


# --- indicators ---------------------------------------------------------------------------------------


def measured(
    world: World, value: float | None, days_ago: float, item: dict[str, str] | None = None, **place: str
) -> None:
    about = item or {"indicator": "antivirus_coverage"}
    tags = {"province": "1", "commune": "1", **about, **place}
    measurement = PLAN_ITEM if item else MEASUREMENT
    row = Judged(measurement, tags, NOW - days_ago * DAY, value, 1.0, 1.0, 1.0, "p@1")
    with begin_write(world.engine) as conn:
        judged.write(conn, [row])


NUMBER = packs.Number(0.9, "ratio", "d", "c", "P")


def with_target(
    world: World,
    rule: str,
    plans: tuple[Plan, ...] = (),
    *,
    number: packs.Number | None = NUMBER,
    **more,
) -> list[Finding]:
    """Looks with a target for one indicator alone."""
    loaded = packs.load()
    changed = tuple(
        replace(
            pack,
            indicators={
                name: replace(one, target=number if name == "antivirus_coverage" else None)
                for name, one in pack.indicators.items()
            },
        )
        for pack in loaded.packs
    )
    config = settings_of(world.folder)
    with begin_read(world.engine) as conn:
        sight = Sight(
            conn, config, NOW, in_force=dataclasses.replace(loaded, packs=changed, plans=plans), **more
        )
        return list(watches.look(sight, [RULES[rule]])[rule])


def test_an_indicator_that_met_its_target_and_does_not_now(world: World) -> None:
    school = {"level": "school", "school": str(world.school)}
    measured(world, 0.95, 10, **school)
    assert with_target(world, "indicator_fell") == []
    measured(world, 0.8, 1, **school)
    (one,) = with_target(world, "indicator_fell")
    assert one.subject == Subject("school", world.school, "antivirus_coverage")
    assert (one.value, one.readings["finding.indicator_value"]) == (True, 0.8)
    measured(world, None, 0, **school)
    assert [one.value for one in with_target(world, "indicator_fell")] == [None], "unknown closes nothing"


def test_what_never_met_its_target_or_long_ago_is_no_incident(world: World) -> None:
    school = {"level": "school", "school": str(world.school)}
    measured(world, 0.95, 80, **school)
    measured(world, 0.8, 1, **school)
    assert with_target(world, "indicator_fell") == []
    since = {Subject("school", world.school, "antivirus_coverage"): NOW - 70 * DAY}
    (one,) = with_target(world, "indicator_fell", open_now={"indicator_fell": since})
    assert one.value is True, "an incident is not over because its beginning is long ago"


def test_an_incident_of_many_schools_lasts_and_needs_no_value_of_the_commune(world: World) -> None:
    measured(world, 0.95, 80, level="commune")
    measured(world, None, 1, level="commune")
    for school in ("1", "2", "3"):
        measured(world, 0.95, 80, level="school", school=school)
        measured(world, 0.5, 1, level="school", school=school)
    assert with_target(world, "indicator_fell_widely") == []
    since = {Subject("commune", 1, "antivirus_coverage"): NOW - 70 * DAY}
    (one,) = with_target(world, "indicator_fell_widely", open_now={"indicator_fell_widely": since})
    assert (one.subject, one.value) == (Subject("commune", 1, "antivirus_coverage"), True)


def test_many_schools_at_once_are_one_of_the_commune(world: World) -> None:
    for school in ("1", "2", "3"):
        measured(world, 0.95, 10, level="school", school=school)
        measured(world, 0.5, 1, level="school", school=school)
    (one,) = with_target(world, "indicator_fell_widely")
    assert one.subject == Subject("commune", 1, "antivirus_coverage")
    assert one.readings["finding.indicator_schools"] == 3
    assert RULES["indicator_fell"].silenced_by == ("indicator_fell_widely",)


def plan(*items: Item, id_: str = "so", **more) -> Plan:
    return Plan(kind="plan", id=id_, version=1, vi="Kế hoạch", number="247/KH-UBND",
                date=date(2025, 3, 1), issuer="UBND tỉnh", items=items, **more)  # fmt: skip


def asked(target: float, **more) -> Item:
    given = {"id": "virus", "vi": "Máy được bảo vệ", "indicator": "antivirus_coverage", "clause": "mục II.3"}
    return Item(**given | {"target": target, "confidence": "V-seed", "deadline": date(2030, 12, 31)} | more)


def test_what_a_plan_asks_of_a_school_stands_for_the_number_of_the_definition(world: World) -> None:
    school = {"level": "school", "school": str(world.school)}
    plans = (plan(asked(0.8)),)
    measured(world, 0.95, 3, **school)
    measured(world, 0.85, 1, **school)
    assert with_target(world, "indicator_fell", plans) == [], "0.9 is asked where no plan asks anything"
    measured(world, 0.7, 0, **school)
    (one,) = with_target(world, "indicator_fell", plans)
    assert one.subject == Subject("school", world.school, "antivirus_coverage")
    assert one.readings == {"finding.indicator_value": 0.7, "finding.indicator_target": 0.8}
    assert one.facts == {
        "finding.indicator_name": "antivirus_coverage",
        "finding.target_document": "247/KH-UBND ngày 01/03/2025 của UBND tỉnh",
        "finding.target_clause": "mục II.3",
        "finding.target_confidence": "V-seed",
        "finding.target_deadline": "2030-12-31",
    }
    told = evidence.told("finding.target_deadline", "2030-12-31", texts.load(), "vi")
    assert told == "31/12/2030"


def test_a_plan_whose_number_was_never_reached_or_is_of_others_opens_nothing(world: World) -> None:
    school = {"level": "school", "school": str(world.school)}
    measured(world, 0.95, 3, **school)
    measured(world, 0.91, 1, **school)
    late = asked(0.99, deadline=date(2020, 12, 31))
    for item in (late, asked(0.93, former_places=("Nơi khác",)), asked(0.93, unit="count")):
        assert with_target(world, "indicator_fell", (plan(item),)) == []
    assert with_target(world, "indicator_fell", (plan(asked(0.93)),)) != []


def test_a_target_that_is_raised_ends_no_incident_and_one_that_is_met_does(world: World) -> None:
    school = {"level": "school", "school": str(world.school)}
    measured(world, 0.95, 3, **school)
    measured(world, 0.7, 1, **school)
    since = {"indicator_fell": {Subject("school", world.school, "antivirus_coverage"): NOW - DAY}}
    higher = (plan(asked(0.97, id="a"), asked(0.99, id="b")),)
    assert with_target(world, "indicator_fell", higher) == [], "it never met them"
    (one,) = with_target(world, "indicator_fell", higher, open_now=since)
    assert (one.value, one.readings["finding.indicator_target"]) == (True, 0.99)
    measured(world, None, 0.5, **school)
    (one,) = with_target(world, "indicator_fell", higher, open_now=since)
    assert one.value is None
    measured(world, 0.7, 0, **school)
    steps = (plan(asked(0.6, id="a"), asked(0.99, id="b")),)
    assert with_target(world, "indicator_fell", steps, open_now=since) == [], (
        "a step further on is to be done"
    )


@pytest.mark.parametrize(
    ("value", "plans", "events", "state"),
    [
        (0.7, (), ["opened", "untargeted"], "withdrawn"),
        (0.7, (0.6,), ["opened", "untargeted"], "withdrawn"),
        (0.7, (0.99,), ["opened"], "open"),
        (0.85, (), ["opened", "closed"], "evidence"),
        (0.85, (0.8,), ["opened", "closed"], "evidence"),
    ],
    ids=["taken away", "lowered", "raised", "mended and taken away", "mended"],
)
def test_a_target_that_is_taken_away_is_no_repair(
    world: World, value: float, plans: tuple[float, ...], events: list[str], state: str
) -> None:
    """An official who reads the list later must not find a repair that nobody made."""
    rule = RULES["indicator_fell"]
    school = {"level": "school", "school": str(world.school)}
    measured(world, 0.95, 3, **school)
    measured(world, 0.7, 1, **school)

    def judged_with(targets: tuple[float, ...], now: float) -> None:
        with begin_read(world.engine) as conn:
            open_now = {rule.id: open_incidents.of_rules(conn, [rule.id]).get(rule.id, {})}
            told = {
                "open_now": open_now,
                "opened_on": open_incidents.evidence(conn, open_now[rule.id]),
            }
        asked_now = tuple(plan(asked(target)) for target in targets)
        found = {rule.id: with_target(world, rule.id, asked_now, number=None, **told)}
        incidents.judge_found(world.engine, [rule], found, (), now)

    for now in (NOW, NOW + 3 * DAY):
        judged_with((0.8,), now)
    measured(world, value, 0, **school)
    for now in (NOW + 4 * DAY, NOW + 6 * DAY):
        judged_with(plans, now)
    with begin_read(world.engine) as conn:
        (row,) = incident_rows.incidents(conn, EVERYTHING)
        assert [event.kind for event in incident_rows.events(conn, row.id)] == events
    assert row.state == state


def test_of_several_targets_one_finding_of_the_one_that_binds_first(world: World) -> None:
    school = {"level": "school", "school": str(world.school)}
    measured(world, 0.95, 3, **school)
    measured(world, 0.5, 1, **school)
    plans = (plan(asked(0.6, mandatory=False), id_="khac"), plan(asked(0.8, id="a"), asked(0.9, id="b")))
    (one,) = with_target(world, "indicator_fell", plans)
    assert one.readings["finding.indicator_target"] == 0.9
    measured(world, 0.85, 0, **school)
    (one,) = with_target(world, "indicator_fell", plans)
    assert one.readings["finding.indicator_target"] == 0.9, "0.8 is met again"


def test_what_a_plan_asks_of_some_schools_of_a_commune_is_held_against_these(world: World) -> None:
    with begin_write(world.engine) as conn:
        conn.execute(t.school.update().values(level="THPT"))
        (commune,) = conn.scalars(t.school.select().with_only_columns(t.school.c.commune_id))
        other = registry.create_school(conn, commune, "KHAC", "Trường khác", "TH", NOW)
    place = {"level": "commune", "commune": str(commune)}
    measured(world, 0.95, 3, **place)
    measured(world, 0.5, 1, **place)
    measured(world, 0.95, 3, item_tags("so", "virus"), **place)
    measured(world, 0.91, 1, item_tags("so", "virus"), **place)
    upper = (plan(asked(0.9, levels=("THPT",))),)
    (one,) = with_target(world, "indicator_fell_widely", upper)
    assert "finding.target_deadline" not in one.facts, "the whole fell below the definition's number"
    measured(world, 0.95, 0, **place)
    assert with_target(world, "indicator_fell_widely", upper) == []
    measured(world, 0.7, 0, item_tags("so", "virus"), **place)
    (one,) = with_target(world, "indicator_fell_widely", upper)
    assert one.subject == Subject("commune", commune, "antivirus_coverage")
    assert one.readings["finding.indicator_value"] == 0.7
    measured(world, 0.95, 3, level="school", school=str(other))
    measured(world, 0.85, 1, level="school", school=str(other))
    (one,) = with_target(world, "indicator_fell", upper)
    assert one.facts["finding.target_confidence"] == "P", "the plan is not about this school"


# --- the server ---------------------------------------------------------------------------------------


def test_a_full_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        total, free = 100 * 10**9, 50 * 10**9

    monkeypatch.setattr(server.shutil, "disk_usage", lambda _: Usage)
    assert look(world, "server_disk") == []
    Usage.free = 8 * 10**9
    assert [one.severity for one in look(world, "server_disk")] == ["high"]
    Usage.free = 4 * 10**9
    assert [one.severity for one in look(world, "server_disk")] == ["critical"]


def test_a_backup_that_failed_or_is_too_old(world: World) -> None:
    assert look(world, "server_backup") == []
    status.change(world.folder, failed=status.Failed(NOW, "x"))
    assert [one.facts for one in look(world, "server_backup")] == [{"finding.server_backup": "failed"}]
    done = status.Done(NOW + 1, 1.0, "t", "s", 1, 1, {})
    status.change(world.folder, done=done)
    assert look(world, "server_backup", NOW + 60) == []
    assert [one.value for one in look(world, "server_backup", NOW + 30 * DAY)] == [True]
    (world.folder / "backup" / "status.json").write_text("{", encoding="utf-8")
    assert [one.facts for one in look(world, "server_backup")] == [{"finding.server_backup": "unknown"}]


def test_a_clock_that_nobody_else_has_one_to_compare_with(world: World) -> None:
    asked = {"window": 3600.0, "least": 0.0, "seconds": 60.0}
    with begin_read(world.engine) as conn:
        sight = Sight(conn, settings_of(world.folder), NOW)
        assert list(watches.WATCHES["server_clock"](sight, asked)) == []


def test_a_clock_that_differs_from_all_others(world: World) -> None:
    devices = world.enrol(20)

    def ahead(seconds: float) -> None:
        with begin_write(world.engine) as conn:
            conn.execute(t.generation.delete())
            rows = [
                {
                    "device_id": d.id, "spool": "s", "heard_at": NOW,
                    "clock_offset": seconds + n, "at_its_word": False,
                }
                for n, d in enumerate(devices)
            ]  # fmt: skip
            conn.execute(t.generation.insert(), rows)

    ahead(0)
    assert look(world, "server_clock") == []
    ahead(300)
    assert [one.value for one in look(world, "server_clock")] == [True]
    assert look(world, "server_clock", NOW + 2 * DAY) == [], "nobody was measured lately"


def test_a_reader_that_is_behind(world: World) -> None:
    with begin_write(world.engine) as conn:
        conn.execute(t.cursor.insert(), {"name": "rules", "position": 0, "moved_at": NOW})
    assert look(world, "server_behind") == []
    rule = RULES["server_behind"]
    strict = replace(rule, condition=replace(rule.condition, parameters={"rows": -1.0}))
    with begin_read(world.engine) as conn:
        (one,) = watches.look(Sight(conn, ServerConfig(), NOW), [strict])[rule.id]
    assert one.subject == Subject("server", 0, "rules")


def test_a_channel_that_refuses_and_one_that_was_taken_out_of_the_file(world: World) -> None:
    file = world.folder / "channels"
    file.write_text("json://127.0.0.1:1/\n", encoding="utf-8")
    file.chmod(0o600)
    (there,) = channels.read(file)
    rows = [
        {"nonce": name, "channel": name, "kind": "one", "made_at": NOW, "attempts": 3, "due_at": NOW}
        for name in (there, "json-gone", "channel:7")
    ]
    with begin_write(world.engine) as conn:
        conn.execute(t.delivery.insert(), rows)
    config = settings_of(world.folder, notify=Notify(urls_file=str(file)))
    found = look(world, "server_channels", config=config)
    assert [(one.subject.part, one.value) for one in found] == [(there, True)]
    file.chmod(0o644)
    found = look(world, "server_channels", config=config)
    assert {(one.subject.part, one.value) for one in found} == {(there, None), ("json-gone", None)}


def test_no_limit_at_all_is_no_growth(world: World) -> None:
    rule = RULES["quarantine_growth"]
    none = replace(rule, condition=replace(rule.condition, parameters={"frames": 0.0}))
    with begin_read(world.engine) as conn:
        assert watches.look(Sight(conn, ServerConfig(), NOW), [none]) == {rule.id: ()}


def test_a_persons_own_channel_that_refuses_is_no_trouble_of_the_server_unless_it_is_on_duty(
    world: World,
) -> None:
    with begin_write(world.engine) as conn:
        hashed = {"name": "cô Hoa", "password_hash": "x", "role": "school_head", "created_at": NOW}
        account = conn.execute(
            t.account.insert(), hashed | {"scope_level": "school", "scope_id": world.school}
        ).inserted_primary_key[0]
        number = channel_rows.add(conn, "của tôi", "webhook", "json://127.0.0.1:1/", "vi", account, NOW)
        own_channel_rows.set_wish(conn, number, "low", NOW, is_quiet=False)
        conn.execute(t.channel.update().values(confirmed_at=NOW))
        key = f"channel:{number}"
        row = {"nonce": "n", "channel": key, "kind": "one", "made_at": NOW, "attempts": 3, "due_at": NOW}
        conn.execute(t.delivery.insert(), row)
    assert look(world, "server_channels") == []
    with begin_write(world.engine) as conn:
        every = frozenset(range(7))
        duty_rows.put(conn, Shift(0, "trực", EVERYTHING, "low", every, 0, 0, (key,)), NOW)
    assert [one.subject.part for one in look(world, "server_channels")] == [key]


def test_an_alertmanager_that_takes_nothing_for_minutes_is_trouble_until_it_is_switched_off(
    world: World,
) -> None:
    with begin_write(world.engine) as conn:
        number = channel_rows.add(
            conn, "am", "alertmanager", "alertmanager://127.0.0.1:1", "vi", None, NOW - 300
        )
        key = f"channel:{number}"
        channel_rows.noted(conn, key, "no answer (ConnectError)", NOW - 200)
    assert look(world, "server_channels") == [], "it may be back in a minute"
    with begin_write(world.engine) as conn:
        channel_rows.noted(conn, key, "no answer (ConnectError)", NOW)
    (found,) = look(world, "server_channels")
    assert (found.subject.part, found.readings) == (key, {"finding.server_alerts_seconds": 300.0})
    with begin_write(world.engine) as conn:
        channel_rows.switch(conn, number, NOW, is_on=False)
    assert look(world, "server_channels") == []


# --- the store of series beside the database ----------------------------------------------------------


def test_a_store_that_lacks_reports_is_told_after_a_while_and_more_urgently_after_a_week(
    world: World,
) -> None:
    section = SeriesStore("victoriametrics", "http://127.0.0.1:8428")
    config = settings_of(world.folder, store=section)
    (device,) = world.enrol()
    with begin_write(world.engine) as conn:
        held = store_writer.begin(conn, section.place)
        store_writer.save(conn, held.turn, replace(held.progress, error="ConnectError: refused"))
    take(world.engine, [device.message(1)], RULES_OF_COMMIT)
    assert look(world, "server_store_behind", NOW + 899, config=config) == []
    assert look(world, "server_store_behind", NOW + 9 * DAY) == []
    (found,) = look(world, "server_store_behind", NOW + 901, config=config)
    assert found.severity == "medium"
    assert found.readings == {"finding.server_store_reports": 1.0, "finding.server_store_seconds": 901.0}
    assert found.facts == {"finding.server_store_error": "ConnectError: refused"}
    (found,) = look(world, "server_store_behind", NOW + 8 * DAY, config=config)
    assert found.severity == "high"
