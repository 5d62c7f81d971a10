"""The web server on a tree of schools."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite

Ask = Callable[..., httpx.Client]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """Shared by a module's tests, which only read it."""
    tree = Tree(tmp_path_factory.mktemp("tree"))
    yield tree
    tree.engine.dispose()


@pytest.fixture(scope="module")
def site(tree: Tree) -> Iterator[RunningSite]:
    with RunningSite(tree.config) as site:
        yield site


@pytest.fixture(scope="module")
def anyone(site: RunningSite) -> httpx.Client:
    """Asks without a token."""
    return site.anyone()


@pytest.fixture(scope="module")
def ask(site: RunningSite) -> Ask:
    """`ask(scope)` is a client with a token of that scope; the same one each time."""
    made: dict[Scope, httpx.Client] = {}

    def client(scope: Scope = EVERYTHING) -> httpx.Client:
        if scope not in made:
            made[scope] = site.ask(scope)
        return made[scope]

    return client
