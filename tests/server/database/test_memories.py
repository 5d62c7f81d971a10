"""What rules remember of a computer is one row: older databases are packed whole or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, exc, select, text

from reports import NOW, World
from schoolwatch_server.database import memories
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import MIGRATIONS, begin_read, begin_write, migrate, open_database
from schoolwatch_server.rules.memory import FACTS, pack, unpack
from schoolwatch_server.rules.sighted import Sighted
from schoolwatch_server.rules.step import Evidence, RuleState
from schoolwatch_server.rules.subject import Subject, device
from schoolwatch_server.state import Text

FINE = RuleState(NOW, condition=7)
OPEN = RuleState(
    NOW, condition=8, is_open=True, opened_since=NOW - 600, first=Evidence(5, NOW, {'a.b{"c":"d"}': None})
)
FACT = {'link.medium{"nic":"eth0"}': Text("wired", "", NOW), "os.build": Text(None, "not told", NOW)}

OPEN_OLD = {
    "taken_at": NOW,
    "condition": 8,
    "is_open": True,
    "opened_since": NOW - 600,
    "first": {
        "journal": 5,
        "taken_at": NOW,
        "readings": {'a.b{"c":"d"}': None},
        "facts": {},
        "arrived_at": 0.0,
        "sighting": "",
        "subject": "",
        "detail": {},
    },
}
OLD = [
    ("antivirus_off", "3", {"taken_at": NOW, "condition": 7}),
    ("disk_full", "3", OPEN_OLD),
    (FACTS, "3", {name: [one.value, one.reason, one.taken_at] for name, one in FACT.items()}),
    ("antivirus_off", "4", {"taken_at": NOW, "condition": 7}),
]
STAY = [
    ("device_silent", "3", {"is_open": True, "opened_since": NOW}),  # a watch's
    (
        "device_clone",
        "3",
        {"journal": 5, "is_open": True, "since": NOW, "last": NOW, "heard": NOW, "count": 1},
    ),
    ("device_clone", "3:part", {"journal": 5, "count": 1}),
    ("line_down", "school:3", {"is_open": True}),
    ("antivirus_off", "99", {"taken_at": NOW}),  # of a computer that was erased
]


@pytest.fixture
def older(tmp_path: Path) -> str:
    """A database of before, with memory of two computers."""
    url = f"sqlite:///{tmp_path / 'schoolwatch.db'}"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(url)
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0045")
        for id_ in (3, 4, 5):
            conn.execute(text(f"INSERT INTO device (id, device, created_at) VALUES ({id_}, 'd{id_}', 0)"))
        for rule, subject, body in OLD + STAY:
            row = {"rule": rule, "subject": subject, "body": json.dumps(body)}
            conn.execute(text("INSERT INTO rule_state VALUES (:rule, :subject, :body)"), row)
    engine.dispose()
    return url


def left(url: str) -> list[tuple]:
    engine = create_engine(url)
    with begin_read(engine) as conn:
        rows = [tuple(row) for row in conn.execute(select(t.rule_state))]
    engine.dispose()
    return sorted(rows, key=str)


def test_an_older_database_is_packed_and_nothing_is_forgotten(older: str) -> None:
    migrate(older)
    engine = open_database(older)
    with begin_read(engine) as conn:
        found = memories.of_devices(conn, [3, 4, 5])
    engine.dispose()
    assert found == {
        device(3): {"antivirus_off": FINE, "disk_full": OPEN, FACTS: FACT},
        device(4): {"antivirus_off": FINE},
    }
    assert left(older) == sorted(STAY, key=str)


def test_killed_in_the_middle_it_is_as_before_and_is_packed_the_next_time(older: str) -> None:
    def fail(conn, cursor, sql: str, *_: object) -> None:
        if sql.startswith("DELETE FROM rule_state"):
            raise exc.OperationalError(sql, {}, Exception("killed here"))

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(Exception, match="killed here"):
            migrate(older)
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
    assert left(older) == sorted(OLD + STAY, key=str)
    migrate(older)
    assert left(older) == sorted(STAY, key=str)


def test_a_row_is_what_was_put_in_without_what_was_seen() -> None:
    kept = {"antivirus_off": FINE, "disk_full": OPEN, FACTS: FACT, "device_clone": Sighted(5)}
    assert unpack(pack(kept)) == {"antivirus_off": FINE, "disk_full": OPEN, FACTS: FACT}
    assert unpack(pack({})) == {}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.engine.dispose()


def test_one_rule_is_forgotten_and_others_are_not(world: World) -> None:
    one, two, three = (pc.id for pc in world.enrol(3))
    kept = {
        device(one): {"disk": FINE, "disk_full": OPEN},
        device(two): {"disk_full": OPEN},
        device(three): {"disk": FINE},
    }
    with begin_write(world.engine) as conn:
        memories.write(conn, kept | {Subject("device", one, "part"): {"device_clone": Sighted(5)}})
        assert memories.of_devices(conn, [one, two, three, 99]) == kept
        assert memories.remembering(conn, "disk") == {one, three}
        memories.forget(conn, "disk", {two})
        assert memories.of_devices(conn, [one, two, three]) == kept
        memories.forget(conn, "disk", {three})
        assert memories.remembering(conn, "disk") == {one}
        memories.forget(conn, "disk")
        assert memories.of_devices(conn, [one, two, three]) == {
            device(one): {"disk_full": OPEN},
            device(two): {"disk_full": OPEN},
        }
        memories.forget(conn, "disk_full")
        assert conn.execute(select(t.rule_memory)).all() == []
