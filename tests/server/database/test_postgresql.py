"""What is PostgreSQL's own: who writes waits, who reads sees one moment, and trouble is one line."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import exc, insert, inspect, make_url, select, text
from sqlalchemy.dialects.postgresql.base import PGDialect

from cluster import cluster
from reports import RULES, World
from schoolwatch_server import guard
from schoolwatch_server.database import postgresql
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import (
    DatabaseError,
    begin_read,
    begin_write,
    migrate,
    open_database,
)
from schoolwatch_server.intake.batch import take

pytestmark = pytest.mark.database("postgresql")


def test_migrated_schema_is_the_tables(world: World) -> None:
    with begin_read(world.engine) as conn:
        assert compare_metadata(MigrationContext.configure(conn), t.metadata) == []
        for table in t.metadata.sorted_tables:
            there = {one["name"] for one in inspect(conn).get_indexes(table.name)}
            assert {index.name for index in table.indexes} <= there, table.name


def test_who_writes_waits_for_who_writes_and_who_reads_for_nobody(world: World) -> None:
    second = threading.Event()

    def write() -> None:
        with begin_write(world.engine) as conn:
            conn.execute(insert(t.meta).values(key="second", value="1"))
        second.set()

    with begin_read(world.engine) as reader:
        assert reader.scalar(select(t.meta.c.value).where(t.meta.c.key == "first")) is None
        with begin_write(world.engine) as conn:
            conn.execute(insert(t.meta).values(key="first", value="1"))
            other = threading.Thread(target=write)
            other.start()
            assert not second.wait(0.3)
        assert second.wait(20)
        other.join()
        keys = reader.scalars(select(t.meta.c.key).where(t.meta.c.key.in_(["first", "second"]))).all()
        assert keys == [], "it sees the moment in which it began"
        with pytest.raises(exc.InternalError, match="read-only"):
            reader.execute(insert(t.meta).values(key="third", value="1"))


def test_who_waits_too_long_is_told_that_the_database_is_busy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgresql._SETTINGS, "lock_timeout", 200)
    hasty = open_database(world.url, world.folder)
    with begin_write(world.engine), pytest.raises(exc.OperationalError) as busy, begin_write(hasty):
        pass
    hasty.dispose()
    assert guard.is_away(busy.value)


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
print("half", flush=True)
sys.stdin.readline()
with begin_write(engine) as conn:
    conn.execute(meta.update().where(meta.c.key == "n").values(value="lost"))
    print("writes", flush=True)
    sys.stdin.readline()
"""


def test_several_processes_write_none_fails_and_a_killed_one_holds_nobody_up(world: World) -> None:
    with begin_write(world.engine) as conn:
        conn.execute(insert(t.meta).values(key="n", value="0"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    writers = [subprocess.Popen([sys.executable, "-c", COUNT_UP, world.url], **pipes) for _ in range(3)]
    for writer in writers:
        assert writer.stdout.readline() == b"half\n"
    holder = writers[0]
    holder.stdin.write(b"\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == b"writes\n"
    for writer in writers:
        writer.kill()
        writer.communicate()
    with begin_write(world.engine) as conn:
        assert conn.scalar(select(t.meta.c.value).where(t.meta.c.key == "n")) == "300"


def test_a_database_in_trouble_puts_no_good_report_into_quarantine(world: World) -> None:
    (device,) = world.enrol()
    with begin_write(world.engine) as conn:
        conn.execute(text("ALTER TABLE journal RENAME TO away"))
    with pytest.raises(exc.ProgrammingError) as trouble:
        take(world.engine, [device.message(1)], RULES)
    assert guard.is_away(trouble.value)
    with begin_write(world.engine) as conn:
        conn.execute(text("ALTER TABLE away RENAME TO journal"))
    assert take(world.engine, [device.message(1)], RULES)[device.device].spools == {"a" * 16: 1}
    with begin_read(world.engine) as conn:
        assert conn.execute(select(t.quarantine.c.id)).all() == []


def test_a_password_comes_from_its_own_file(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster().say("DROP ROLE IF EXISTS guarded")
    cluster().say("CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'hunter2'")
    url = world.url.replace("schoolwatch@", "guarded@")
    with pytest.raises(DatabaseError, match=r"PGPASSFILE") as refused:
        open_database(url, world.folder)
    assert "\n" not in str(refused.value)
    file = tmp_path / "pgpass"
    file.touch(mode=0o600)
    file.write_text("*:*:*:guarded:hunter2\n")
    monkeypatch.setenv("PGPASSFILE", str(file))
    open_database(url, world.folder).dispose()
    file.write_text("*:*:*:guarded:wrong\n")
    with pytest.raises(DatabaseError, match=r"does not let us in.*PGPASSFILE") as refused:
        open_database(url, world.folder)
    assert "wrong" not in str(refused.value)
    cluster().say("DROP ROLE guarded")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://schoolwatch@/nowhere?host={folder}", "make it with `createdb --template=template0"),
        ("postgresql://schoolwatch@/x?host=/nowhere", "does not answer"),
        ("postgresql://schoolwatch@127.0.0.1:9/x", "does not answer"),
        ("postgresql://nobody_of_ours@/postgres?host={folder}", "does not know this user"),
    ],
)
def test_what_does_not_answer_is_said_in_one_line(url: str, says: str) -> None:
    for door in (open_database, migrate):
        with pytest.raises(DatabaseError) as refused:
            door(url.format(folder=cluster().folder))
        assert says in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("ENCODING 'LATIN1'", "LATIN1"),
        ("LOCALE_PROVIDER icu ICU_LOCALE 'vi-VN' LOCALE 'C'", "UTF8 in the order of ICU"),
    ],
)
def test_a_database_made_otherwise_is_refused_with_how_to_make_one(made: str, says: str) -> None:
    url = cluster().url(cluster().make(words=made))
    how = "createdb --template=template0 --encoding=UTF8 --locale-provider=libc --locale=C"
    with pytest.raises(DatabaseError, match=rf"{says}.*{how}"):
        migrate(url)


