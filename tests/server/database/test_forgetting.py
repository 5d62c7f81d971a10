"""A clock that jumps forgets nothing: it is believed when computers agree, or when nobody says otherwise."""

import pytest

from databases import settings_of
from reports import NOW, RULES, World
from schoolwatch_server import chores, people
from schoolwatch_server.channel_book import Channels
from schoolwatch_server.database import forgetting, journal
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.forgetting import DAY, Belief, believed
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.sheets import packs_in_force, rules_in_force
from website import RunningSite

AHEAD = 200 * DAY


def report(world: World, devices, seq: int, at: float, own: float) -> None:
    """All of them, at `at` by the server's clock, `own` by theirs."""
    for device in devices:
        device.clock = own - at
        take(world.engine, [device.message(seq, at=at)], RULES)


def held_rows(world: World) -> int:
    with begin_read(world.engine) as conn:
        return len(journal.rows_after(conn, 0, 100))


@pytest.fixture
def server(world: World, monkeypatch: pytest.MonkeyPatch):
    """All chores, once each, at an instant."""
    config = settings_of(world.folder)

    def at(now: float) -> None:
        monkeypatch.setattr(chores.time, "time", lambda: now)
        sheets = packs_in_force(config, world.engine), rules_in_force(config, world.engine)
        due = chores.Chores(config, world.engine, *sheets, Channels(config, world.engine))
        for chore in due._plan:
            if "_if_believed" in str(chore.do):
                chore.do()

    return at


def test_a_clock_that_is_ahead_for_a_while_forgets_nothing_and_says_so(world, server, caplog) -> None:
    devices = world.enrol(3)
    people.create_account(
        world.engine, "head", "right horse battery", role="so_admin", scope=EVERYTHING, by="t", now=NOW
    )
    report(world, devices, 1, NOW, NOW)
    server(NOW)
    server(NOW + AHEAD)
    assert held_rows(world) == 3
    report(world, devices, 2, NOW + AHEAD + 60, NOW + 60)
    server(NOW + AHEAD + 30 * DAY)
    assert held_rows(world) == 6
    assert "200.0 days ahead of what it was" in caplog.text
    assert "+200.0 days off" in caplog.text
    with begin_read(world.engine) as conn:
        assert conn.execute(t.account.select()).one().disabled_at is None
        assert forgetting.is_doubtful(conn, NOW + AHEAD)
        assert max(conn.scalars(t.hearing.select().with_only_columns(t.hearing.c.newest))) * DAY < NOW + DAY
    with RunningSite(settings_of(world.folder)) as site:
        assert "lệch 200" in site.somebody("so_admin").get("/system").text
    report(world, devices, 3, NOW + 3600, NOW + 3600)
    server(NOW + 3600)
    with begin_read(world.engine) as conn:
        assert not forgetting.is_doubtful(conn, NOW + 3600)


def test_a_server_that_was_off_for_a_summer_goes_on_once_computers_agree(world, server) -> None:
    devices = world.enrol(3)
    report(world, devices, 1, NOW, NOW)
    server(NOW)
    server(NOW + AHEAD)
    assert held_rows(world) == 3
    report(world, devices, 2, NOW + AHEAD, NOW + AHEAD)
    with world.engine.begin() as conn:  # nobody has still to read it
        conn.execute(t.dirty.delete())
    server(NOW + AHEAD)
    assert held_rows(world) == 3, "the old ones have had their time"


def test_what_is_believed() -> None:
    right = Belief(NOW)
    assert believed(right, NOW + 3600, None) == Belief(NOW + 3600)
    assert believed(right, NOW + 3600, 2 * DAY) == Belief(NOW, 0.0, "denied", 2 * DAY)
    jumped = believed(right, NOW + AHEAD, None)
    assert jumped == Belief(NOW, NOW + AHEAD, "jumped")
    assert believed(jumped, NOW + AHEAD + 6 * DAY, None).why == "jumped"
    assert believed(jumped, NOW + AHEAD + 7 * DAY, None).why == ""
    assert believed(jumped, NOW + AHEAD + 30 * DAY, AHEAD).why == "denied", "whatever time passes"
    assert believed(jumped, NOW + 3600, None) == Belief(NOW + 3600), "it was set back"
    assert believed(Belief(NOW + AHEAD), NOW, None) == Belief(NOW), "and was believed meanwhile"
