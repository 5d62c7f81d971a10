"""What PostgreSQL is asked for, so that everything holds on it that holds on SQLite.

Who writes, writes alone: a transaction that may write takes one lock first, as SQLite's BEGIN IMMEDIATE does,
so that what was looked up in it is still so when it commits. Who reads sees one moment and waits for nobody.
"""

from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext

from schoolwatch_server import advice

LOCK_SECONDS = 20.0
"""How long a transaction waits for another one's write to end."""

READ: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Options of a transaction that reads."""

_WRITER = 0x5C_4001_3A7C
"""The lock of who writes: a number of ours among the advisory locks (PostgreSQL's manual, 13.3.5)."""

_SETTINGS: dict[str, object] = {
    "client_encoding": "UTF8",
    # what an administrator set for the role or the database would change what we do, or end it halfway
    "timezone": "UTC",
    "statement_timeout": 0,
    "default_transaction_isolation": r"read\ committed",
    "lock_timeout": int(LOCK_SECONDS * 1000),
    "idle_in_transaction_session_timeout": 600_000,
    # of a client that lost power, the server learns in a minute and not in two hours, and frees its lock
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
    "jit": "off",  # it costs more than these queries take
}

_CONNECTION: dict[str, object] = {
    "application_name": "schoolwatch-server",
    "connect_timeout": 10,
    # and of a server that lost power, we; what was sent to it would else be waited for a quarter of an hour
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

_PREPARE_AFTER = 1
"""How often a connection runs a text before it is prepared. With psycopg's own 5 planning a page took
PostgreSQL twice the time of running it. What comes once, as lists of many lengths do, is not prepared."""

_PREPARED = 500
"""Texts that a connection keeps prepared, as SQLAlchemy keeps 500 compiled ones. One school's page has 60:
with psycopg's 100 each page threw out the next one's."""

_BYTEWISE = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
"""Orders of text in which PostgreSQL compares what SQLite does: the bytes."""

OLDEST = 15
"""PostgreSQL's oldest version that SchoolWatch runs on: Debian 12's, which the tests use."""


def engine(url: URL, options: dict[str, Any]) -> Engine:
    """An engine whose transactions that write wait for each other. Raises ImportError without a driver."""
    given = {key: value for key, value in _CONNECTION.items() if key not in url.query}
    own = url.normalized_query.get("options", ())  # beside ours and not instead of them, and after: they win
    given["options"] = " ".join((*(f"-c {name}={value}" for name, value in _SETTINGS.items()), *own))
    # 24 connections of each process at the most: the server's three leave room below max_connections = 100
    # the connection used last is taken first: it has the texts prepared
    pool = {**options, "max_overflow": 16, "pool_pre_ping": True, "pool_use_lifo": True}
    made = create_engine(url, **pool, connect_args=given)
    event.listen(made, "connect", _prepare)
    event.listen(made, "begin", _begin)
    event.listen(made, "handle_error", _tell_no_values)
    return made


def _prepare(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.prepare_threshold = _PREPARE_AFTER
    connection.prepared_max = _PREPARED


def _begin(conn: Connection) -> None:
    if conn.get_execution_options().get("schoolwatch_write"):
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")


def _tell_no_values(context: ExceptionContext) -> None:
    """Errors end in the log, and PostgreSQL quotes the row at fault in their detail: it is left out."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args:
            first, *rest = error.args
            error.args = (str(first).partition("\nDETAIL:")[0], *rest)


def trouble(conn: Connection) -> str | None:
    """Why SchoolWatch can't be kept in this database, in one line; None when it can."""
    version = conn.dialect.server_version_info or (0,)
    if version < (OLDEST,):
        return f"is on PostgreSQL {version[0]}: SchoolWatch needs {OLDEST} or newer"
    query = (
        "SELECT pg_encoding_to_char(encoding), datcollate, datlocprovider,"
        " current_setting('transaction_read_only') FROM pg_database WHERE datname = current_database()"
    )
    encoding, order, provider, read_only = conn.exec_driver_sql(query).one()
    if read_only == "on":
        return "can only be read: name the server that takes writes, not its standby"
    if provider == "i":  # ICU's own order holds then, whatever stands in datcollate
        order = "ICU"
    if encoding == "UTF8" and order in _BYTEWISE:
        return None
    return f"is made for {encoding} in the order of {order}: make one with `{advice.CREATE}` and name that"