def test_an_old_server_is_refused_before_anything_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PGDialect, "_get_server_version_info", lambda *_: (14, 9))
    with pytest.raises(DatabaseError, match=r"is on PostgreSQL 14: SchoolWatch needs 15"):
        migrate(world.url)
    with pytest.raises(DatabaseError, match=r"needs 15"):
        open_database(world.url, world.folder)


def test_what_an_administrator_set_for_the_database_changes_nothing(world: World) -> None:
    name = make_url(world.url).database
    for setting in ("statement_timeout = 1", "timezone = 'Asia/Ho_Chi_Minh'", "lock_timeout = 1",
                    "default_transaction_isolation = serializable"):  # fmt: skip
        cluster().say(f"ALTER DATABASE {name} SET {setting}")
    engine = open_database(f"{world.url}&options=-c%20work_mem=5MB", world.folder)
    names = ("statement_timeout", "timezone", "transaction_isolation", "lock_timeout", "work_mem")
    with begin_write(engine) as conn:
        said = [conn.scalar(text(f"SHOW {name}")) for name in names]
        conn.execute(text("SELECT pg_sleep(0.05)"))
    engine.dispose()
    assert said == ["0", "UTC", "read committed", "20s", "5MB"]


def test_a_server_that_can_only_be_read_is_said_so(world: World) -> None:
    cluster().say(f"ALTER DATABASE {make_url(world.url).database} SET default_transaction_read_only = on")
    with pytest.raises(DatabaseError, match=r"can only be read: name the server that takes writes"):
        migrate(world.url)


def test_a_server_that_lost_its_power_is_not_waited_for_long(world: World) -> None:
    with world.engine.connect() as conn:
        told = conn.connection.driver_connection.info.get_parameters()
    assert (told["tcp_user_timeout"], told["keepalives_idle"]) == ("30000", "30")


def test_what_is_asked_again_is_planned_no_more(world: World) -> None:
    texts = [f"SELECT value FROM meta WHERE key = %s OR {number} < 0" for number in range(150)]

    def prepared() -> set[str]:
        with begin_read(world.engine) as conn:
            return {*conn.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars()}

    def ask() -> None:
        with begin_read(world.engine) as conn:
            for asked in texts:
                conn.exec_driver_sql(asked, ("epoch",)).one()

    with begin_read(world.engine), begin_read(world.engine):
        pass  # there are two connections now, and the one used last has all texts
    ask()
    assert not any(" < 0" in asked for asked in prepared()), "what comes once is not worth it"
    ask()
    assert sum(" < 0" in asked for asked in prepared()) == len(texts)
