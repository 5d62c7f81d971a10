"""What a Grafana of the department's tells that it found."""

from collections.abc import Iterator, Mapping

from schoolwatch_server.database import grafana_alerts
from schoolwatch_server.database.grafana_alerts import GrafanaAlert
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.watches.sight import Sight


def look(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Each alert at its place; what Grafana has not told again for `hours`, or can't tell, is not known.

    Grafana tells of what fires again and again; of what it does not, nobody knows whether it is over.
    """
    for one in grafana_alerts.current(sight.conn):
        is_old = sight.now - one.told_at > parameters["hours"] * 3600
        is_known = not (is_old or one.state.is_over or one.state.is_unknown)
        facts: dict[str, str | None] = {"finding.grafana_rule": one.title}
        if one.summary:
            facts["finding.grafana_summary"] = one.summary
        yield Finding(
            _subject(one, sight),
            True if is_known else None,
            facts=facts,
            since=one.state.since,
            severity=one.severity,
        )


def _subject(one: GrafanaAlert, sight: Sight) -> Subject:
    """Where it is; a place that is no more is nobody's, and what is about it the department's."""
    place = Subject(one.kind, one.place, one.key)
    return place if one.kind == "server" or sight.is_place(place) else Subject("server", 0, one.key)
