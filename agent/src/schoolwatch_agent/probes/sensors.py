"""What the LAN watch of a gateway has heard, with every MAC and identifier made a pseudonym on the way."""

from collections.abc import Callable, Iterator
from typing import Final

from schoolwatch_agent.config import Sensors
from schoolwatch_agent.formats import heard, hints
from schoolwatch_agent.formats.heard import Heard, Link, Seen
from schoolwatch_agent.host import Host
from schoolwatch_agent.personal import cut_ipv6, nic_label
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading, Sighting

NO_KEY: Final = "not enrolled"
_MOST: Final = 220
"""Sightings that one report may carry; the watch keeps no more of a link and an hour."""


def parse(
    found: Heard | None, wanted: tuple[str, ...], key: bytes, now: float
) -> Iterator[Reading | Fact | Sighting]:
    """For each wanted link its state; for those that are watched what was heard. None is no watch at all."""
    fresh = found if found is not None and abs(now - found.at) < heard.STALE else Heard(now)
    links = {link.nic: link for link in fresh.links}
    for nic in wanted:
        yield from _link(links.get(nic, Link(nic, "not_running")), key)
    if key and found is not None:
        for seen in found.seen[-_MOST:]:
            yield sighting(seen, key)


def _link(link: Link, key: bytes) -> Iterator[Reading | Fact]:
    labels = {"nic": nic_label(link.nic)}
    hears = link.state == "watching"
    yield Reading("sensor.up", float(hears), labels)
    yield Fact("sensor.state", link.state, labels)
    if not hears:
        return
    yield Reading("sensor.frames", float(link.frames), labels)
    yield Reading("sensor.dropped", float(link.dropped), labels)
    yield Reading("sensor.untold", float(link.untold), labels)
    yield Reading("lan.stations", float(link.stations), labels)
    yield Reading("lan.new_stations", None if link.new_stations is None else float(link.new_stations), labels)
    if link.gateway is not None:
        told = hints.station(key, link.gateway) if key else None
        yield Fact("lan.gateway", told, labels, "" if key else NO_KEY)


def sighting(seen: Seen, key: bytes) -> Sighting:
    """What may leave of it; a detail without a rule here stays."""
    told = {name: rule(key, seen.told[name]) for name, rule in _RULES.items() if seen.told.get(name)}
    detail = {"nic": nic_label(seen.nic), "oui": seen.mac[:8], **told}
    if "was" in seen.told:
        detail["was_oui"] = seen.told["was"][:8]
    return Sighting(seen.kind, hints.station(key, seen.mac), detail, seen.at)


def _as_it_is(_: bytes, text: str) -> str:
    return text[:200]


def _without_identifiers(_: bytes, text: str) -> str:
    """Addresses with spaces between: IPv6 ones are cut, each is told once."""
    cut = (cut_ipv6(each.partition("/")[0]) if ":" in each else each for each in text.split())
    return " ".join(dict.fromkeys(cut))[:200]


_RULES: Final[dict[str, Callable[[bytes, str], str]]] = {
    "was": hints.station,
    "sender": hints.station,
    "router": lambda key, text: hints.pseudonym(key, "address", text) if ":" in text else text[:200],
    "server": lambda key, text: text if "." in text else hints.pseudonym(key, "duid", text),
    "address": _without_identifiers,
    "resolvers": _without_identifiers,
    "prefixes": _without_identifiers,
    **dict.fromkeys(
        (
            *("gives", "relayed", "preference", "lifetime", "flags", "mtu"),
            *("by", "role", "changes", "silence", "answers", "askers"),
        ),
        _as_it_is,
    ),
}


def read(host: Host, sensors: Sensors, key: bytes) -> Iterator[Reading | Fact | Sighting]:
    """One file, where links are to be watched."""
    if not sensors.interfaces or host.system != "linux":
        raise NotHere
    try:
        found = heard.parse(host.text(f"{sensors.folder}/{heard.FILE}"))
    except FileNotFoundError:
        found = None
    return parse(found, sensors.interfaces, key, host.now())
