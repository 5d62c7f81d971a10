"""A school whose computers had IPv6 and have it no longer: one incident, whatever their number."""

from collections.abc import Iterator, Mapping

from schoolwatch_server.database import watched
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.school_time import DAY
from schoolwatch_server.watches.sight import Sight


def look(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of schools that had IPv6 within `days`; on computers that reported within `fresh` seconds.

    It is lost when `computers` of them lost it, and they are `share` of those that told. A school of which
    too few computers tell, as at night or while its line is down, is not known.
    """
    days, fresh = parameters["days"], sight.now - parameters["fresh"]
    had = {one.school_id: one for one in watched.ipv6(sight.conn, sight.now - days * DAY, fresh)}
    open_now = {subject.id for subject in sight.open_now.get("ipv6_lost", ())}
    if open_now:
        before = watched.ipv6(sight.conn, sight.days_back("ipv6_lost", days), fresh)
        had |= {one.school_id: one for one in before if one.school_id in open_now}
    for school in had.values():
        told = school.lost + school.works
        is_lost = school.lost >= parameters["computers"] and school.lost >= parameters["share"] * told
        if is_lost or told < parameters["computers"]:
            numbers: dict[str, float | None] = {
                "finding.computers_lost": float(school.lost),
                "finding.computers_work": float(school.works),
            }
            yield Finding(Subject("school", school.school_id), True if is_lost else None, numbers)
