"""What watches find becomes an incident and is over again, without a trace of what is in order."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import NOW, World
from schoolwatch_server import incidents, rules, watches
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import incident_rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.rules.subject import KINDS, PART_MAX, Subject, parse
from schoolwatch_server.rules.watch import PARAMETERS, Finding, watch
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.watches.sight import Sight

RULES = tuple(rule for rule in rules.load() if rule.id == "site_down")
DOWN = Finding(Subject("school", 1), value=True, facts={"finding.site_address": "truong.edu.vn"})


@given(
    st.builds(
        Subject,
        st.sampled_from(KINDS),
        st.integers(0, 2**62),
        st.text(st.characters(categories=("L", "N", "P")), max_size=PART_MAX),
    )
)
def test_a_subject_is_read_as_it_was_written(subject: Subject) -> None:
    assert parse(str(subject)) == subject
    assert len(str(subject)) <= 60


def test_each_watch_has_its_parameters() -> None:
    assert watches.WATCHES.keys() == PARAMETERS.keys()


def test_it_opens_after_its_time_and_closes_when_it_is_no_longer_found() -> None:
    memory, opened = watch(RULES, {"site_down": [DOWN]}, NOW, {})
    assert opened == ()
    memory, opened = watch(RULES, {"site_down": [DOWN]}, NOW + 1800, memory)
    assert [(one.event.kind, one.event.since) for one in opened] == [("opened", NOW)]
    unknown = Finding(DOWN.subject, value=None)
    assert watch(RULES, {"site_down": [unknown]}, NOW + 1900, memory) == ({}, ())
    assert watch(RULES, {}, NOW + 1900, memory) == ({}, ()), "nobody looked"
    memory, closed = watch(RULES, {"site_down": []}, NOW + 2000, memory)
    assert [one.event.kind for one in closed] == ["closed"]
    assert memory == {("site_down", DOWN.subject): {}}, "and is forgotten"


def found(world: World, about: Subject, at: float, *, value: bool = True) -> int:
    findings = {"site_down": [Finding(about, value=value)]}
    return incidents.judge_found(world.engine, RULES, findings, ("json-a",), at)


@pytest.mark.parametrize(
    ("about", "sees"),
    [
        (lambda w: Subject("school", w.school), {"all", "province", "commune", "school"}),
        (lambda w: Subject("commune", place(w).commune_id), {"all", "province", "commune"}),
        (lambda w: Subject("province", place(w).province_id, "viettel"), {"all", "province"}),
        (lambda _: Subject("server", 0), {"all"}),
    ],
    ids=["school", "commune", "province", "server"],
)
def test_an_incident_is_seen_by_those_whose_place_it_concerns(world: World, about, sees: set[str]) -> None:
    here = place(world)
    assert found(world, about(world), NOW) == 0
    assert found(world, about(world), NOW + 1800) == 1
    assert found(world, about(world), NOW + 1815) == 0, "it is open already"
    scopes = (
        EVERYTHING, Scope("province", here.province_id), Scope("commune", here.commune_id),
        Scope("school", world.school), Scope("province", 99), Scope("commune", 99), Scope("school", 99),
    )  # fmt: skip
    with begin_read(world.engine) as conn:
        seen = {scope.level for scope in scopes if incident_rows.incidents(conn, scope)}
        assert not [scope for scope in scopes[4:] if incident_rows.incidents(conn, scope)]
        assert conn.execute(t.notification.select()).all()
    assert seen == sees
    assert found(world, about(world), NOW + 1900, value=False) == 1
    with begin_read(world.engine) as conn:
        assert conn.execute(t.rule_state.select()).all() == []
        (row,) = incident_rows.incidents(conn, EVERYTHING)
    assert row.closed_at == NOW + 1900


def place(world: World):
    with begin_read(world.engine) as conn:
        return conn.execute(
            t.school.select()
            .join(t.commune)
            .where(t.school.c.id == world.school)
            .with_only_columns(t.school.c.commune_id, t.commune.c.province_id)
        ).one()


@pytest.mark.parametrize(
    "error", [ValueError("no such thing"), RuntimeError("generator raised StopIteration")]
)
def test_a_watch_that_breaks_leaves_the_others_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def breaks(*_: object) -> list[Finding]:
        raise error

    def finds(*_: object) -> list[Finding]:
        return [DOWN]

    other = RULES[0].__class__(**{f: getattr(RULES[0], f) for f in RULES[0].__struct_fields__} | {"id": "x"})
    monkeypatch.setattr(watches, "WATCHES", {"site_down": breaks})
    with begin_read(world.engine) as conn:
        assert watches.look(Sight(conn, ServerConfig(), NOW), RULES) == {}
        assert "broke" in caplog.text
        monkeypatch.setattr(watches, "WATCHES", {"site_down": finds})
        above = {"commune": place(world).commune_id, "province": place(world).province_id}
        here = msgspec.structs.replace(DOWN, above=above)
        assert watches.look(Sight(conn, ServerConfig(), NOW), [other]) == {"x": (here,)}


def test_a_watch_looks_on_when_the_servers_clock_is_set_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "WATCHES", {"site_down": lambda *_: [DOWN]})
    monkeypatch.setattr(watches, "EVERY", {"site_down": 300.0})
    looked: dict[str, float] = {}
    times = (NOW + 86400, NOW + 86401, NOW, NOW + 299, NOW + 300)
    with begin_read(world.engine) as conn:
        found = [bool(watches.look(Sight(conn, ServerConfig(), at), RULES, looked)) for at in times]
    assert found == [True, False, True, False, True]
