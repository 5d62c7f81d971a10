"""The chore that judges writes targets too, once an hour: they take as long as judging again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schoolwatch_server import chores
from schoolwatch_server.channel_book import Channels
from schoolwatch_server.chores import Chores
from schoolwatch_server.database import judged
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.sheets import packs_in_force, rules_in_force
from schoolwatch_server.store.names import TARGET
from tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    tree = Tree(tmp_path)
    yield tree
    tree.engine.dispose()


def test_targets_are_written_once_an_hour(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    config, engine = tree.config, tree.engine
    due = Chores(
        config,
        engine,
        packs_in_force(config, engine),
        rules_in_force(config, engine),
        Channels(config, engine),
    )
    hour = (tree.now // 3600 + 1) * 3600
    instants = []
    for later in (0, 300, 3600):
        monkeypatch.setattr(chores.time, "time", lambda at=hour + later: at)
        due._judge()
        with begin_read(engine) as conn:
            rows = judged.read(conn, TARGET, {"level": "province"}, 0.0, hour + 86400)
        instants.append({row.at for row in rows})
    assert instants == [{hour}, {hour}, {hour, hour + 3600}]
    assert all(row.numerator is not None and row.tags["source"] for row in rows)
