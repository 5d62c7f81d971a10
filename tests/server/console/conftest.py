"""A tree of schools, and the head of the first one at the console."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from schoolwatch_server.scope import Scope
from tree import Tree
from website import RunningSite


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    tree = Tree(tmp_path)
    yield tree
    tree.engine.dispose()


@pytest.fixture
def head(tree: Tree) -> Iterator[httpx.Client]:
    with RunningSite(tree.config) as site:
        yield site.somebody("school_head", Scope("school", tree.schools[0].id))
