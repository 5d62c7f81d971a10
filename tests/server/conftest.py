"""A database with a school, and a web hook that keeps what it is sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports import World
from webhook import Webhook


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.engine.dispose()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    webhook = Webhook()
    yield webhook
    webhook.close()
