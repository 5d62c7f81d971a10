"""Alert rules about the server's own health: for who looks at Grafana before the console.

The limits are proposed by SchoolWatch. The server's own rules (`server_deaf`, `server_behind`,
`quarantine_growth`) know when school is held; Grafana does not, so it compares with a week ago.
"""

from typing import Final

from schoolwatch_server.grafana.alert import Asked, Formula, Newest, Rule, Step, uid_of
from schoolwatch_server.grafana.policy import LABEL
from schoolwatch_server.grafana.spec import Query, said
from schoolwatch_server.influxql.query import Function
from schoolwatch_server.store.names import SERVER

QUARTER: Final = 900
WEEK: Final = 7 * 86400


def _of(what: str, function: Function, **tags: str) -> Query:
    return Query(SERVER, {"what": what, **tags}, (), function, is_over_time=False)


def _rule(name: str, lasting: int, *steps: Step) -> Rule:
    return Rule(
        uid_of(f"server-{name}"),
        "server",
        said(f"grafana.alert.{name}"),
        said(f"grafana.alert.{name}_summary"),
        said(f"grafana.alert.{name}_what"),
        steps,
        lasting,
        {LABEL: "server", "what": name},
    )


RULES: Final = (
    _rule(
        "deaf",
        300,
        Asked("A", _of("intake", "max"), QUARTER),
        Asked("B", _of("intake", "min"), QUARTER, until=WEEK),
        Newest("C", "A"),
        Newest("D", "B"),
        Formula("E", "$C == 0 && $D >= 1"),
    ),
    _rule(
        "behind",
        0,
        Asked("A", _of("lag", "min", part="rules"), QUARTER),
        Newest("B", "A"),
        Formula("C", "$B > 900"),
    ),
    _rule(
        "quarantine",
        0,
        Asked("A", _of("quarantine", "last"), 3600),
        Asked("B", _of("quarantine", "min"), 3600),
        Newest("C", "A"),
        Newest("D", "B"),
        Formula("E", "$C - $D >= 100"),
    ),
    _rule(
        "undelivered",
        0,
        Asked("A", _of("undelivered", "min"), QUARTER),
        Newest("B", "A"),
        Formula("C", "$B > 0"),
    ),
)
