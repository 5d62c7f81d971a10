"""Watches: what rules ask of the database and the clock, rather than of one report of a device.

Each is a file with `look` and a line in `WATCHES`; its parameters stand in `rules.watch.PARAMETERS`.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence

import msgspec
from sqlalchemy import exc

from schoolwatch_server.planned import covering
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.watches import (
    device,
    grafana_alert,
    indicator_fell,
    ipv6_lost,
    line,
    line_slow,
    outage,
    quarantine_growth,
    server,
    site_certificate,
    site_down,
    site_faults,
)
from schoolwatch_server.watches.sight import Sight

log = logging.getLogger(__name__)

Look = Callable[[Sight, Mapping[str, float]], Iterable[Finding]]
"""What a watch finds: what is not in order (True), and of what that is not known just now (None)."""

WATCHES: Mapping[str, Look] = {
    "device_silent": device.look,
    "grafana_alert": grafana_alert.look,
    "line_down": line.look,
    "outage_commune": outage.in_commune,
    "outage_province": outage.in_province,
    "ipv6_lost": ipv6_lost.look,
    "line_slow": line_slow.look,
    "quarantine_growth": quarantine_growth.look,
    "indicator_fell": indicator_fell.of_schools,
    "indicator_fell_widely": indicator_fell.of_places,
    "server_backup": server.backup,
    "server_behind": server.behind,
    "server_certificate": server.certificate,
    "server_channels": server.channels,
    "server_clock": server.clock,
    "server_deaf": server.deaf,
    "server_disk": server.disk,
    "server_store_behind": server.store_behind,
    "site_certificate": site_certificate.look,
    "site_ipv6_lost": site_faults.ipv6_lost,
    "site_untrusted": site_faults.untrusted,
    "site_down": site_down.look,
}

OF_INDICATORS = ("indicator_fell", "indicator_fell_widely")
"""Watches that must know on what their open incidents were opened."""

EVERY: Mapping[str, float] = {
    "ipv6_lost": 300.0,
    "line_slow": 300.0,
    "device_silent": 300.0,
    "indicator_fell": 3600.0,
    "indicator_fell_widely": 3600.0,
    "server_certificate": 600.0,
    "server_clock": 600.0,
    "site_certificate": 300.0,
    "site_ipv6_lost": 3600.0,
    "site_untrusted": 300.0,
}
"""Seconds between two looks of watches that judge by days; the others look each time."""


def look(
    sight: Sight, rules: Sequence[Rule], looked: MutableMapping[str, float] | None = None
) -> dict[str, tuple[Finding, ...]]:
    """What the watches of these rules find, by rule. One that breaks is logged and was not looked at.

    `looked` remembers when each rule was looked at, so that not all are each time.
    """
    looked = {} if looked is None else looked
    found: dict[str, tuple[Finding, ...]] = {}
    for rule in rules:
        watch = rule.condition.watch
        if (
            watch is None
            or not rule.enabled
            or 0 <= sight.now - looked.get(rule.id, float("-inf")) < EVERY.get(watch, 0.0)
        ):
            continue
        try:
            with sight.conn.begin_nested():  # what one asks wrongly leaves the others their transaction
                findings = WATCHES[watch](sight, rule.condition.parameters)
                found[rule.id] = tuple(_placed(finding, rule, sight) for finding in findings)
        except (exc.OperationalError, exc.InterfaceError):
            raise  # the database is away: nothing was looked at
        except Exception:  # a department's parameters may break a watch in any way
            log.exception("watch %s of rule %s broke", watch, rule.id)
        looked[rule.id] = sight.now
    return found


def _placed(finding: Finding, rule: Rule, sight: Sight) -> Finding:
    """The finding with the places in which it lies, and whether work is planned there."""
    above = finding.above or sight.above(finding.subject)
    chain = {finding.subject.kind: finding.subject.id, **above}
    is_planned = rule.quiet_when_planned and covering(sight.planned, rule.id, chain, sight.now) is not None
    parts = finding.parts or frozenset(sight.isps.get(chain.get("school", 0), ()))
    return msgspec.structs.replace(finding, above=above, parts=parts, is_planned=is_planned)
