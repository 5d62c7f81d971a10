"""The province that all panels are tried on."""

from collections.abc import Iterator

import pytest

from panels_world import HOURS, START, chosen_in, filled
from reports import World
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store.queried import Queried


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.engine.dispose()


@pytest.fixture(scope="package")
def devices(world: World) -> list[str]:
    return filled(world, START, hours=HOURS)


@pytest.fixture(scope="package")
def chosen(world: World, devices: list[str]) -> dict[str, str]:
    """What somebody has chosen in the variables: the ids of places."""
    return chosen_in(world, devices)


@pytest.fixture(scope="package")
def embedded(world: World, devices: list[str]) -> Iterator[Queried]:
    del devices  # there by now
    with begin_read(world.engine) as conn:
        yield Queried(conn, JudgedIndex(), EVERYTHING, START + HOURS * 3600 - 1)
