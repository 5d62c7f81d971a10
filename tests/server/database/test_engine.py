"""The database opens, migrates, and says in one line what to do when it cannot be used."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, exc, insert, inspect, select, text

from schoolwatch_server.config import of_data
from schoolwatch_server.database import rollups, states
from schoolwatch_server.database.engine import (
    MIGRATIONS,
    DatabaseError,
    begin_read,
    begin_write,
    epoch,
    migrate,
    open_database,
    renew_epoch,
)
from schoolwatch_server.database.tables import meta, metadata, state
from schoolwatch_server.state import State, Value, pack
from schoolwatch_server.store import rollup
from schoolwatch_server.store.rollup import Fold


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = of_data(tmp_path).database_url
    migrate(url)
    return url


def schema_of(path: Path) -> set[tuple[str, str]]:
    """Every table's columns, keys and indexes as SQLite itself reports them."""
    with sqlite3.connect(path) as conn:
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        told = {("tables", str(sorted(set(tables) - {"alembic_version", "sqlite_sequence"})))}
        for table in set(tables) - {"alembic_version"}:
            for pragma in ("table_info", "foreign_key_list"):
                rows = conn.execute(f"PRAGMA {pragma}({table})").fetchall()
                told.add(
                    (
                        f"{pragma} {table}",
                        str(sorted(str(row[2:] if "key" in pragma else row) for row in rows)),
                    )
                )
        told |= {
            (name, " ".join(str(sql).split()))
            for name, sql in conn.execute("SELECT name, sql FROM sqlite_master WHERE type='index'")
            if sql is not None
        }
        told |= {
            (name, "AUTOINCREMENT")
            for name, sql in conn.execute("SELECT name, sql FROM sqlite_master WHERE type='table'")
            if "AUTOINCREMENT" in sql
        }
    conn.close()
    return told


def test_migrated_schema_is_the_tables(url: str, tmp_path: Path) -> None:
    engine = open_database(url)
    with begin_read(engine) as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
    engine.dispose()
    direct = create_engine(f"sqlite:///{tmp_path / 'direct.db'}")
    metadata.create_all(direct)
    direct.dispose()
    assert schema_of(tmp_path / "schoolwatch.db") == schema_of(tmp_path / "direct.db")


def test_the_use_of_single_computers_moves_out_of_the_summaries(tmp_path: Path) -> None:
    """From the shape before 0015; what is not of rooms alone stays where it was."""
    path = tmp_path / "schoolwatch.db"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    use, load = Fold(1, 60.0, 60.0, 60.0, 60.0, 7.0), Fold(2, 1.0, 0.5, 0.5, 0.5, 7.0)
    bodies = {0: {"use.on": use, "processor.load": load}, 3600: {"processor.load": load}}
    bodies[7200] = {"use.on": use}
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0014")
        conn.execute(text("INSERT INTO device (id, device, created_at) VALUES (3, 'd', 0)"))
        for bucket, folds in bodies.items():
            row = {"bucket": bucket, "body": rollup.pack(folds)}
            conn.execute(text("INSERT INTO rollup VALUES (3, 3600, :bucket, :body)"), row)
    engine.dispose()
    migrate(f"sqlite:///{path}")
    engine = open_database(f"sqlite:///{path}")
    with begin_read(engine) as conn:
        kept = rollups.read(conn, 3, 3600, 0, 9e3)
        use_kept = rollups.read_many(conn, (3,), 3600, 0, 9e3, "rooms")
    assert kept == {0: {"processor.load": load}, 3600: {"processor.load": load}, 7200: {}}
    assert use_kept == {3: {0: {"use.on": use}, 7200: {"use.on": use}}}
    engine.dispose()


def test_what_is_known_of_a_device_moves_into_its_own_table(tmp_path: Path) -> None:
    """From the shape before 0009, where the packed state lay beside the columns that are counted."""
    path = tmp_path / "schoolwatch.db"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    body = pack(State(readings={"processor.busy": Value(0.5, 7.0)}))
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0008")
        conn.execute(text("INSERT INTO device (id, device, created_at) VALUES (3, 'd', 0)"))
        conn.execute(
            text(
                "INSERT INTO state (device_id, taken_at, seq, heard_at, agent, protected, body)"
                " VALUES (3, 7.0, 2, 8.0, '1', 1, :body)"
            ),
            {"body": body},
        )
    engine.dispose()
    migrate(f"sqlite:///{path}")
    engine = open_database(f"sqlite:///{path}")
    with begin_read(engine) as conn:
        assert states.load(conn, 3) == State(readings={"processor.busy": Value(0.5, 7.0)})
        row = conn.execute(select(state.c.taken_at, state.c.seq, state.c.heard_at, state.c.protected)).one()
        assert tuple(row) == (7.0, 2, 8.0, True)
        assert conn.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()


