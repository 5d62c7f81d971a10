"""What PostgreSQL itself says when it is in trouble comes out with what to do about it, in one line."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, exc

from cluster import cluster
from schoolwatch_server import advice

pytestmark = pytest.mark.database("postgresql")
_REAL = pytest.mark.usefixtures("guarded")


@pytest.fixture
def guarded() -> Iterator[None]:
    """A user with a password and one connection, who owns nothing."""
    cluster().say("DROP ROLE IF EXISTS guarded")
    cluster().say("CREATE ROLE guarded LOGIN PASSWORD 'hunter2' CONNECTION LIMIT 1")
    yield
    cluster().say("DROP ROLE guarded")


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = create_engine(cluster().url(cluster().make()))
    yield made
    made.dispose()


def _raised(engine: Engine, *statements: str) -> exc.DBAPIError:
    *before, last = statements
    with engine.connect() as conn:
        for one in before:
            conn.exec_driver_sql(one)
        with pytest.raises(exc.DBAPIError) as raised:
            conn.exec_driver_sql(last)
    return raised.value


SAYS = {
    "a table nobody has": (("SELECT * FROM nowhere",), "schoolwatch-server migrate", False),
    "a standby": (("SET TRANSACTION READ ONLY", "CREATE TABLE t (a int)"), "can only be read", False),
    "a limit of time": (
        ("SET LOCAL statement_timeout = 20", "SELECT pg_sleep(5)"),
        "statement_timeout",
        True,
    ),
    "an administrator": (("SELECT pg_terminate_backend(pg_backend_pid())",), "stopped or started", True),
    "not its owner": (("SET LOCAL ROLE guarded", "CREATE TABLE public.t (a int)"), "database's owner", False),
    "no memory": (("DO $$ BEGIN RAISE SQLSTATE '53200'; END $$",), "no memory left", True),
    "a full disk": (("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$",), "make room there", True),
    "a broken disk": (("DO $$ BEGIN RAISE SQLSTATE '58030'; END $$",), "restore a backup", False),
}


@_REAL
@pytest.mark.parametrize("what", SAYS)
def test_what_the_server_says_is_advised(what: str, engine: Engine) -> None:
    statements, says, passes = SAYS[what]
    error = _raised(engine, *statements)
    found, line = advice.of(error), advice.line(error)
    assert found is not None
    assert says in line
    assert "(it says: " in line
    assert "\n" not in line
    assert found.passes is passes


def test_a_lock_held_too_long_is_advised(engine: Engine) -> None:
    with engine.begin() as holder:
        holder.exec_driver_sql("CREATE TABLE held (a int)")
        holder.exec_driver_sql("SELECT pg_advisory_xact_lock(1)")
        error = _raised(engine, "SET LOCAL lock_timeout = 20", "SELECT pg_advisory_xact_lock(1)")
    assert "pg_stat_activity" in advice.line(error)


@_REAL
@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("guarded:wrong@/postgres?host={folder}", "PGPASSFILE"),
        ("schoolwatch@/nowhere?host={folder}", "createdb --template=template0"),
        ("schoolwatch@/x?host={folder}&port=9", "is PostgreSQL running"),
        ("schoolwatch@127.0.0.1:9/x", "is PostgreSQL running"),
        ("schoolwatch@nowhere.invalid/x", "does the address hold"),
        ("nobody_of_ours@/postgres?host={folder}", "createuser"),
    ],
)
def test_who_does_not_get_in_is_advised(address: str, says: str) -> None:
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect(f"postgresql://{address.format(folder=cluster().folder)}")
    assert says in advice.line(raised.value)
    assert "wrong@" not in advice.line(raised.value)


@_REAL
def test_a_server_without_a_connection_left_is_advised() -> None:
    place = f"postgresql://guarded:hunter2@/postgres?host={cluster().folder}"
    with psycopg.connect(place), pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect(place)
    assert "max_connections" in advice.line(raised.value)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("server does not support SSL, but SSL was required", "ssl = on"),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "x", no encryption',
            "sslmode",
        ),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "x", SSL encryption',
            "pg_hba",
        ),
        ("SSL error: certificate verify failed", "certificate that holds"),
        ("FATAL:  sorry, too many clients already", "max_connections"),
        ("FATAL:  the database system is starting up", "nothing to do"),
        ("server closed the connection unexpectedly", "is PostgreSQL running"),
    ],
)
def test_what_comes_without_a_number_is_known_by_its_words(said: str, says: str) -> None:
    assert says in advice.line(psycopg.OperationalError(f"connection failed: {said}"))


def test_a_value_that_postgresql_quotes_stays_out(engine: Engine) -> None:
    error = _raised(engine, "CREATE TABLE t (a text UNIQUE)", *["INSERT INTO t VALUES ('secret')"] * 2)
    assert "secret" not in advice.line(error)
    assert advice.of(error) is None, "that is of a row, and no trouble of the database"


def test_what_is_no_databases_is_left_as_it_is() -> None:
    for error in (OSError(28, "No space left on device"), ConnectionRefusedError(111, "Connection refused")):
        assert advice.line(error) == str(error)


def test_sqlite_is_advised_too(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "full") as db:
        db.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as full:
            db.executescript("CREATE TABLE a (a); CREATE TABLE b (a); CREATE TABLE c (a);")
    db.close()
    assert "make room" in advice.line(full.value)
    (tmp_path / "no").write_text("this is no database, whatever its name is" * 9)
    with pytest.raises(sqlite3.DatabaseError) as torn:
        sqlite3.connect(tmp_path / "no").execute("SELECT * FROM a")
    assert "restore a backup" in advice.line(torn.value)
