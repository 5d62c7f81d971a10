"""Watches: what rules ask of the database and the clock, rather than of one report of a device.

Each is a file with `look` and a line in `WATCHES`; its parameters stand in `rules.watch.PARAMETERS`.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.watches import ipv6_lost, line_slow, quarantine_growth, site_down
from schoolwatch_server.watches.sight import Sight

log = logging.getLogger(__name__)

Look = Callable[[Sight, Mapping[str, float]], Iterable[Finding]]
"""What a watch finds: what is not in order (True), and of what that is not known just now (None)."""

WATCHES: Mapping[str, Look] = {
    "ipv6_lost": ipv6_lost.look,
    "line_slow": line_slow.look,
    "quarantine_growth": quarantine_growth.look,
    "site_down": site_down.look,
}


def look(sight: Sight, rules: Sequence[Rule]) -> dict[str, tuple[Finding, ...]]:
    """What the watches of these rules find, by rule. One that breaks is logged and was not looked at."""
    found: dict[str, tuple[Finding, ...]] = {}
    for rule in rules:
        if rule.condition.watch is None or not rule.enabled:
            continue
        try:
            found[rule.id] = tuple(WATCHES[rule.condition.watch](sight, rule.condition.parameters))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            log.exception("watch %s of rule %s broke", rule.condition.watch, rule.id)
    return found
