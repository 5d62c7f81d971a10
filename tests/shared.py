"""A tree and its running site: of one test, or of all tests of a module.

A module or conftest says `tree, site = shared_tree, shared_site`; where none says so, each test has its own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tree import Tree
from website import RunningSite


@pytest.fixture
def own_tree(tmp_path: Path) -> Iterator[Tree]:
    """Eight schools of four communes of two provinces; each has an open incident and a closed one."""
    tree = Tree(tmp_path)
    yield tree
    tree.engine.dispose()


@pytest.fixture(scope="module")
def shared_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """Its tests only read it, or each has a school of its own."""
    tree = Tree(tmp_path_factory.mktemp("tree"))
    yield tree
    tree.engine.dispose()


@pytest.fixture
def own_site(tree: Tree) -> Iterator[RunningSite]:
    with RunningSite(tree.config) as site:
        yield site


@pytest.fixture(scope="module")
def shared_site(tree: Tree) -> Iterator[RunningSite]:
    with RunningSite(tree.config) as site:
        yield site
