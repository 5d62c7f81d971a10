"""The audit log in the database: chained by whoever writes it, refused to whoever changes it."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, exc, text

from reports import NOW, World
from schoolwatch_server import audit_checkpoints, audit_log, cli
from schoolwatch_server.audit_chain import Entry, hash_of
from schoolwatch_server.audit_checkpoints import CheckpointsError
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.config import of_data
from schoolwatch_server.database import audit
from schoolwatch_server.database.engine import (
    MIGRATIONS,
    begin_read,
    begin_write,
    migrate,
    open_database,
    renew_epoch,
)
from schoolwatch_server.store.rollup import DAY


def write(world: World, count: int, at: float = NOW) -> None:
    with begin_write(world.engine) as conn:
        for n in range(count):
            subject = f"trường {n}"
            audit.record(conn, actor="lan", action="declare", subject=subject, detail={"ở": [n, 0.1]}, now=at)


def wrong(world: World) -> list[str]:
    return [one.text for one in audit_log.verify(world.engine, world.folder).wrong]


UPSERT = """INSERT INTO audit SELECT id, at, '', action, subject, detail, previous, hash FROM audit
    WHERE id = 2 ON CONFLICT (id) DO UPDATE SET actor = excluded.actor"""
REST = "action, subject, detail, previous, hash"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET actor = 'nobody' WHERE id = 2",
        "UPDATE audit SET hash = 'x', previous = 'y'",
        "DELETE FROM audit WHERE id = 3",
        "DELETE FROM audit",
        UPSERT,
    ],
)
def test_the_database_itself_refuses_to_change_the_log(world: World, sql: str) -> None:
    write(world, 3)
    with pytest.raises(exc.IntegrityError, match="audit log"), begin_write(world.engine) as conn:
        conn.execute(text(sql))
    assert wrong(world) == []
    with begin_read(world.engine) as conn:
        assert [row.id for row in audit.newest(conn, 9)] == [3, 2, 1]


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    "sql",
    [
        f"REPLACE INTO audit SELECT id, at, 'nobody', {REST} FROM audit",
        f"INSERT OR REPLACE INTO audit SELECT 99, at, actor, {REST} FROM audit",
    ],
)
def test_a_replacement_that_sqlite_takes_for_no_change_is_refused(world: World, sql: str) -> None:
    write(world, 3)
    with pytest.raises(exc.IntegrityError, match="audit log"), begin_write(world.engine) as conn:
        conn.execute(text(sql))
    assert wrong(world) == []


def drop_triggers(conn: Connection) -> None:
    if conn.dialect.name == "postgresql":
        for name in ("change", "removal", "truncation"):
            conn.execute(text(f"DROP TRIGGER audit_no_{name} ON audit"))
        return
    for name in ("change", "removal", "replacement"):
        conn.execute(text(f"DROP TRIGGER audit_no_{name}"))


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        (["UPDATE audit SET subject = 'x' WHERE id = 4"], "row 4 is not as it was written"),
        (["UPDATE audit SET at = at + 1 WHERE id = 7"], "row 7 is not as it was written"),
        (["DELETE FROM audit WHERE id = 4"], "row 5 does not follow row 3"),
        (["DELETE FROM audit WHERE id = 1"], "rows before 2 are gone"),
        (["DELETE FROM audit WHERE id > 5"], "the log ends with row 5"),
        (
            [
                "DELETE FROM audit WHERE id > 5",
                "UPDATE audit_head SET last = 5, hash = (SELECT hash FROM audit WHERE id = 5)",
            ],
            "row 8 was noted outside the database and is gone",
        ),
        (
            ["DELETE FROM audit", "UPDATE audit_head SET last = 0, hash = '" + "0" * 64 + "'"],
            "row 8 was noted",
        ),
    ],
)
def test_who_owns_the_database_and_takes_its_triggers_off_is_found(
    world: World, capsys: pytest.CaptureFixture[str], sql: list[str], says: str
) -> None:
    write(world, 8)
    assert audit_log.note(world.engine, world.folder, NOW)
    assert wrong(world) == []
    with begin_write(world.engine) as conn:
        drop_triggers(conn)
        for statement in sql:
            conn.execute(text(statement))
    assert says in "\n".join(wrong(world))
    assert cli.main(["audit", "verify", "--data", str(world.folder)]) == FAILED
    said = capsys.readouterr()
    assert says in said.out
    assert "not as it was written" in said.err


MANY = """
import sys
from schoolwatch_server.database import audit
from schoolwatch_server.database.engine import begin_write, open_database
engine = open_database(sys.argv[1])
for n in range(25):
    with begin_write(engine) as conn:
        audit.record(conn, actor=sys.argv[2], action="login", subject="", detail={"n": n}, now=1e9 + n)
