"""Databases for tests that are not about making them: one is made, and each test has a copy of its own.

They are SQLite files, or on PostgreSQL: see `KIND`.
"""

import atexit
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, create_engine

from cluster import cluster
from schoolwatch_server.config import ServerConfig, of_data
from schoolwatch_server.database.engine import migrate, new_epoch

KIND = os.environ.get("SCHOOLWATCH_TEST_DATABASE", "sqlite")
"""What every database of the tests is on, but of those in `ON_BOTH`: `sqlite` or `postgresql`."""

ON_BOTH = (
    "server/console/test_asked_once.py",
    "server/console/test_away.py",
    "server/database/",
    "server/incidents/test_incidents.py",
    "server/intake/test_commit.py",
    "server/people/test_tokens.py",
    "server/standings/test_lan.py",
    "server/standings/test_lines.py",
    "server/store/test_judged.py",
    "server/store/test_names_held.py",
    "server/store/test_what_holds_now.py",
    "server/test_erasure.py",
)
"""Where tests of a `world` run on both. With SCHOOLWATCH_TEST_DATABASE=postgresql all are on that alone."""

SLOW = frozenset(
    {
        "test_any_interleaving_stores_each_report_once_and_the_mark_is_right",
        "test_influxdb_says_the_same",
        "test_no_computers_use_is_derivable_from_all_that_was_ever_published",
        "test_victoriametrics_says_the_same",
    }
)
"""Of those the ones with hundreds of databases, or with another server: on PostgreSQL only when that is
asked for."""

kind = KIND
"""What the next one is made on; the fixture `database_kind` sets it for a test."""


def make_database(folder: Path) -> str:
    """An empty database of today's shape, for a data folder whose settings then name it; its URL."""
    return copy_database(_migrated(kind), folder)


def copy_database(made: Path, folder: Path) -> str:
    """What a data folder that nothing uses holds, in another one, with an epoch of its own; its URL."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    config = of_data(folder)
    if config.database.url:
        template = config.database.url.partition("?")[0].rpartition("/")[2]
        url = cluster().url(cluster().make(template))
        _name(folder, url)
        engine = create_engine(url)
        with engine.begin() as conn:
            changed = conn.exec_driver_sql("UPDATE meta SET value = %s WHERE key = 'epoch'", (new_epoch(),))
            assert changed.rowcount == 1
        engine.dispose()
        return url
    with closing(sqlite3.connect(folder / "schoolwatch.db")) as db, db:
        assert db.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (new_epoch(),)).rowcount == 1
    return config.database_url


def settings_of(folder: Path, **sections: Any) -> ServerConfig:
    """The settings of a data folder with its database, and these sections."""
    return msgspec.structs.replace(of_data(folder), **sections)


def drop_trigger(conn: Connection, name: str, table: str) -> None:
    """As somebody does who owns the database; PostgreSQL's triggers are called by their table too."""
    conn.exec_driver_sql(f"DROP TRIGGER {name}{f' ON {table}' if conn.dialect.name == 'postgresql' else ''}")


def kept_folder() -> Path:
    """A folder of this process, taken away at its end: for what is copied from."""
    folder = Path(tempfile.mkdtemp(prefix="schoolwatch-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _migrated(on: str) -> Path:
    folder = kept_folder()
    if on == "postgresql":
        url = cluster().url(cluster().make())
        _name(folder, url)
    migrate(of_data(folder).database_url, folder)
    return folder


def _name(folder: Path, url: str) -> None:
    (folder / "server.toml").write_text(f'[database]\nurl = "{url}"\n', encoding="utf-8")
