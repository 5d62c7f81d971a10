"""The rungs of the IPv6 ladder that need a target: 5 to 9; from what the attempts gave.

5 AAAA records had of a resolver over IPv4 and of one over IPv6, and of a zone with IPv6 servers alone ·
6 TCP and TLS to hosts and to the server · 7 packets larger than 1,280 bytes (RFC 8200 §5, 8201) · 8 programs
use IPv6 first (RFC 6724) · 9 NAT64 (RFC 7050, 8781); a network with IPv4 needs none.
"""

from collections.abc import Iterable
from ipaddress import IPv6Network, ip_address
from typing import Final

from schoolwatch_agent.formats import nat64
from schoolwatch_agent.formats.attempts import About, Asked, Found, Tried, Try
from schoolwatch_agent.formats.link_rungs import Heard, Rung, is_disputed
from schoolwatch_contract.settings import Ipv6

_STALLED: Final = ("timeout", "tls_timeout")
_NOBODY: Final = "schoolwatch.invalid"
"""A name that never exists (RFC 6761 §6.4)."""


def rungs(targets: Ipv6, found: Found, heard: Heard, *, has_ipv4: bool) -> dict[int, Rung]:
    """Each by itself; a rung for which the settings name no target stays unknown."""
    untold = unknown("no_target", heard)
    dns = {5: _dns(found.asked), 9: _translated(found, heard, has_ipv4=has_ipv4)} if names(targets) else {}
    if not targets.endpoints():
        return untold | dns
    if not found.tried:
        return untold | dns | dict.fromkeys((6, 7, 8), Rung(None, "not_tried"))
    secure = {each.host for each in targets.endpoints() if each.tls}
    proved = {each.six.outcome for each in found.tried if each.target in secure}
    if "not_itself" in proved and "ok" not in proved:  # else it is one target's certificate that is wrong
        return untold | dns | dict.fromkeys((6, 7, 8), Rung(None, "answered_by_another"))
    reach = _reach(targets, found.tried, has_ipv4=has_ipv4, is_disputed=is_disputed(heard))
    return untold | dns | {6: reach, 7: _large(found.tried), 8: _preferred(found.tried)}


def names(targets: Ipv6) -> dict[About, str]:
    """What resolvers are to be asked for: nothing when every target is an address."""
    found: dict[About, str] = {}
    if name := next((each.host for each in targets.endpoints() if not _is_address(each.host)), None):
        found |= {"name": name, "name4": name, "nobody": _NOBODY, "nobody4": _NOBODY}
    if targets.v6_only_name:
        found["v6_only"] = targets.v6_only_name
    return found | {"nat64": nat64.WELL_KNOWN_NAME} if found else {}


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def unknown(reason: str, heard: Heard) -> dict[int, Rung]:
    """When nothing was tried: of these the advertisement alone can tell the last."""
    known = dict.fromkeys(range(5, 9), Rung(None, reason))
    announced = any(each.nat64 for each in heard.advertisements)
    return known | {9: Rung(True, "pref64") if announced else Rung(None, reason)}


def nat64_prefix(found: Found, heard: Heard) -> IPv6Network | None:
    """As DNS64 betrays it, or as the router announces it."""
    told = nat64.prefix(a for each in found.asked if each.about == "nat64" for a in each.addresses)
    return told or next((each.nat64 for each in heard.advertisements if each.nat64), None)


def asked_label(asked: Asked) -> str:
    """`resolver6`, or `resolver6 v6_only`: which resolver, about what."""
    return f"resolver{asked.family}" + ("" if asked.about == "name" else f" {asked.about}")


def _dns(asked: tuple[Asked, ...]) -> Rung:
    plain = [each for each in asked if each.about == "name"]
    if not asked:
        return Rung(False, "no_resolver")
    if any(_says_anything(asked, resolver) for resolver in {each.resolver for each in asked}):
        return Rung(False, "dns_answers_anything")
    for family in ("6", "4"):
        those = [each for each in plain if each.family == family]
        if those and not any(each.outcome == "ok" for each in those):
            return Rung(False, f"dns{family}_{those[0].outcome}")
    only = [each for each in asked if each.about == "v6_only"]
    if only and not any(each.outcome == "ok" for each in only):
        return Rung(False, "v6_only_name_fails")
    over_six = any(each.family == "6" for each in asked)
    return Rung(True, "dns_answers" if over_six else "dns_answers_over_v4", slowest(asked))


