"""Who waits for something new in the database is woken by the commit of another, and by nothing else."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import insert

from databases import make_database
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.changes import Changes
from schoolwatch_server.database.engine import begin_write, open_database


@pytest.mark.database("sqlite")
def test_a_commit_is_seen_once_and_a_rollback_never(tmp_path: Path) -> None:
    engine = open_database(make_database(tmp_path), tmp_path)
    changes = Changes(engine)
    assert changes.seen()  # nobody knows what was before the first look
    assert not changes.seen()
    with begin_write(engine) as conn:
        conn.execute(insert(t.meta).values(key="a", value="1"))
        conn.rollback()
    assert not changes.seen()
    with begin_write(engine) as conn:
        conn.execute(insert(t.meta).values(key="b", value="1"))
    assert changes.seen()
    assert not changes.seen()
    changes.close()
    assert changes.seen()
    changes.close()
    engine.dispose()


def test_who_waits_is_woken_by_a_commit_or_by_the_end(tmp_path: Path) -> None:
    engine = open_database(make_database(tmp_path), tmp_path)
    changes, stop = Changes(engine), threading.Event()
    changes.seen()

    def write() -> None:
        with begin_write(engine) as conn:
            conn.execute(insert(t.meta).values(key="c", value="1"))

    began = time.monotonic()
    threading.Timer(0.2, write).start()
    changes.wait(stop, 60.0)
    assert time.monotonic() - began < 50
    changes.wait(stop, 0.1)  # nothing came, and it ends all the same
    threading.Timer(0.2, stop.set).start()
    changes.wait(stop, 60.0)
    assert stop.is_set()
    assert time.monotonic() - began < 50
    changes.close()
    engine.dispose()


@pytest.mark.database("sqlite")
def test_a_file_that_is_away_counts_as_news(tmp_path: Path) -> None:
    engine = open_database(make_database(tmp_path), tmp_path)
    changes = Changes(engine)
    engine.dispose()
    (tmp_path / "schoolwatch.db").rename(tmp_path / "elsewhere")
    assert changes.seen()
    assert changes.seen()
