"""GET /api/v1/activation and /api/v1/lines: what is told of each school as a whole."""

import time
from collections.abc import Callable
from dataclasses import asdict

from sqlalchemy import Connection

from schoolwatch_server.access import Principal
from schoolwatch_server.api import shapes
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.query import Cursor, Limit, SchoolCode
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import activation as counted
from schoolwatch_server.database import registry, states, told
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators.current import limits
from schoolwatch_server.line_tests import LineTest, line_tests
from schoolwatch_server.scope import Scope
from schoolwatch_server.state import State

Json = dict[str, object]


def activation(
    who: Who, server: Server, school: SchoolCode = None, limit: Limit = 100, cursor: Cursor = 0
) -> Json:
    """On how many computers of each school Windows and Office are activated, which does not mean licensed.

    Computers that report within the pack's window count; `untold` are those without the product, or that do
    not tell.
    """
    after = limits(server.packs, time.time()).working_after

    def of(conn: Connection, row: registry.SchoolRow) -> Json:
        found = counted.counts(conn, Scope("school", row.id), after)
        return {
            one.product: {"activated": one.yes, "not_activated": one.no, "untold": one.untold}
            for one in found
        }

    return {"counts_since": rfc3339(after), **_list("activation", of, who, server, school, limit, cursor)}


def lines(
    who: Who, server: Server, school: SchoolCode = None, limit: Limit = 100, cursor: Cursor = 0
) -> Json:
    """The last speed tests of each school's line, IPv4 and IPv6 apart, in bit/s and seconds.

    What was held back (`limited_…`) says nothing of the line.
    """

    def of(conn: Connection, row: registry.SchoolRow) -> Json:
        device_id = told.line_tester(conn, row.id)
        state = None if device_id is None else states.load(conn, device_id)
        return {
            "declared_mbps": row.declared.get("line_mbps"),
            "state": "no_device_chosen" if device_id is None else "tested" if _tests(state) else "untested",
            "tests": [_test(test) for test in _tests(state)],
        }

    return _list("lines", of, who, server, school, limit, cursor)


def _tests(state: State | None) -> tuple[LineTest, ...]:
    return line_tests(state or State())


def _test(test: LineTest) -> Json:
    said: Json = asdict(test)
    return {**said, "limited_by": test.limited_by.split(), "taken_at": rfc3339(test.taken_at)}


def _list(
    name: str,
    of: Callable[[Connection, registry.SchoolRow], Json],
    who: Principal,
    server: Context,
    school: str | None,
    limit: int,
    cursor: int,
) -> Json:
    """One page of schools, by id."""
    with begin_read(server.engine) as conn:
        if school is None:
            known = sorted(registry.schools(conn, who.scope), key=lambda row: row.id)
        else:
            one = registry.school_by_code(conn, school, who.scope)
            if one is None:
                raise not_found("school", school)
            known = [one]
        rest = [row for row in known if row.id > cursor]
        return {
            name: [{"school": {"code": row.code, "name": row.name}, **of(conn, row)} for row in rest[:limit]],
            "next": rest[limit - 1].id if len(rest) > limit else None,
        }


ROUTES = (
    Route(
        "GET",
        "/api/v1/activation",
        activation,
        "read",
        "Activation, counted by school",
        answer=shapes.Activations,
    ),
    Route("GET", "/api/v1/lines", lines, "read", "Speed tests of schools' lines", answer=shapes.Lines),
)