def test_migrating_again_keeps_the_data_and_the_epoch(url: str) -> None:
    engine = open_database(url)
    with begin_read(engine) as conn:
        before = epoch(conn)
    migrate(url)
    with begin_read(engine) as conn:
        assert epoch(conn) == before
        assert len(before) == 16
    engine.dispose()


def test_a_renewed_epoch_is_another(url: str) -> None:
    engine = open_database(url)
    with begin_read(engine) as conn:
        before = epoch(conn)
    new = renew_epoch(engine)
    with begin_read(engine) as conn:
        assert epoch(conn) == new != before
    engine.dispose()


def test_the_file_with_the_keys_is_its_owners_alone(url: str, tmp_path: Path) -> None:
    engine = open_database(url)
    with begin_write(engine) as conn:
        conn.execute(insert(meta).values(key="a", value="b"))
        modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in tmp_path.glob("schoolwatch.db*")}
    engine.dispose()
    assert len(modes) == 4, "the file, its -wal and its -shm, and what turns are taken by"
    assert set(modes.values()) == {0o600}


def test_a_commit_is_synced_and_foreign_keys_hold(url: str) -> None:
    engine = open_database(url)
    with begin_read(engine) as conn:
        pragmas = {
            name: conn.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 20000}


def test_a_newer_database_is_refused(url: str) -> None:
    engine = open_database(url)
    with begin_write(engine) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for door in (open_database, migrate):
        with pytest.raises(DatabaseError, match=r"newer than this program .* install the newer") as caught:
            door(url)
        assert caught.value.trouble == "newer"
        assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "schoolwatch.db").write_bytes(b"this is a text and no database at all" * 100)
    for door in (open_database, migrate):
        with pytest.raises(DatabaseError, match="is no SQLite database") as caught:
            door(of_data(tmp_path).database_url)
        assert caught.value.trouble == "not_a_database"


def test_a_database_that_is_not_there_asks_for_migrate(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="run `schoolwatch-server migrate`") as caught:
        open_database(of_data(tmp_path).database_url)
    assert caught.value.trouble == "missing"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match=r"cannot be written .* choose a folder") as caught:
        migrate(of_data(tmp_path / "file").database_url)
    assert caught.value.trouble == "unwritable"


def test_a_read_only_database_is_unwritable(url: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as caught:
        open_database(f"sqlite:///file:{tmp_path / 'schoolwatch.db'}?mode=ro&uri=true")
    assert caught.value.trouble in {"unwritable", "missing"}


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "oracle9://user:hunter2@host/db"])
def test_a_url_that_means_nothing_is_told_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        open_database(url)
    assert caught.value.trouble == "url"
    assert "hunter2" not in str(caught.value)


def test_a_failed_write_leaves_nothing(url: str) -> None:
    engine = open_database(url)
    row = {"key": "half", "value": "done"}
    with pytest.raises(exc.IntegrityError), begin_write(engine) as conn:  # the second row breaks the key
        conn.execute(insert(meta), [row, row])
    with begin_read(engine) as conn:
        assert conn.scalar(select(meta.c.value).where(meta.c.key == "half")) is None
    engine.dispose()


COUNT_UP = """
import sys
from sqlalchemy import select
from schoolwatch_server.database.engine import begin_write, open_database
from schoolwatch_server.database.tables import meta
engine = open_database(sys.argv[1])
for _ in range(100):
    with begin_write(engine) as conn:
        value = int(conn.scalar(select(meta.c.value).where(meta.c.key == "n")))
        conn.execute(meta.update().where(meta.c.key == "n").values(value=str(value + 1)))
"""


def test_four_processes_write_one_file_and_none_fails(url: str) -> None:
    engine = open_database(url)
    with begin_write(engine) as conn:
        conn.execute(insert(meta).values(key="n", value="0"))
    writers = [subprocess.Popen([sys.executable, "-c", COUNT_UP, url]) for _ in range(4)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    with begin_read(engine) as conn:
        assert conn.scalar(select(meta.c.value).where(meta.c.key == "n")) == "400"
        assert inspect(conn).has_table("journal")
    engine.dispose()
