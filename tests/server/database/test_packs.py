"""Versions of packs are added, never changed, and kept with what a report named."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from databases import make_database
from schoolwatch_server import packs as loaded
from schoolwatch_server.database import packs
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.packs.sheet import Stored

ONE = Stored("so_2027", 1, date(2027, 1, 1), "kind: plan\n", 5.0, "so-admin")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(make_database(tmp_path), tmp_path)
    yield engine
    engine.dispose()


def test_versions_are_read_as_they_were_saved(engine: Engine) -> None:
    end = Stored("so_2027", 2, date(2028, 1, 1), "", 6.0, "so-admin", is_end=True)
    with begin_write(engine) as conn:
        assert packs.stamp(conn) == 0
        packs.add(conn, ONE)
        before = packs.stamp(conn)
        packs.add(conn, end)
        assert packs.stamp(conn) > before > 0
    with begin_read(engine) as conn:
        assert packs.stored(conn) == (ONE, end)


def test_a_version_is_saved_once(engine: Engine) -> None:
    with begin_write(engine) as conn:
        packs.add(conn, ONE)
    with pytest.raises(IntegrityError), begin_write(engine) as conn:
        packs.add(conn, ONE)
    with begin_read(engine) as conn:
        assert packs.stored(conn) == (ONE,)


def test_the_text_of_what_a_report_named_is_kept_once_and_found_by_its_digest(engine: Engine) -> None:
    held = loaded.load().held
    for now in (1.0, 2.0):
        with begin_write(engine) as conn:
            packs.keep(conn, held, now)
            packs.keep(conn, (), now)
    with begin_read(engine) as conn:
        for one in held:
            assert packs.kept(conn, one.sha256) == (one.sheet.name, one.text.decode())
        assert packs.kept(conn, "0" * 64) is None
