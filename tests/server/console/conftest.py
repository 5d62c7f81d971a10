"""The head of the first school of a tree at the console."""

from collections.abc import Iterator

import httpx
import pytest

from schoolwatch_server.scope import Scope
from tree import Tree
from website import RunningSite


@pytest.fixture
def head(tree: Tree) -> Iterator[httpx.Client]:
    with RunningSite(tree.config) as site:
        yield site.somebody("school_head", Scope("school", tree.schools[0].id))
