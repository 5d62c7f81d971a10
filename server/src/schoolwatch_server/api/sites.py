"""GET /api/v1/sites: schools' websites as this server last found them, and look by look."""

import time
from typing import Annotated

from fastapi import Query

from schoolwatch_server import site_standing as standing
from schoolwatch_server.api import site_shapes
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.query import CODE, INSTANT, Cursor, Limit, SchoolCode, instant
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import registry, sites
from schoolwatch_server.database.engine import begin_read

Json = dict[str, object]


def listed(
    who: Who,
    server: Server,
    school: SchoolCode = None,
    show: Annotated[standing.Which, Query(description="Those that need somebody")] = "all",
    limit: Limit = 100,
    cursor: Cursor = 0,
) -> Json:
    """The sites of schools with the newest look at each; `look` null: nobody has looked yet.

    `checked` false: the department has not switched looking on.
    """
    now = time.time()
    with begin_read(server.engine) as conn:
        rows = sites.listed(conn, who.scope)
        if school is not None:
            row = registry.school_by_code(conn, school, who.scope)
            if row is None:
                raise not_found("school", school)
            rows = tuple(each for each in rows if each.school_id == row.id)
    found = [row for row in rows if row.school_id > cursor and standing.is_one(row, show, now)]
    page = found[:limit]
    return {
        "checked": server.config.sites.enabled,
        "sites": [
            {
                "school": {"code": row.code, "name": row.school},
                "address": row.address,
                "state": standing.state(row),
                "since": rfc3339(row.since) if standing.state(row) != "unknown" else None,
                "days_left": standing.days_left(row, now),
                "look": None if row.look is None else _json(row.look),
            }
            for row in page
        ],
        "next": page[-1].school_id if len(found) > limit else None,
    }


def looks(
    who: Who,
    server: Server,
    school: Annotated[str, Query(pattern=CODE, description="Mã trường")],
    before: Annotated[str | None, Query(max_length=40, description=f"{INSTANT}; now")] = None,
    limit: Limit = 100,
) -> Json:
    """Looks at the present site of a school, the newest first; the last one's `at` goes into `before`."""
    until = instant("before", before)
    with begin_read(server.engine) as conn:
        row = registry.school_by_code(conn, school, who.scope)
        if row is None:
            raise not_found("school", school)
        site = sites.of_school(conn, who.scope, row.id)
        end = time.time() + 1 if until is None else until
        found = sites.looks(conn, who.scope, site.id, before=end, limit=limit) if site else ()
    return {
        "school": row.code,
        "address": site.address if site else None,
        "looks": [_json(each) for each in found],
    }


def _json(look: sites.LookRow) -> Json:
    return {
        "at": rfc3339(look.at),
        "is_up": look.is_up,
        "trouble": look.trouble,
        "ipv4": _way(look.trouble_v4, look.status_v4, look.seconds_v4, is_https=look.https_v4),
        "ipv6": _way(look.trouble_v6, look.status_v6, look.seconds_v6, is_https=look.https_v6),
        "has_ipv6": look.has_ipv6,
        "leads_to_https": look.leads_to_https,
        "certificate": {
            "trusted": look.is_trusted,
            "trouble": look.tls_trouble,
            "issuer": look.issuer,
            "expires_at": rfc3339(look.expires_at),
            "protocol": look.tls_version,
        },
    }


def _way(trouble: str, status: int | None, seconds: float | None, *, is_https: bool) -> Json:
    return {"trouble": trouble, "status": status, "seconds": seconds, "https": is_https}


ROUTES = (
    Route("GET", "/api/v1/sites", listed, "read", "Schools' websites", answer=site_shapes.SiteList),
    Route("GET", "/api/v1/sites/looks", looks, "read", "Looks at a website", answer=site_shapes.SiteLooks),
)
