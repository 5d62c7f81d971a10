"""Databases for tests that are not about making them: one is made, and each test has a copy of its own."""

import atexit
import shutil
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from schoolwatch_server.config import of_data
from schoolwatch_server.database.engine import migrate, new_epoch


def make_database(folder: Path) -> str:
    """An empty database of today's shape in a data folder; its URL."""
    return copy_database(_migrated(), folder)


def copy_database(made: Path, folder: Path) -> str:
    """What a data folder that nothing uses holds, in another one, with an epoch of its own; its URL."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    with closing(sqlite3.connect(folder / "schoolwatch.db")) as db, db:
        assert db.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (new_epoch(),)).rowcount == 1
    return of_data(folder).database_url


def kept_folder() -> Path:
    """A folder of this process, taken away at its end: for what is copied from."""
    folder = Path(tempfile.mkdtemp(prefix="schoolwatch-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _migrated() -> Path:
    folder = kept_folder()
    migrate(of_data(folder).database_url)
    return folder
