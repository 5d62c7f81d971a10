"""A school's site that does not answer."""

from collections.abc import Iterator, Mapping

from schoolwatch_server import site_standing
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.watches.sight import Sight


def look(sight: Sight, _: Mapping[str, float]) -> Iterator[Finding]:
    """Of each school whose site is down; of one whose newest look says nothing, that it is not known."""
    for row in sight.sites:
        state = site_standing.state(row)
        if state != "up":
            facts: dict[str, str | None] = {"finding.site_address": row.address}
            yield Finding(Subject("school", row.school_id), True if state == "down" else None, facts=facts)
