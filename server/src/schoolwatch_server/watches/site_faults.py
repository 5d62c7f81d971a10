"""What else a look finds at a school's site: browsers warn of it, or its IPv6 is gone."""

from collections.abc import Iterator, Mapping

from schoolwatch_server.database import sites
from schoolwatch_server.database.sites import SiteRow
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.school_time import DAY
from schoolwatch_server.watches.sight import Sight


def untrusted(sight: Sight, _: Mapping[str, float]) -> Iterator[Finding]:
    """Of each site that browsers do not trust."""
    for row in sight.sites:
        is_trusted = None if row.look is None else row.look.is_trusted
        trouble = "" if row.look is None else row.look.tls_trouble
        if row.look is not None and is_trusted is not True:
            yield _found(row, None if is_trusted is None else True, {"finding.site_tls": trouble or None})


def ipv6_lost(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of each site without IPv6 that had it within `days`. One that never had it is no incident."""
    days = parameters["days"]
    had = sites.had_ipv6(sight.conn, sight.now - days * DAY)
    open_now = {subject.id for subject in sight.open_now.get("site_ipv6_lost", ())}
    before = sites.had_ipv6(sight.conn, sight.days_back("site_ipv6_lost", days)) if open_now else had
    for row in sight.sites:
        had_it = row.id in (before if row.school_id in open_now else had)
        if had_it and row.look is not None and row.look.has_ipv6 is not True:
            yield _found(row, True if row.look.has_ipv6 is False else None, {})


def _found(row: SiteRow, value: bool | None, facts: Mapping[str, str | None]) -> Finding:
    return Finding(
        Subject("school", row.school_id), value, facts={"finding.site_address": row.address, **facts}
    )
