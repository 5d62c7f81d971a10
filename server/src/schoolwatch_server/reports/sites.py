"""Schools' websites as this server last found them; a school without an address has a row that says so."""

from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_server import site_standing as standing
from schoolwatch_server.database import sites
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.reports.pen import Pen, instant
from schoolwatch_server.reports.table import Asked, Row, Table
from schoolwatch_server.scope import Scope

COLUMNS = (
    "site_address",
    "site_state",
    "site_since",
    "site_trouble",
    "site_trusted",
    "site_tls",
    "site_expires",
    "site_days",
    "site_ipv6",
    "site_https",
    "site_looked",
)


def _rows(conn: Connection, school: SchoolRow, asked: Asked, pen: Pen) -> Iterator[Row]:
    row = sites.of_school(conn, Scope("school", school.id), school.id)
    if row is None:
        yield {**dict.fromkeys(COLUMNS), "site_address": "", "site_state": pen.text("site.no_address")}
        return
    state, look = standing.state(row), row.look
    is_known = state != "unknown"
    found: Row = {
        "site_address": row.address,
        "site_state": pen.text(f"site.state.{state}"),
        "site_since": instant(row.since) if is_known else None,
    }
    if look is None:
        yield {**dict.fromkeys(COLUMNS), **found}
        return
    yield {
        **found,
        "site_trouble": pen.text(f"site.trouble.{look.trouble}") if look.trouble else "",
        "site_trusted": look.is_trusted,
        "site_tls": pen.text(f"site.tls.{look.tls_trouble}") if look.tls_trouble else "",
        "site_expires": instant(look.expires_at),
        "site_days": standing.days_left(row, asked.now),
        "site_ipv6": look.has_ipv6,
        "site_https": look.leads_to_https,
        "site_looked": instant(look.at),
    }


TABLE = Table("sites", COLUMNS, _rows)
