"""A PostgreSQL of this process's own, from Debian's programs: nothing in it outlives the tests."""

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, exc

import in_memory
from mqtt import wait_for

_FAST = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=32MB",
    "max_wal_size=256MB",
    "autovacuum=off",  # it looks into templates, which then can't be copied
)


class Cluster:
    """One running server, on a socket in its folder alone; the user `guarded` needs a password."""

    def __init__(self, programs: Path) -> None:
        # hundreds of databases, and none waits for the disk
        self.folder = Path(tempfile.mkdtemp(prefix="schoolwatch-postgresql-", dir=in_memory.DISK))
        self.programs = programs
        self._numbers = count(1)
        # PostgreSQL refuses to run as root; what ends the tests ends it too
        self._as = (
            ("setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups")
            if os.getuid() == 0
            else ()
        )
        if self._as:
            shutil.chown(self.folder, "postgres", "postgres")
            self.folder.chmod(0o755)
        data = self.folder / "data"
        self._run(
            "initdb",
            "-D",
            str(data),
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--username=schoolwatch",
            "--auth=trust",
        )
        (data / "pg_hba.conf").write_text("local all guarded scram-sha-256\nlocal all all trust\n")
        settings = (
            *_FAST,
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "max_connections=400",
        )
        words = [word for setting in settings for word in ("-c", setting)]
        log = (self.folder / "log").open("wb")
        guard = ("setpriv", *self._as[1:], "--pdeathsig", "QUIT")
        self.process = subprocess.Popen(
            [*guard, str(programs / "postgres"), "-D", str(data), *words],
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
        log.close()
        atexit.register(self.end)
        self.engine: Engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        wait_for(self._answers, 60)

    def url(self, name: str) -> str:
        """Of a database, over the socket."""
        return f"postgresql+psycopg://schoolwatch@/{name}?host={self.folder}"

    def make(self, template: str = "template0", *, words: str = "") -> str:
        """A new database; its name."""
        name = f"test{next(self._numbers)}"
        with self.engine.connect() as conn:
            conn.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} {words}")
        return name

    def say(self, statement: str) -> None:
        """Runs one statement in the database `postgres`."""
        with self.engine.connect() as conn:
            conn.exec_driver_sql(statement)

    def end(self) -> None:
        self.engine.dispose()
        self._run("pg_ctl", "stop", "-D", str(self.folder / "data"), "-m", "immediate", check=False)
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            with self.engine.connect():
                return True
        except exc.OperationalError:  # it is only starting
            return False

    def _run(self, program: str, *words: str, check: bool = True) -> int:
        done = subprocess.run(
            [*self._as, str(self.programs / program), *words],
            capture_output=True,
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.defpath},
        )
        assert not check or done.returncode == 0, done.stderr
        return done.returncode


@cache
def cluster() -> Cluster:
    """This process's server, started when it is first asked for.

    Without one the test is skipped, and fails in CI.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        missing = "not run: needs PostgreSQL (Debian package postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return Cluster(found[-1].parent)
