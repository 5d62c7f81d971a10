"""One gate for every route, what is public by name, and who may do what."""

import itertools
import re
from typing import get_args

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount
from starlette.routing import Route as PlainRoute

from schoolwatch_contract.slot import SCHEME
from schoolwatch_server.access import (
    DEVICE,
    WHOLE_SERVER,
    ForbiddenError,
    Permission,
    Place,
    Principal,
    UnauthenticatedError,
    authorise,
    covers,
    may,
)
from schoolwatch_server.api.pace import SECONDS, Pace
from schoolwatch_server.api.route import SESSION_COOKIE, Route
from schoolwatch_server.api.service import ROUTES
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite

PUBLIC = {
    ("POST", "/api/v1/enrol"),
    ("POST", "/api/v1/enrol/hint-key"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/healthz"),
    ("GET", "/influx/ping"),
    ("GET", "/readyz"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/login/code"),
    ("POST", "/login/code"),
    ("GET", "/login/oidc"),
    ("GET", "/login/oidc/callback"),
    ("GET", "/language/{language}"),
    ("GET", "/privacy"),
    ("GET", "/ca.pem"),
    ("GET", "/verify/{digest}"),
}
"""What needs no login. A new public route is written down here, by somebody who has thought about it."""

PERMISSIONS: tuple[Permission, ...] = get_args(Permission)


def test_every_route_of_the_application_is_behind_the_gate(site: RunningSite) -> None:
    declared = {(route.method, route.path): route.permission for route in ROUTES}
    found = {}
    for route in site.app.routes:
        if isinstance(route, Mount):
            assert (route.path, type(route.app).__name__) == ("/static", "StaticFiles")
            continue
        if isinstance(route, APIRoute):
            calls = [need.call for need in route.dependant.dependencies]
        else:
            assert isinstance(route, PlainRoute), f"{route} is no route of ours"
            calls = [route.endpoint]
        gates = [getattr(call, "gate_of", None) for call in calls if hasattr(call, "gate_of")]
        assert len(gates) == 1, f"{route.path} has no gate"
        for method in route.methods:
            found[method, route.path] = gates[0]
    assert found == declared
    assert len(ROUTES) == len(declared), "a route is there twice"
    assert {key for key, permission in found.items() if permission == "public"} == PUBLIC


def test_the_walk_sees_a_route_that_goes_round_the_gate() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/open", lambda: "anybody", methods=["GET"])
    (route,) = app.routes
    assert not any(hasattr(need.call, "gate_of") for need in route.dependant.dependencies)


def address(route: Route) -> str:
    """The route's path with something that its parameters may be."""
    return re.sub(r"{\w+}", "1", route.path.replace("{language}", "en"))


EACH = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES]


@pytest.mark.parametrize("route", EACH)
def test_nobody_passes_a_gate_without_a_name(site: RunningSite, route: Route) -> None:
    client = site.anyone()
    for headers in ({}, {"Authorization": "Bearer sw_wrong"}, {"Authorization": "Basic YWRtaW46eA=="},
                    {"Cookie": f"{SESSION_COOKIE}=wrong"}):  # fmt: skip
        client.cookies.clear()
        answer = client.request(route.method, address(route), headers=headers)
        if route.permission != "public":
            assert answer.status_code == 401
            challenge = answer.headers["www-authenticate"]
            assert SCHEME in challenge if route.permission in DEVICE else challenge == "Bearer"
        else:
            assert answer.status_code not in (401, 500)


def principal(permissions: frozenset[Permission], scope: Scope) -> Principal:
    return Principal("account", "x", permissions, scope)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_authorise_asks_for_a_name_the_permission_and_the_place(tree: Tree, permission: Permission) -> None:
    with pytest.raises(UnauthenticatedError):
        authorise(None, permission)
    nothing = principal(frozenset(), EVERYTHING)
    with pytest.raises(ForbiddenError):
        authorise(nothing, permission)
    for scope, school in itertools.product(tree.scopes, tree.schools):
        for manager in ("xa", "so", None):
            place = Place(school.province, school.commune, school.id, manager)
            all_of_it = principal(frozenset(PERMISSIONS), scope)
            allowed = school.inside(scope) and (permission not in WHOLE_SERVER or scope == EVERYTHING)
            if permission == "declare" and scope.level == "commune":
                allowed = allowed and manager == "xa"
            assert may(all_of_it, permission, place) == allowed


def test_a_scope_does_not_cover_what_is_above_it(tree: Tree) -> None:
    school = tree.schools[0]
    for scope in (Scope("school", school.id), Scope("commune", school.commune)):
        assert not covers(scope, Place(school.province))
    assert not covers(Scope("school", school.id), Place(school.province, school.commune))
    for level in ("province", "commune", "school"):
        assert not covers(Scope(level, None), Place())


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "XYZ"])
def test_no_other_method_is_a_way_in(site: RunningSite, tree: Tree, method: str) -> None:
    paths, client = [route.path for route in ROUTES], site.anyone()
    for route in ROUTES:
        answer = client.request(method, address(route))
        assert answer.status_code == 405, route
        assert route.method in answer.headers["allow"] or paths.count(route.path) > 1


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_cannot_be_overridden(site: RunningSite, tree: Tree, name: str) -> None:
    answer = site.anyone().post("/api/v1/schools", headers={name: "GET"})
    assert answer.status_code == 405
    assert site.anyone().get("/api/v1/enrol", params={"_method": "POST"}).status_code == 405


def test_a_token_is_not_read_from_an_address(site: RunningSite, ask) -> None:
    token = ask().headers["authorization"].split()[1]
    for name in ("token", "access_token", "api_key"):
        answer = site.anyone().get("/api/v1/schools", params={name: token})
        assert answer.status_code == 401
        assert token not in answer.text
        assert ask().get("/api/v1/schools", params={name: "x"}).status_code == 422


def test_a_token_that_asks_too_often_waits_and_others_do_not(site: RunningSite, monkeypatch) -> None:
    monkeypatch.setattr(site.app.state.context.pace, "_most", 3)
    busy, other = site.ask(), site.ask()
    assert [busy.get("/api/v1/schools").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = busy.get("/api/v1/schools")
    assert refused.headers["content-type"] == "application/problem+json"
    assert 0 < int(refused.headers["retry-after"]) <= SECONDS + 1
    assert other.get("/api/v1/schools").status_code == 200
    assert site.somebody("so_viewer").get("/").status_code == 200


def test_a_grafana_asks_for_many_panels_with_one_token(site: RunningSite, monkeypatch) -> None:
    monkeypatch.setattr(site.app.state.context.pace, "_most", 3)
    grafana = site.ask()
    panels = [grafana.get("/influx/query", params={"q": "SHOW DATABASES"}).status_code for _ in range(30)]
    assert panels == [200] * 30
    assert [grafana.get("/api/v1/schools").status_code for _ in range(3)] == [200, 200, 429]


def test_a_window_begins_with_its_first_request() -> None:
    pace = Pace(most=2, seconds=60)
    assert [pace.wait("a", now=at) for at in (0, 10, 20, 59)] == [0, 0, 40, 1]
    assert [pace.wait("a", now=at) for at in (60, 61, 62)] == [0, 0, 58]
    assert pace.wait("b", now=62) == 0
