"""A database cut into parts is the same again, and a day's work changes few of them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import RULES, World
from schoolwatch_server.database import copies, parts
from schoolwatch_server.database.engine import begin_read, unchecked
from schoolwatch_server.intake.batch import take


def cut(file: Path, folder: Path) -> dict[str, int]:
    folder.mkdir()
    engine = unchecked(f"sqlite:///{file}")
    try:
        with begin_read(engine) as conn:
            return parts.write(conn, folder)
    finally:
        engine.dispose()


def everything(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as db:
        return [*db.iterdump(), *map(str, db.execute("SELECT rowid, * FROM counter"))]


@pytest.mark.database("sqlite")
def test_a_database_is_the_same_again_to_the_last_rowid_and_counter(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ROWS", 16)
    (device,) = world.enrol()
    take(world.engine, [device.message(seq) for seq in range(1, 100)], RULES)
    with closing(sqlite3.connect(world.folder / "schoolwatch.db")) as db, db:
        db.execute("DELETE FROM journal WHERE id < 20 OR id > 95 OR id BETWEEN 40 AND 80")
    counted = cut(world.folder / "schoolwatch.db", tmp_path / "parts")
    assert counted["journal"] == 35
    parts.read(tmp_path / "parts", tmp_path / "again.db")
    assert everything(tmp_path / "again.db") == everything(world.folder / "schoolwatch.db")
    assert copies.trouble(tmp_path / "again.db") is None
    assert (tmp_path / "again.db").stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(tmp_path / "again.db")) as db:
        assert db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").fetchone() == (99,)


@pytest.mark.database("sqlite")
def test_a_days_work_changes_only_the_parts_that_it_wrote(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ROWS", 16)
    devices = world.enrol(4)
    for seq in range(1, 13):
        take(world.engine, [device.message(seq) for device in devices], RULES)
    cut(world.folder / "schoolwatch.db", tmp_path / "before")
    take(world.engine, [device.message(13) for device in devices], RULES)
    cut(world.folder / "schoolwatch.db", tmp_path / "after")

    def journal(name: str) -> dict[str, bytes]:
        return {part.name: part.read_bytes() for part in (tmp_path / name / "journal").iterdir()}

    before, after = journal("before"), journal("after")
    assert len(after) == 4
    assert len(before.items() & after.items()) == len(before) - 1


VALUES = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.binary()
    | st.text(st.characters(exclude_categories=["Cs"]))
)


@pytest.mark.database("sqlite")
@settings(max_examples=10)
@given(
    rows=st.dictionaries(
        st.integers(-(2**63), 2**63 - 2 * parts.ROWS), st.tuples(VALUES, VALUES), max_size=20
    )
)
def test_any_value_under_any_rowid_comes_back(
    rows: dict[int, tuple[Any, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    with closing(sqlite3.connect(folder / "one.db")) as db, db:
        db.execute('CREATE TABLE "a ""table""" (x, "order" BLOB)')
        db.executemany(
            'INSERT INTO "a ""table""" (rowid, x, "order") VALUES (?, ?, ?)',
            [(key, *values) for key, values in rows.items()],
        )
        expected = db.execute('SELECT rowid, * FROM "a ""table"""').fetchall()
    cut(folder / "one.db", folder / "parts")
    parts.read(folder / "parts", folder / "again.db")
    with closing(sqlite3.connect(folder / "again.db")) as db:
        assert db.execute('SELECT rowid, * FROM "a ""table"""').fetchall() == expected