"""


def test_several_processes_write_one_chain(world: World) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", MANY, world.url, name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    found = audit_log.verify(world.engine, world.folder)
    assert (found.rows, found.wrong) == (50, ())


def test_retention_removes_the_oldest_days_and_says_so(world: World) -> None:
    with begin_write(world.engine) as conn:
        for day in range(800):
            audit.record(conn, actor="lan", action="login", subject="", detail={}, now=NOW + day * DAY)
    assert audit_log.note(world.engine, world.folder, NOW)
    now = NOW + 800 * DAY
    with begin_write(world.engine) as conn:
        assert audit.prune(conn, now - 400 * DAY, now) == 400
        assert audit.prune(conn, now - 400 * DAY, now) == 0
        assert audit.prune(conn, now + DAY / 2 - 400 * DAY, now) == 0, "at most once a day"
    assert wrong(world) == []
    write(world, 2, now)
    with begin_read(world.engine) as conn:
        rows = list(audit.entries(conn))
    assert [row.id for row in rows] == list(range(401, 804))
    assert (rows[-3].action, rows[-3].actor, rows[-3].detail["rows"]) == ("audit.prune", "retention", 400)
    with pytest.raises(exc.IntegrityError), begin_write(world.engine) as conn:
        conn.execute(text("DELETE FROM audit WHERE id = 402"))


@pytest.mark.database("sqlite")
def test_what_was_written_before_is_chained_by_the_migration(tmp_path: Path) -> None:
    url = of_data(tmp_path).database_url
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(url)
    rows = [
        {"id": n, "at": 1e9 + n / 7, "detail": json.dumps({"số": n, "a": None})} for n in range(3, 12_000, 3)
    ]
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0016")
        conn.execute(
            text(
                "INSERT INTO audit (id, at, actor, action, subject, detail)"
                " VALUES (:id, :at, 'ế', 'login', '', :detail)"
            ),
            rows,
        )
    engine.dispose()
    migrate(url)
    engine = open_database(url)
    with begin_write(engine) as conn:
        audit.record(conn, actor="lan", action="login", subject="", detail={}, now=NOW)
    found = audit_log.verify(engine, tmp_path)
    engine.dispose()
    assert (found.rows, found.last, found.wrong) == (len(rows) + 1, rows[-1]["id"] + 1, ())


@pytest.mark.database("sqlite")
def test_a_restored_copy_is_told_and_the_log_goes_on(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    write(world, 3)
    world.engine.dispose()
    copy = (world.folder / "schoolwatch.db").read_bytes()
    world.engine = open_database(world.url, world.folder)
    write(world, 3)
    assert audit_log.note(world.engine, world.folder, NOW)
    world.engine.dispose()
    for file in world.folder.glob("schoolwatch.db*"):
        file.unlink()
    (world.folder / "schoolwatch.db").write_bytes(copy)
    world.engine = open_database(world.url, world.folder)
    assert wrong(world)[0].startswith("row 6 was noted outside the database and is gone")
    renew_epoch(world.engine)
    assert cli.main(["audit", "verify", "--data", str(world.folder)]) == 0
    assert "older copy came back" in capsys.readouterr().out


def test_the_end_is_noted_when_it_moved_and_is_in_the_programs_log_once_a_day(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert not audit_log.note(world.engine, world.folder, NOW), "an empty log has no end"
    for hour in range(30):
        write(world, 1)
        assert audit_log.note(world.engine, world.folder, NOW + hour * 3600)
        assert not audit_log.note(world.engine, world.folder, NOW + hour * 3600)
    path = audit_checkpoints.path_in(world.folder)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.id for one in audit_checkpoints.read(path)] == list(range(1, 31))
    said = [record.message for record in caplog.records if "audit log: row" in record.message]
    assert len(said) == 2


def test_the_file_of_notes_stays_small_and_keeps_the_last_of_each_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_checkpoints, "LINES_MAX", 300)
    monkeypatch.setattr(audit_checkpoints, "_LEFT", 100)
    path = tmp_path / "audit" / "checkpoints"
    for n in range(1, 400):
        audit_checkpoints.keep(path, (n, f"{n:064x}"), 1e9 + n * 3600)
    kept = audit_checkpoints.read(path)
    assert len(kept) < 300
    assert [one.id for one in kept[-150:]] == list(range(250, 400))
    days = {int(one.at // DAY) for one in kept}
    assert len(days) == 17


def test_what_was_noted_on_any_day_of_a_year_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "checkpoints"
    at = [NOW + day * DAY + 3.25 * day for day in range(366)]
    for n, instant in enumerate(at, 1):
        assert audit_checkpoints.keep(path, (n, f"{n:064x}"), instant)
    assert [one.at for one in audit_checkpoints.read(path)] == pytest.approx(at)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "2026-01-01T00:00:00+00:00 5 abc",
        "2026-01-01T00:00:00 5 " + "0" * 64,
        "2026-02-30T00:00:00+00:00 5 " + "0" * 64,
        "2026-01-01T24:00:01+00:00 5 " + "0" * 64,
    ],
)
def test_a_note_that_somebody_wrote_is_refused_with_its_line(world: World, line: str) -> None:
    write(world, 2)
    audit_log.note(world.engine, world.folder, NOW)
    path = audit_checkpoints.path_in(world.folder)
    path.write_text(f"{path.read_text()}{line}\n")
    with pytest.raises(CheckpointsError, match="line 2 is no checkpoint"):
        wrong(world)
    assert cli.main(["audit", "verify", "--data", str(world.folder)]) == FAILED


@pytest.fixture
def exported(world: World, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., bytes]:
    def run(*words: str) -> bytes:
        assert cli.main(["audit", "export", "--data", str(world.folder), *words]) == 0
        return capfdbinary.readouterr().out

    return run


def test_an_export_can_be_verified_by_whoever_gets_it(world: World, exported: Callable[..., bytes]) -> None:
    write(world, 3)
    rows = [Entry(**json.loads(line)) for line in exported("--format", "jsonl").splitlines()]
    assert [row.id for row in rows] == [1, 2, 3, 4]
    assert [row.hash for row in rows] == [hash_of(row) for row in rows]
    assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert (rows[3].actor, rows[3].action) == ("command line", "audit.export"), "that it was taken is in it"


def test_an_export_of_days_has_those_days_of_vietnam(world: World, exported: Callable[..., bytes]) -> None:
    for at in (NOW, NOW + DAY, NOW + 2 * DAY):  # 2026-09-21T21:13:20+07:00 and after
        write(world, 1, at)
    with begin_write(world.engine) as conn:
        audit.record(conn, actor="=1+1", action="login", subject="@x", detail={}, now=NOW + DAY)
    told = exported("--from", "2026-09-22", "--to", "2026-09-22").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(told)))
    assert [row["id"] for row in rows] == ["2", "4"]
    assert rows[0]["time"] == "2026-09-22T21:13:20+0700"
    assert float(rows[0]["at"]) == NOW + DAY
    assert (rows[1]["actor"], rows[1]["subject"]) == ("'=1+1", "'@x"), "nothing is a formula"


@pytest.mark.parametrize("words", [("--from", "2026-13-01"), ("--from", "2026-09-02", "--to", "2026-09-01")])
def test_days_that_are_none_are_refused(world: World, words: tuple[str, ...]) -> None:
    try:
        code = cli.main(["audit", "export", "--data", str(world.folder), *words])
    except SystemExit as ended:
        code = ended.code
    assert code == FAILED
    with begin_read(world.engine) as conn:
        assert audit.newest(conn, 1) == ()
