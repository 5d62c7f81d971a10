"""The web server on a tree of schools."""

from collections.abc import Callable

import httpx
import pytest

from schoolwatch_server.scope import EVERYTHING, Scope
from shared import shared_site, shared_tree
from website import RunningSite

Ask = Callable[..., httpx.Client]


tree, site = shared_tree, shared_site


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
