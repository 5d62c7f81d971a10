"""A database with everything in it moves to PostgreSQL, and the server goes on there."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from cluster import cluster
from databases import settings_of
from reports import NOW, RULES, World, known_fine
from rows import Rows
from schoolwatch_contract.records import Reading
from schoolwatch_server import audit_log, cli, incidents, rules
from schoolwatch_server.database import audit, journal, moving
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import DatabaseError, begin_read, begin_write, migrate, open_database
from schoolwatch_server.database.moving import MovingError
from schoolwatch_server.intake.batch import take

ANTIVIRUS = (Reading("antivirus.products", 0.0), Reading("probe.ok", 1.0, {"probe": "antivirus"}))

pytestmark = pytest.mark.database("sqlite")


@pytest.fixture
def full(world: World) -> World:
    """Every table has rows, with all that a cell may hold, and the journal's newest rows were pruned."""
    with begin_write(world.engine) as conn:
        audit.record(conn, actor="lan", action="login", subject="ế", detail={"số": [0.1, None]}, now=NOW)
        rows = Rows(conn)
        for table in t.metadata.sorted_tables:
            if not table.name.startswith("audit"):
                rows.parent(table)
        conn.execute(insert(t.meta).values(key="ế \\ \t\n'\";", value="\U0001f60a \\N \\. "))
        for n in (1, 2):
            rows.make(t.journal, seq=2**62 + n, taken_at=0.1 + 0.2, body=bytes(range(256)) * n)
    (device,) = known_fine(world)
    take(world.engine, [device.message(seq) for seq in range(1, 9)], RULES)
    with begin_write(world.engine) as conn:
        newest = conn.scalar(select(func.max(t.journal.c.id)))
        conn.execute(t.journal.delete().where(t.journal.c.id == newest))
    world.engine.dispose()
    return world


@pytest.fixture
def target() -> str:
    return cluster().url(cluster().make())


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def do(*words: object) -> tuple[int, str]:
        code = cli.main(["migrate", *map(str, words), "--lang", "en"])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return do


def file_of(world: World) -> Path:
    return world.folder / "schoolwatch.db"


def test_everything_is_there_and_the_server_goes_on(world: World, target: str, run: Run) -> None:
    """Agents that had no ack send again and get one; a rule that was about to open an incident opens it."""
    with begin_write(world.engine) as conn:
        journal.create_cursor(conn, incidents.CURSOR, NOW)
    (device,) = known_fine(world)
    before = take(world.engine, [device.message(seq) for seq in range(1, 6)], RULES)
    while incidents.judge_next(world.engine, rules.load(), (), NOW):
        pass
    with begin_read(world.engine) as conn:
        last = conn.scalar(select(func.max(t.journal.c.id)))
    world.engine.dispose()
    code, said = run("--to", target.replace("+psycopg", ""), "--data", world.folder)
    assert code == 0, said
    assert f"{len(moving.TABLES)} tables with " in said
    assert "The audit log is whole" in said
    engine = open_database(settings_of(world.folder).database_url, world.folder)  # server.toml was written
    assert engine.dialect.name == "postgresql"
    again = [device.message(4), device.message(5)]
    again += [device.message(seq, at=NOW + (seq - 5) * 900, readings=ANTIVIRUS) for seq in (6, 7, 8)]
    after = take(engine, again, RULES)
    assert after[device.device].epoch == before[device.device].epoch, "nothing acknowledged is missing"
    assert after[device.device].spools == {"a" * 16: 8}
    with begin_read(engine) as conn:
        ids = list(conn.scalars(select(t.journal.c.id).order_by(t.journal.c.id)))
    assert ids[-1] > last
    assert len(ids) == 8, "what was sent again is there once"
    while incidents.judge_next(engine, rules.load(), (), NOW + 2700):
        pass
    with begin_read(engine) as conn:
        assert list(conn.scalars(select(t.incident.c.rule))) == ["antivirus_off"]
    assert audit_log.verify(engine, world.folder).wrong == ()
    engine.dispose()


