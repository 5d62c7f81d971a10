"""A database whose reports the rules read from now on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports import NOW, World
from schoolwatch_server import incidents
from schoolwatch_server.database import journal
from schoolwatch_server.database.engine import begin_write


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    with begin_write(world.engine) as conn:
        journal.create_cursor(conn, incidents.CURSOR, NOW)
    yield world
    world.engine.dispose()
