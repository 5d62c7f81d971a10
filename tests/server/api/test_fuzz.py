"""schemathesis over the API's whole description: no server error, and every answer as it is described."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from reports import Device
from schoolwatch_contract import slot
from schoolwatch_server import packs, renewal
from schoolwatch_server.api.description import OPENAPI
from schoolwatch_server.api.route import Route
from schoolwatch_server.api.service import ROUTES
from schoolwatch_server.config import Speedtest
from schoolwatch_server.database import calendars, incidents, maintenances
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.enrolment import issue_enrolment_token
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.reports import FORMATS, TABLES, keeping
from schoolwatch_server.reports.freeze import Judged
from schoolwatch_server.rules.learning import Learnt
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite

EXAMPLES = int(os.environ.get("SCHOOLWATCH_EXAMPLES", "8"))
"""Requests to each operation; more with SCHOOLWATCH_EXAMPLES=1000."""

DESCRIBED = [route for route in ROUTES if route.summary]
Principals = dict[str, Callable[[], dict[str, str]]]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


@pytest.fixture(scope="module")
def description(site: RunningSite) -> dict[str, Any]:
    return site.anyone().get(OPENAPI).json()


@pytest.fixture(scope="module")
def operations(description: dict[str, Any]) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_dict(description)


@pytest.fixture(scope="module")
def site(tree: Tree) -> Iterator[RunningSite]:
    config = msgspec.structs.replace(tree.config, speedtest=Speedtest(enabled=True, line_mbps=10_000))
    with RunningSite(config) as site:
        yield site


@pytest.fixture(scope="module")
def principals(site: RunningSite, tree: Tree) -> Principals:
    """Who asks → the headers of its next request."""
    school, (renews, other) = Scope("school", tree.schools[0].id), tree.schools[0].devices[:2]
    renewal.order(tree.engine, EVERYTHING, [renews.device], by="test", now=tree.now)
    people = {"technician": site.somebody("technician", school), "so_admin": site.somebody("so_admin")}
    tokens = {
        "token": site.ask(EVERYTHING),
        "a school's token": site.ask(school),
        "a help desk": site.ask(EVERYTHING, "handle"),
        "a timetable": site.ask(EVERYTHING, "calendar"),
        "a Grafana": site.ask(school, "alert"),
    }
    asks = site.anyone()

    def proof(device: Device) -> dict[str, str]:
        nonce = slot.parameters(asks.post(slot.PATH).headers["www-authenticate"])["nonce"]
        return {"Authorization": slot.authorization(device.key, device.device, nonce)}

    return {
        "nobody": dict,
        "device": partial(proof, renews),
        "another device": partial(proof, other),
        **{name: partial(dict, Authorization=c.headers["authorization"]) for name, c in tokens.items()},
        **{name: partial(dict, Cookie=cookies(client)) for name, client in people.items()},
    }


def cookies(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def test_every_route_of_the_api_is_described(description: dict[str, Any]) -> None:
    api = {(r.method.lower(), r.path) for r in ROUTES if r.path.startswith("/api/") and r.path != OPENAPI}
    described = {(method, path) for path, methods in description["paths"].items() for method in methods}
    assert api <= described
    assert described == {(route.method.lower(), route.path) for route in DESCRIBED}
    for method, path in described:
        responses = description["paths"][path][method]["responses"]
        for status, response in responses.items():
            assert response["content"], (path, status)
            for media, content in response["content"].items():
                assert content["schema"], (path, status)
                assert (media == "application/problem+json") == (not status.startswith("2")), (path, status)


@dataclass(frozen=True)
class Known:
    """What is there, so that answers hold something: drawn in the place of what schemathesis makes up."""

    tree: Tree
    enrolment: str
    report: str

    @property
    def province(self) -> str:
        """Of the first school."""
        return next(mark for mark in self.tree.schools[0].above if mark.startswith("MarkP"))

    def values(self) -> st.SearchStrategy[dict[str, Any]]:
        school = self.tree.schools[0]
        device = school.devices[0]
        return st.fixed_dictionaries(
            {
                "school": st.just(school.code),
                "code": st.just(school.code),
                "device": st.just(device.device),
                "format": st.sampled_from([chosen.id for chosen in FORMATS]),
                "table": st.sampled_from(list(TABLES)),
                "metric": st.sampled_from(["link.speed", "processor.busy", "bandwidth.download"]),
                "name": st.just("os.name"),
                "indicator": st.sampled_from([known.id for known in INDICATORS]),
                "token": st.just(self.enrolment),
                "room": st.just(""),
                "number": st.just(1),
                "rule": st.just("dhcp_server_new"),
                "machine": st.just("fuzz"),
                "incidents": st.just([1, 2]),
                "assignee": st.just(""),
                "note": st.sampled_from(["đã gọi trường", "hẹn sáng mai"]),
                "month": st.just("2026-01"),
                "digest": st.just(self.report),
                "from": st.just("2026-01-01T00:00:00Z"),
                "to": st.just("2027-01-01T00:00:00+07:00"),
                "level": st.just("school"),
                "first": st.just("2026-12-01"),
                "last": st.sampled_from(["2026-12-01", "2026-12-03"]),
                "starts": st.just("2099-12-01T08:00:00+07:00"),
                "ends": st.just("2099-12-01T10:00:00+07:00"),
                "reason": st.sampled_from(["mất điện theo lịch", "thay cáp quang"]),
                "morning": st.just("07:00-11:30"),
                "afternoon": st.just("13:30-17:00"),
                "days": st.just("23456"),
                "mornings_only": st.just("7"),
                "day": st.just("2026-12-01"),
            },
        )

    def put_into(self, case: schemathesis.Case, values: dict[str, Any]) -> None:
        for where in (case.path_parameters, case.query, case.body):
            if isinstance(where, dict):
                where.update({name: value for name, value in values.items() if name in where})
        if case.path == "/api/v1/indicators":  # refused without one, in words of its own
            case.query = {**(case.query or {}), "school": values["school"]}
        if case.path == "/api/v1/calendar/work" and isinstance(case.body, dict):
            case.body["rule"] = "line_down"
        if "/provinces/{code}" in case.path:
            case.path_parameters["code"] = self.province


@pytest.fixture(scope="module")
def known(tree: Tree) -> Known:
    token = issue_enrolment_token(tree.engine, tree.schools[0].id, None, 1, 1000, now=tree.now)
    wanted = keeping.Wanted("school", tree.schools[0].code, "year")
    learnt = Learnt(known={"fuzz": {"": 0.0}}, seen={"fuzz": (4e9, 4e9)})  # later than whoever takes it back
    with begin_write(tree.engine) as conn:
        about = Subject("school", tree.schools[0].id)
        here = {"level": "school", "place_id": tree.schools[0].id, "reason": "fuzz"}
        calendars.put_days(
            conn, here | {"first": "2026-12-01", "last": "2026-12-01", "is_held": False}, 0.0, ""
        )
        maintenances.put(conn, here | {"rule": "", "starts": 0.0, "ends": 4e9}, 0.0, "")
        incidents.write_states(conn, {("dhcp_server_new", about): msgspec.to_builtins(learnt)})
    report = keeping.freeze(tree.engine, wanted, Judged(packs.load()), EVERYTHING, by="test", now=tree.now)
    return Known(tree, token, report.sha256)


EACH = pytest.mark.parametrize("route", [pytest.param(r, id=f"{r.method} {r.path}") for r in DESCRIBED])


def fuzz(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@EACH
def test_nothing_that_is_sent_breaks_it(
    site: RunningSite, operations: schemathesis.BaseSchema, principals: Principals, route: Route
) -> None:
    site.app.state.context.attempts.__init__(most=10**9, seconds=60.0)
    site.app.state.context.pace.__init__(most=10**9)
    operation = operations[route.path][route.method]

    @fuzz(EXAMPLES)
    @given(
        case=operation.as_strategy(),
        name=st.sampled_from(sorted({*principals} - {"device", "another device"})),
    )
    def ask(case: schemathesis.Case, name: str) -> None:
        case.call_and_validate(base_url=site.url, timeout=120, headers=principals[name](), checks=CHECKS)

    ask()


@EACH
def test_what_is_there_is_told_as_it_is_described(
    site: RunningSite,
    operations: schemathesis.BaseSchema,
    principals: Principals,
    known: Known,
    route: Route,
) -> None:
    operation = operations[route.path][route.method]
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    statuses: Counter[int] = Counter()

    @fuzz(EXAMPLES)
    @given(case=right, values=known.values())
    def ask(case: schemathesis.Case, values: dict[str, Any]) -> None:
        known.put_into(case, values)
        for headers in principals.values():
            answer = case.call_and_validate(
                base_url=site.url, timeout=120, headers=headers(), checks=CHECKS[:-1]
            )
            statuses[answer.status_code] += 1

    ask()
    told = 404 if route.path == "/ca.pem" else route.status  # there is no authority here
    assert statuses[told], f"nothing was told: {statuses}"
