"""/api/v1/known-network: what the network of a school is known to have, and taking one of it back."""

import time
from typing import Annotated

from fastapi import Query, Request

from schoolwatch_server import known_network
from schoolwatch_server.api import known_network_shapes as shapes
from schoolwatch_server.api import looked
from schoolwatch_server.api.incidents import check_session
from schoolwatch_server.api.problems import Problem, not_found
from schoolwatch_server.api.query import CODE
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.rules.known import Known

Json = dict[str, object]


def listed(who: Who, server: Server, school: Annotated[str, Query(pattern=CODE)]) -> Json:
    """DHCP servers and routers that are taken for the school's own, and incidents that wait for a word.

    An incident that is closed as a `false_alarm` makes known what it is about.
    """
    with begin_read(server.engine) as conn:
        row = registry.school_by_code(conn, school, who.scope)
        if row is None:
            raise not_found("school", school)
        network = known_network.of_school(conn, tuple(server.rules.values()), row.id)
    looked.see(server.looked, server.engine, who, "incident.list", school)
    return {
        "school": school,
        "known": [_known(one, network) for one in network.known],
        "waiting": [
            {"incident": one.id, "rule": one.rule, "machine": one.subject.part, "since": rfc3339(one.since)}
            for one in network.waiting
        ],
        "ended": [
            {
                "rule": one.rule,
                "machine": one.subject.part,
                "ended_at": rfc3339(one.at),
                "ended_by": one.by or None,
            }
            for one in network.ended
        ],
    }


def forget(body: shapes.Forget, request: Request, who: Who, server: Server) -> Json:
    """It is known no more: seen again, it is an incident. To know it again, close that as a `false_alarm`."""
    check_session(request, who)
    with begin_read(server.engine) as conn:
        row = registry.school_by_code(conn, body.school, who.scope)
    if row is None or not row.code:
        raise not_found("school", body.school)
    rules, now = tuple(server.rules.values()), time.time()
    if not known_network.forget(server.engine, who, rules, row, body.rule, body.machine, now):
        raise Problem(409, f"machine: {body.rule[:60]!r} knows no {body.machine[:60]!r} there (any more)")
    return listed(who, server, body.school)


def _known(one: Known, network: known_network.Network) -> Json:
    return {
        "rule": one.rule.id,
        "machine": one.part,
        "announces": dict(one.says),
        "known_since": rfc3339(one.since or None),
        "was_there": one.was_there,
        "said": [
            {
                "at": rfc3339(at),
                "by": found.verdict_by if found else None,
                "incident": found.id if found else None,
            }
            for at, found in network.said(one)
        ],
        "last_seen": rfc3339(one.last or None),
    }


ROUTES = (
    Route(
        "GET", "/api/v1/known-network", listed, "read", "What a school's network is known to have",
        answer=shapes.KnownNetwork,
    ),
    Route(
        "POST", "/api/v1/known-network/forget", forget, "handle", "Takes one of it back",
        answer=shapes.KnownNetwork,
    ),
)  # fmt: skip
