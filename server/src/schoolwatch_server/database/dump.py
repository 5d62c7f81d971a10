"""PostgreSQL's own programs: pg_dump of one moment, and pg_restore into an empty database."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.engine import make_url

from schoolwatch_server import child
from schoolwatch_server.database.engine import DatabaseError, begin_read, translated, unchecked

_COPY = re.compile(rb"^COPY (?:[\w\"]+\.)?\"?(\w+)\"? \(.*\) FROM stdin;$")

_EXTENSION = re.compile(rb"\d+; \d+ \d+ (COMMENT - )?EXTENSION ")
"""In pg_restore's list: an administrator's, as pg_stat_statements is. Our user may make none."""


@contextmanager
def moment(url: str) -> Iterator[tuple[Connection, str]]:
    """A transaction that sees one moment, and the name by which `pg_dump --snapshot` sees the same."""
    engine = unchecked(url)
    try:
        with begin_read(engine) as conn:
            conn.exec_driver_sql(
                "SET LOCAL idle_in_transaction_session_timeout = 0"
            )  # as long as pg_dump takes
            yield conn, str(conn.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one())
    finally:
        engine.dispose()


def write(url: str, moment: str, to: Path) -> None:
    """That moment in pg_dump's own format, not compressed: what did not change is seen to be the same."""
    to.touch(mode=0o600, exist_ok=False)
    words = ("--format=custom", "--compress=0", "--no-owner", "--no-privileges", f"--snapshot={moment}")
    _run(url, "pg_dump", *words, f"--file={to}", f"--dbname={_place(url)}")


def read(url: str, dump: Path) -> None:
    """Puts a dump into an empty database, all of it or nothing. Raises `DatabaseError`."""
    words = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    with tempfile.NamedTemporaryFile() as ours:
        _run(None, "pg_restore", "--list", f"--file={ours.name}", str(dump))
        listed = Path(ours.name).read_bytes().splitlines(keepends=True)
        Path(ours.name).write_bytes(b"".join(line for line in listed if not _EXTENSION.match(line)))
        _run(url, "pg_restore", *words, f"--use-list={ours.name}", f"--dbname={_place(url)}", str(dump))


def is_empty(url: str) -> bool:
    """Whether the database holds no table. Raises `DatabaseError` when it doesn't answer."""
    engine = unchecked(url)
    try:
        with translated(engine.url), engine.connect() as conn:
            return not inspect(conn).get_table_names()
    finally:
        engine.dispose()


def rows(dump: Path) -> dict[str, int]:
    """Rows of each table in a dump, counted without a server. Raises `DatabaseError` for a broken dump."""
    count = _Count()
    _run(None, "pg_restore", "--data-only", "--file=-", str(dump), take=count.take)
    return count.rows


class _Count:
    """Counts the lines between `COPY … FROM stdin;` and the backslash and period that end it."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self._rest = b""
        self._table: str | None = None

    def take(self, piece: bytes) -> None:
        """The next bytes of the script."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if self._table is None:
                begun = _COPY.match(line)
                if begun is not None:
                    self._table = begun[1].decode()
                    self.rows[self._table] = 0
            elif line == b"\\.":
                self._table = None
            else:
                self.rows[self._table] += 1


def _run(url: str | None, program: str, *words: str, take: object = None) -> None:
    path = shutil.which(program)
    if path is None:
        raise DatabaseError("unreachable", f"{program} is not installed: apt-get install postgresql-client")
    environment = {"LC_ALL": "C"}
    password = make_url(url).password if url else None
    if password:
        environment["PGPASSWORD"] = str(password)
    code, _, said = child.run_long((path, *words), environment=environment, take=take)  # type: ignore[arg-type]
    if code != 0:
        raise DatabaseError(
            "unreachable", f"{program}: {(said.splitlines() or ['no reason given'])[0][:200]}"
        )


def _place(url: str) -> str:
    """As libpq wants it, without the password."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
