"""An older database: a copy first, and back to it when the upgrade fails or a person asks for it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic import command
from alembic.config import Config
from tests.server.backup.conftest import Run

from schoolwatch_server import people
from schoolwatch_server.backup import place, upgrade
from schoolwatch_server.config import ServerConfig, of_data
from schoolwatch_server.database import engine as engines
from schoolwatch_server.database.engine import MIGRATIONS, begin_read, begin_write, known_versions, unchecked

OLD = "0012"
NEWEST = max(known_versions())


@pytest.fixture
def older(tmp_path: Path) -> ServerConfig:
    """A data folder as the program of migration 0012 left it, with two schools."""
    config = of_data(tmp_path / "data")
    config.folder.mkdir()
    database = unchecked(config.database_url)
    with begin_write(database) as conn:
        alembic = Config(attributes={"connection": conn})
        alembic.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(alembic, OLD)
        conn.exec_driver_sql("INSERT INTO meta (key, value) VALUES ('epoch', 'first'), ('program', '0.0.9')")
        conn.exec_driver_sql("INSERT INTO province (id, code, name) VALUES (1, 'P', 'Tỉnh')")
        conn.exec_driver_sql("INSERT INTO commune (id, province_id, code, name) VALUES (1, 1, 'C', 'Xã')")
        conn.exec_driver_sql(
            "INSERT INTO school (id, commune_id, name, created_at) VALUES (1, 1, 'A', 1.0), (2, 1, 'B', 1.0)"
        )
    database.dispose()
    return config


def state(config: ServerConfig) -> tuple[str, str, int]:
    """Migration, epoch and number of schools."""
    with closing(sqlite3.connect(config.folder / "schoolwatch.db")) as db:
        (version,) = db.execute("SELECT version_num FROM alembic_version").fetchone()
        (epoch,) = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        (schools,) = db.execute("SELECT count(*) FROM school").fetchone()
        return version, epoch, schools


def copies(config: ServerConfig) -> list[Path]:
    return sorted((config.folder / "backup" / "before-upgrade").glob("*.db"))


def test_an_upgrade_keeps_a_copy_and_can_be_taken_back(older: ServerConfig, run: Run) -> None:
    data = older.folder
    code, said = run("migrate", "--data", data)
    assert code == 0, said
    assert "rollback" in said
    assert state(older) == (NEWEST, "first", 2)
    (copy,) = copies(older)
    assert copy.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(data / "schoolwatch.db")) as db, db:
        db.execute("INSERT INTO school (id, commune_id, name, created_at) VALUES (3, 1, 'C', 1.0)")

    code, said = run("rollback", "--data", data)
    assert code == 0, said
    assert "program version 0.0.9" in said
    version, epoch, schools = state(older)
    assert (version, schools) == (OLD, 2)
    assert epoch != "first", "agents must send again what came since"
    (aside,) = data.glob("schoolwatch.db.set-aside-*")
    with closing(sqlite3.connect(aside)) as db:
        assert db.execute("SELECT count(*) FROM school").fetchone() == (3,)
    assert list(data.glob("*.putting*")) == []


def test_who_was_shut_out_since_an_upgrade_is_so_after_it_is_taken_back(
    older: ServerConfig, run: Run
) -> None:
    data = older.folder
    engine = engines.unchecked(older.database_url)
    with begin_write(engine) as conn:
        conn.exec_driver_sql(
            "INSERT INTO account (name, password_hash, role, scope_level, language, created_at)"
            " VALUES ('an', 'x', 'so_admin', 'all', 'vi', 1.0)"
        )
    engine.dispose()
    assert run("migrate", "--data", data)[0] == 0
    engine = engines.open_database(older.database_url)
    people.reset_password(engine, "an", by="lan")  # nobody brought the list up to date
    engine.dispose()

    code, said = run("rollback", "--data", data)

    assert code == 0, said
    assert "do it by hand BEFORE schools can reach the server:\n  an: Password reset, " in said
    code, said = run("migrate", "--data", data)  # as the older program does when it starts
    assert code == 0, said
    assert "nobody gets in by what they were:\n  an: Password reset, " in said


def test_a_server_that_runs_is_not_rolled_back(older: ServerConfig, run: Run) -> None:
    assert run("migrate", "--data", older.folder)[0] == 0
    engine = engines.open_database(older.database_url)
    with begin_read(engine):
        code, said = run("rollback", "--data", older.folder)
    assert code == 2
    assert "the server is running on this database" in said
    assert state(older)[0] == NEWEST
    engine.dispose()


def broken(monkeypatch: pytest.MonkeyPatch, statement: str, *, halfway: bool) -> None:
    """The upgrade does this at its end, and fails then; `halfway`: after what it did is on disk."""
    real = engines.migrate

    def migrate(url: str, keys: Path | None = None) -> None:
        if halfway:
            real(url, keys)
        engine = unchecked(url)
        try:
            with begin_write(engine) as conn:
                conn.exec_driver_sql(statement)
                if not halfway:
                    raise RuntimeError("the new column is in the way")
        finally:
            engine.dispose()

    monkeypatch.setattr(upgrade, "migrate", migrate)


@pytest.mark.parametrize(
    ("statement", "halfway"), [("DROP TABLE school", False), ("DELETE FROM school WHERE id = 2", True)]
)
def test_an_upgrade_that_fails_or_loses_rows_leaves_the_database_as_it_was(
    older: ServerConfig, run: Run, monkeypatch: pytest.MonkeyPatch, statement: str, halfway: bool
) -> None:
    broken(monkeypatch, statement, halfway=halfway)
    code, said = run("migrate", "--data", older.folder)
    assert code == 2
    assert "the database is again as it was" in said
    version, epoch, schools = state(older)
    assert (version, schools) == (OLD, 2)
    assert (epoch == "first") is not halfway
    monkeypatch.undo()
    assert run("migrate", "--data", older.folder)[0] == 0
    assert state(older)[::2] == (NEWEST, 2)


def test_without_room_for_a_copy_nothing_is_touched(
    older: ServerConfig, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place.shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 10))
    code, said = run("migrate", "--data", older.folder)
    assert code == 2
    assert "Nothing was changed" in said
    assert state(older) == (OLD, "first", 2)
    assert run("migrate", "--no-copy", "--data", older.folder)[0] == 0
    assert state(older)[0] == NEWEST
    assert copies(older) == []


def test_copies_of_the_last_two_upgrades_stay(older: ServerConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = older.folder / "backup" / "before-upgrade"
    folder.mkdir(parents=True)
    for name in ("0009-20250101T000000Z", "0010-20260101T000000Z"):
        (folder / f"{name}.db").touch()
        (folder / f"{name}.json").touch()
    copy = upgrade.upgrade(older)
    assert copy is not None
    assert copies(older) == sorted([copy, folder / "0010-20260101T000000Z.db"])


def test_a_database_that_is_new_needs_no_copy(tmp_path: Path, run: Run) -> None:
    assert run("migrate", "--data", tmp_path / "data")[0] == 0
    assert run("migrate", "--data", tmp_path / "data")[0] == 0
    assert not (tmp_path / "data" / "backup").exists()
    code, said = run("rollback", "--data", tmp_path / "data")
    assert code == 2
    assert "there is no copy from before an upgrade" in said
