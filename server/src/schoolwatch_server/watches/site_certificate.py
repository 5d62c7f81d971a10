"""The certificate of a school's site ends soon, or has ended: one incident that becomes more severe."""

from collections.abc import Iterator, Mapping

from schoolwatch_server import site_standing
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.severity import Severity
from schoolwatch_server.watches.sight import Sight


def look(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of each site whose certificate ends within `days`; where the newest look saw none, it is not known."""
    for row in sight.sites:
        subject, left = Subject("school", row.school_id), site_standing.days_left(row, sight.now)
        facts: dict[str, str | None] = {"finding.site_address": row.address}
        if left is None:
            if site_standing.state(row) != "up":
                yield Finding(subject, None, facts=facts)
        elif left < parameters["days"]:
            yield Finding(
                subject,
                True,
                {"finding.site_days_left": float(left)},
                facts,
                severity=severity(left, parameters),
            )


def severity(left: int, parameters: Mapping[str, float]) -> Severity:
    """How severe it is with so many days left."""
    if left < parameters["high"]:
        return "high"
    return "medium" if left < parameters["medium"] else "low"
