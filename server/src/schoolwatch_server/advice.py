"""What to do about what a database says: the usual troubles of PostgreSQL and SQLite, in one place.

An error goes into a log, where somebody reads it who knows the server, and not its database. PostgreSQL says
which trouble it is by its SQLSTATE (its manual, appendix A); what fails while connecting has none, and is
known by its words.
"""

import re
from dataclasses import dataclass
from typing import Final

CREATE: Final = "createdb --template=template0 --encoding=UTF8 --locale-provider=libc --locale=C"
"""How a database of ours is made in PostgreSQL."""

_SAID_MAX = 160
_ANSWER = "is PostgreSQL running, does the address hold, does a firewall stand between?"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble: by which codes or words it is known, what to do, and whether waiting mends it.

    `codes` are SQLSTATEs, or names of SQLite's.
    """

    codes: frozenset[str]
    words: re.Pattern[str]
    advice: str
    passes: bool


def _trouble(codes: str, words: str, advice: str, *, passes: bool = False) -> Trouble:
    return Trouble(frozenset(codes.split()), re.compile(words), advice, passes)


TROUBLES: Final = (
    _trouble(
        "3D000",
        r'database ".*" does not exist',
        f"there is no such database: make it with `{CREATE}`",
    ),
    _trouble(
        "",
        "no pg_hba.conf entry.*no encryption",
        "its server lets nobody in so without TLS: write ?sslmode=require (better: verify-full) behind the"
        " address, or correct its pg_hba.conf",
    ),
    _trouble(
        "",
        "does not support SSL|root certificate file|certificate verify failed|SSL error",
        "the encrypted connection fails: see that its server has ssl = on and a certificate that holds for"
        " this name, and what sslmode and sslrootcert in the address say",
    ),
    _trouble(
        "",
        'role ".*" does not exist',
        "its server does not know this user: make it with `createuser`, or name another in the address",
    ),
    _trouble(
        "28P01 28000",
        "password|no pg_hba.conf entry|authentication failed|is not permitted to log in",
        "its server does not let us in: check the user, PGPASSFILE (mode 0600) and pg_hba.conf",
    ),
    _trouble(
        "42501",
        "permission denied",
        "its user may not do that: make the user the database's owner (createdb --owner, or ALTER DATABASE"
        " and REASSIGN OWNED)",
    ),
    _trouble(
        "53300",
        "too many clients|too many connections|connection slots",
        "its server has no connection left: raise max_connections to 200, or end what else uses it",
    ),
    _trouble(
        "53100",
        "No space left on device",
        "the disk of PostgreSQL's server is full: make room there (df -h says where); what waits is written"
        " then",
        passes=True,
    ),
    _trouble(
        "25006",
        "read-only transaction",
        "it can only be read: name the server that takes writes in database.url, not its standby, or take"
        " default_transaction_read_only away",
    ),
    _trouble(
        "57P01 57P02 57P03",
        "is starting up|is shutting down|in recovery mode|terminating connection|not yet accepting",
        "it is being stopped or started: nothing to do, what waits goes on by itself",
        passes=True,
    ),
    _trouble(
        "55P03",
        "lock timeout",
        "somebody else held it for too long: it is tried again; where it stays so, pg_stat_activity says who",
        passes=True,
    ),
    _trouble(
        "57014",
        "canceling statement",
        "a limit of time or an administrator ended it: it is tried again; look at the user's"
        " statement_timeout",
        passes=True,
    ),
    _trouble(
        "42P01 42703",
        "no such table|no such column",
        "its tables are not those of this program: run `schoolwatch-server migrate`",
    ),
    _trouble(
        "53200 53000",
        "out of memory|out of shared memory",
        "PostgreSQL's server has no memory left: look at what else runs there, or lower its shared_buffers",
        passes=True,
    ),
    _trouble(
        "58030 XX001 XX002",
        "invalid page|could not read block",
        "PostgreSQL's disk or files are damaged: look at its log, stop the server, restore a backup",
    ),
    _trouble(
        "SQLITE_FULL",
        "disk is full",
        "the disk is full: make room (df -h says where); what waits is written then",
        passes=True,
    ),
    _trouble(
        "SQLITE_BUSY",
        "database is locked",
        "another program holds it: it is tried again; where it stays so, end what else has the file open",
        passes=True,
    ),
    _trouble(
        "SQLITE_READONLY", "readonly database", "its file can't be written: whose is it, and its folder?"
    ),
    _trouble(
        "SQLITE_CORRUPT SQLITE_NOTADB",
        "malformed|not a database",
        "its file is damaged: look at the disk, and restore a backup",
    ),
    _trouble(
        "",
        "onnection refused|timeout expired|timed out|could not translate host|No such file"
        "|closed the connection|server closed|connection is closed|not known|unreachable|No route"
        "|connection failed",
        f"it does not answer: {_ANSWER}",
        passes=True,
    ),
)
"""The first that fits holds: a refusal stands in the same line as the address that did not let us in."""


def of(error: object) -> Trouble | None:
    """The trouble that an error of SQLAlchemy, psycopg or sqlite3 tells of; None when it is none of them."""
    own = getattr(error, "orig", None) or error
    if type(own).__module__.partition(".")[0] not in {"psycopg", "sqlite3"}:
        return None  # a broker that does not answer, or our own disk
    state = getattr(own, "sqlstate", None)
    name = "_".join(str(getattr(own, "sqlite_errorname", "")).split("_")[:2])  # SQLITE_IOERR_WRITE is one too
    for trouble in TROUBLES:
        if {state, name} & trouble.codes or (state is None and trouble.words.search(str(own))):
            return trouble
    return None


def line(error: object) -> str:
    """What it says and what to do about it, in one line; without the rows that a detail may quote."""
    own = getattr(error, "orig", None) or error
    said = " ".join(str(own).partition("\nDETAIL:")[0].split())
    said = said.rpartition("failed: ")[2][:_SAID_MAX]  # libpq names address and port before
    trouble = of(error)
    return said if trouble is None else f"{trouble.advice} (it says: {said})"