def test_each_cell_of_each_table_is_as_it_was_and_no_number_comes_twice(full: World, target: str) -> None:
    with closing(sqlite3.connect(file_of(full))) as db:
        counted = dict(db.execute("SELECT name, seq FROM sqlite_sequence"))
        there = {
            table.name: db.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
            for table in moving.TABLES
        }
    heard: list[tuple[str, int, int]] = []
    moved = moving.move(file_of(full), target, full.folder, lambda *words: heard.append(words))
    assert {name: one.rows for name, one in moved.sums.items()} == there
    assert min(there.values()) > 0
    assert {name for name, done, total in heard if done == total} == set(there)
    engine = open_database(target, full.folder)
    with begin_read(engine) as conn:
        odd = conn.execute(
            select(t.journal.c.taken_at, t.journal.c.body).where(t.journal.c.seq > 2**62)
        ).all()
        assert (0.1 + 0.2, bytes(range(256)) * 2) in [tuple(row) for row in odd]
        assert (
            conn.scalar(select(t.meta.c.value).where(t.meta.c.key == "ế \\ \t\n'\";"))
            == "\U0001f60a \\N \\. "
        )
    with begin_write(engine) as conn:
        for table in moving.TABLES:
            if table.autoincrement_column is not None:
                query = f"SELECT nextval(pg_get_serial_sequence('{table.name}', 'id'))"
                assert conn.exec_driver_sql(query).scalar_one() > counted.get(table.name, 0), table.name
    engine.dispose()


def test_nobody_starts_on_the_old_file_again(full: World, target: str, run: Run) -> None:
    moving.move(file_of(full), target, full.folder)
    for door in (open_database, migrate):
        with pytest.raises(DatabaseError, match=r"has moved to .*server\.toml.*the user") as refused:
            door(full.url)
        assert refused.value.trouble == "moved"
        assert "schoolwatch@" not in str(refused.value), "who opens it is nobody's business"
    other = cluster().url(cluster().make())
    code, said = run("--to", other, "--from", f"sqlite:{file_of(full)}", "--data", full.folder)
    assert code != 0
    assert "was moved to" in said


def test_a_run_that_ended_between_the_two_commits_is_ended_by_the_next(
    full: World, target: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(moving, "_mark", killed)
        with pytest.raises(KeyboardInterrupt):
            moving.move(file_of(full), target, full.folder)
    code, said = run("--from", "sqlite", "--to", target, "--data", full.folder)
    assert code == 0, said
    assert "An earlier run had moved" in said


def test_what_fails_leaves_both_as_they_were(
    full: World, target: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(moving, "_of_postgresql", lambda *_: iter(()))
        with pytest.raises(MovingError, match="differs"):
            moving.move(file_of(full), target, full.folder)
    with closing(sqlite3.connect(file_of(full))) as db, db:
        db.execute("UPDATE school SET name = 'a' || char(0) || 'b'")
    code, said = run("--to", target, "--data", full.folder)
    assert code != 0
    assert "does not take a row of the table school: " in said
    assert "NUL" in said
    with closing(sqlite3.connect(file_of(full))) as db, db:
        db.execute("UPDATE school SET name = 'Trường'")
    assert run("--to", target, "--data", full.folder)[0] == 0, (
        "the target was still empty, the file still in use"
    )


def test_who_still_uses_the_file_is_not_left_behind(full: World, target: str, run: Run) -> None:
    engine = open_database(full.url, full.folder)
    code, said = run("--to", target, "--data", full.folder)
    assert code != 0
    assert "stop all parts of the server" in said
    engine.dispose()
    assert run("--to", target, "--data", full.folder)[0] == 0


def test_a_database_that_holds_something_is_refused(full: World, target: str, run: Run) -> None:
    migrate(target, full.folder)
    code, said = run("--to", target, "--data", full.folder)
    assert code != 0
    assert "the database is not empty" in said
    open_database(full.url, full.folder).dispose()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--to", "postgresql://lan:hunter2@db/x"), "PGPASSFILE"),
        (("--to", "sqlite:///x.db"), "name an empty database"),
        (("--from", "sqlite"), "name an empty database"),
        (("--to", "postgresql://lan@db/x", "--from", "sqlite:/nowhere.db"), "there is no such file"),
        (("--to", "postgresql://lan@db/x", "--from", "mysql://db/x"), "name a file"),
    ],
)
def test_what_cannot_be_moved_is_said_in_one_line(
    tmp_path: Path, run: Run, words: tuple[str, ...], says: str
) -> None:
    code, said = run(*words, "--data", tmp_path)
    assert code != 0
    assert says in said
    assert "hunter2" not in said
    assert said.count("\n") == 1


def test_an_older_file_and_an_unfit_database_are_refused(full: World, target: str, run: Run) -> None:
    sorted_otherwise = cluster().url(cluster().make(words="ENCODING 'SQL_ASCII'"))
    code, said = run("--to", sorted_otherwise, "--data", full.folder)
    assert code != 0
    assert "createdb --template=template0 --encoding=UTF8 --locale-provider=libc --locale=C" in said
    with closing(sqlite3.connect(file_of(full))) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '0005'")
    code, said = run("--to", target, "--data", full.folder)
    assert code != 0
    assert "version 0005 is not this program's" in said