def _says_anything(asked: tuple[Asked, ...], resolver: str) -> bool:
    """A sign-in page or a filter gives the same address to a name that exists and to one that can't.

    An address for the latter alone is a provider's page of advertisements: what exists is found all the same.
    """
    exists, does_not = (
        {a for each in asked if each.resolver == resolver and each.about in kinds for a in each.addresses}
        for kinds in (("name", "name4"), ("nobody", "nobody4"))
    )
    return bool(exists & does_not)


def _reach(targets: Ipv6, tried: tuple[Tried, ...], *, has_ipv4: bool, is_disputed: bool) -> Rung:
    own = None if targets.server is None else targets.server.host
    hosts = [each for each in tried if each.target != own]
    server = next((each for each in tried if each.target == own), None)
    took = slowest(each.six for each in tried)
    if server is not None and server.six.outcome == "no_address":
        if not hosts:
            return Rung(None, "server_without_v6", took)
        server = None
    independent = hosts or list(tried)
    failed = [each for each in independent if each.six.outcome != "ok"]
    if len(failed) == len(independent):
        return _none_reached(failed, has_ipv4=has_ipv4, is_disputed=is_disputed)
    if server is not None and server.six.outcome == "not_itself":
        return Rung(None, "answered_by_another", took)
    if server is not None and server.six.outcome != "ok":
        return Rung(False, "server_unreachable", took)
    if own is not None and server is None:
        return Rung(True, "server_without_v6", took)
    return Rung(True, "some_hosts_fail" if failed else "all_hosts_reached", took)


def _none_reached(failed: list[Tried], *, has_ipv4: bool, is_disputed: bool) -> Rung:
    """What fails over IPv4 as well is the line, a proxy or the hosts: it says nothing of IPv6."""
    outcome = failed[0].six.outcome
    if outcome in ("no_name", "no_address"):
        return Rung(False, f"v6_{outcome}")
    if has_ipv4 and not any(each.four.outcome in ("ok", "no_address") for each in failed):
        return Rung(None, "neither_family")
    return Rung(False, "v6_lost_to_a_stranger" if is_disputed else f"v6_{outcome}")


def _large(tried: tuple[Tried, ...]) -> Rung:
    """A black hole is where small packets pass and large ones are never answered for."""
    reached = [each for each in tried if each.six.outcome == "ok"]
    if not reached:
        return Rung(None, "no_v6_connection")
    if any(each.large.outcome in _STALLED for each in reached):
        return Rung(False, "large_packets_lost")
    passed = any(each.large.outcome == "ok" for each in reached)
    took = slowest(each.large for each in reached)
    return Rung(True, "large_packets_pass", took) if passed else Rung(None, "no_answer_to_large")


def _preferred(tried: tuple[Tried, ...]) -> Rung:
    reached = [each for each in tried if each.six.outcome == "ok"]
    if not reached:
        return Rung(None, "no_v6_connection")
    took = max((each.six.connected or 0.0 for each in reached), default=None)
    if any(each.prefers == "4" for each in reached):
        return Rung(False, "v4_preferred", took)
    is_alone = all(each.four.outcome != "ok" for each in reached)
    return Rung(True, "v6_alone" if is_alone else "v6_preferred", took)


def _translated(found: Found, heard: Heard, *, has_ipv4: bool) -> Rung:
    if nat64_prefix(found, heard) is None:
        asked = [each for each in found.asked if each.about == "nat64"]
        if not any(each.outcome in ("no_address", "ok", "no_name") for each in asked):
            return Rung(None, "dns_fails")  # who cannot ask cannot know
        return Rung(False, "nat64_absent" if has_ipv4 else "nat64_missing")
    through = found.translated
    if through is None:
        return Rung(True, "nat64_prefix")
    if through.outcome == "ok":
        return Rung(True, "nat64_works", through.seconds)
    return Rung(False, "nat64_silent")


def slowest(those: Iterable[Asked | Try]) -> float | None:
    """Seconds of the slowest that succeeded; None when none did."""
    return max((e.seconds for e in those if e.outcome == "ok" and e.seconds is not None), default=None)
