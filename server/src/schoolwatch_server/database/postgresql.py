"""What PostgreSQL is asked for, so that everything holds on it that holds on SQLite.

Who writes, writes alone: a transaction that may write takes one lock first, as SQLite's BEGIN IMMEDIATE does,
so that what was looked up in it is still so when it commits. Who reads sees one moment and waits for nobody.
"""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext

LOCK_SECONDS = 20.0
"""How long a transaction waits for another one's write to end."""

READ: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Options of a transaction that reads."""

_WRITER = 0x5C_4001_3A7C
"""The lock of who writes: a number of ours among the advisory locks (PostgreSQL's manual, 13.3.5)."""

_SETTINGS: dict[str, object] = {
    "client_encoding": "UTF8",
    "lock_timeout": int(LOCK_SECONDS * 1000),
    "idle_in_transaction_session_timeout": 600_000,
    # of a client that lost power, the server learns in a minute and not in two hours, and frees its lock
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
    "jit": "off",  # it costs more than these queries take
}

_BYTEWISE = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
"""Orders of text in which PostgreSQL compares what SQLite does: the bytes."""

CREATE = "createdb --template=template0 --encoding=UTF8 --locale=C"


def engine(url: URL, options: dict[str, Any]) -> Engine:
    """An engine whose transactions that write wait for each other. Raises ImportError without a driver."""
    arguments: dict[str, object] = {
        "connect_timeout": 10,
        "options": " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items()),
        "application_name": "schoolwatch-server",
    }
    given = {key: value for key, value in arguments.items() if key not in url.query}
    # 24 connections of each process at the most: the server's three leave room below max_connections = 100
    made = create_engine(url, **{**options, "max_overflow": 16}, connect_args=given, pool_pre_ping=True)
    event.listen(made, "begin", _begin)
    event.listen(made, "handle_error", _tell_no_values)
    return made


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
    query = (
        "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()"
    )
    encoding, order = conn.exec_driver_sql(query).one()
    if encoding == "UTF8" and order in _BYTEWISE:
        return None
    return f"is made for {encoding} in the order of {order}: make one with `{CREATE}` and name that"


def meaning(said: str) -> str | None:
    """What to do about words of PostgreSQL's; None when they are not of those that ask for something else."""
    if "does not exist" in said and "database" in said:
        return f"there is no such database: make it with `{CREATE}`"
    if "password" in said or "no pg_hba.conf entry" in said or "authentication failed" in said:
        return "its server does not let us in: check the user, PGPASSFILE (mode 0600) and pg_hba.conf"
    if "permission denied" in said:
        return "its user may not make tables: make the user the database's owner (createdb --owner)"
    if "too many" in said or "connection slots" in said:
        return "its server has no connection left: raise max_connections to 200"
    return None
