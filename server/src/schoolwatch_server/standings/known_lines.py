"""Reads what is known of every school's lines, for their series."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from schoolwatch_server.database import line_facts, lists
from schoolwatch_server.database.line_facts import Cut, Tester
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.indicators.limits import limits
from schoolwatch_server.line_history import since
from schoolwatch_server.packs import Packs
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.standings.lines import DAYS, Lines, is_down, providers, seconds_down

_WATCHES: Final = ("line_down", "outage_commune", "outage_province")
"""What finds that lines are down."""

_DAY: Final = 86400.0
_NOBODY: Final = Tester(None, None, None)


def read(
    conn: Connection,
    rules: Sequence[Rule],
    packs: Packs,
    tags: Mapping[tuple[Place, int], dict[str, str]],
    now: float,
) -> tuple[dict[int, Lines], tuple[Cut, ...]]:
    """School → its lines, and what cut lines off in the last days."""
    start, after = now - DAYS * _DAY, limits(packs, now).working_after
    contracts = lists.contracts(conn, EVERYTHING, now)
    testers, works = line_facts.testers(conn, after), line_facts.ipv6(conn, after)
    heard = line_facts.heard(conn)
    watching = [rule.id for rule in rules if rule.condition.watch in _WATCHES]
    cuts = line_facts.cuts(conn, watching, start)
    found: dict[int, Lines] = {}
    for school in sorted(contracts.keys() | testers.keys()):
        tester, its = testers.get(school, _NOBODY), tags.get(("school", school), {})
        kept = since(tester.tests, 0.0)
        own = contracts.get(school, ())
        found[school] = Lines(
            own,
            tuple(test for test in kept if test.at >= after),
            kept[-1] if kept else None,
            tester.latency,
            tester.loss,
            works.get(school),
            is_watched=school in heard,
            is_down=is_down(its, heard.get(school, 0.0), providers(own), cuts),
            seconds_down=seconds_down(school, cuts, start, now),
        )
    return found, cuts
