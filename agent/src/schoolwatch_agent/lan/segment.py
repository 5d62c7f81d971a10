"""One link of the school's network: events go in, sightings and counts come out. Pure; the clock is given."""

from ipaddress import IPv6Address
from typing import NamedTuple

from schoolwatch_agent.lan.claims import Claims, Known
from schoolwatch_agent.lan.events import Ask, Claim, Event, Offer, Offer6, Router, is_one
from schoolwatch_agent.lan.hours import HOUR, Hourly, Seen, Told
from schoolwatch_agent.lan.offers import Offers
from schoolwatch_agent.lan.routers import Routers
from schoolwatch_agent.lan.taken import Taken

STATIONS_MAX = 2048
"""MACs that are remembered; of more the one that was silent for the longest is forgotten."""
_WEEK = 7 * 86_400.0


class Station(NamedTuple):
    """A device: when it was first and last heard (UTC seconds), an address of each family."""

    first: float
    last: float
    ipv4: bytes = b""
    ipv6: bytes = b""


class Segment:
    """What is known of a link since `since` (UTC seconds)."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.frames, self.dropped = Hourly(), Hourly()
        self.told = Told()
        self.stations: dict[bytes, Station] = {}
        self.claims = Claims()
        self._routers, self._taken, self._offers = Routers(), Taken(), Offers()
        self.own = Known()

    def know(self, known: Known, at: float) -> None:
        """What the system says of the link: its own addresses, its gateways, who had which address."""
        self.own = known
        self.claims.know(known, at)

    def hear(self, event: Event, at: float) -> None:
        """An event at an instant, UTC seconds; also one in this machine's own name, which may be forged."""
        if event.mac != self.own.mac:
            self._station(event, at)
        if isinstance(event, Claim):
            self._claim(event, at)
        elif isinstance(event, Ask):
            self._answer(self._taken.ask(event, at), at)
        elif isinstance(event, Offer):
            self._offer(self._offers.whole(event, at), at)
        elif isinstance(event, Offer6):
            self._offer6(self._offers.whole6(event), at)
        elif isinstance(event, Router):
            self._router(event, at)

    def count_stations(self, at: float) -> int:
        """Devices of the last hour."""
        return sum(at - each.last < HOUR for each in self.stations.values())

    def count_new(self, at: float) -> int | None:
        """Those heard for the first time in it; None on the first day, when everybody is new."""
        if at - self.since < 86_400:
            return None
        return sum(at - each.first < HOUR for each in self.stations.values())

    def _station(self, event: Event, at: float) -> None:
        if not is_one(event.mac):  # an attacker may send from no MAC, or from a group's
            return
        before = self.stations.pop(event.mac, None) or Station(at, at)
        now = before._replace(last=at)
        if isinstance(event, Claim | Router) and event.claimed == event.mac:
            if len(event.address) == 4:
                now = now._replace(ipv4=event.address)
            elif event.address[0] == 0xFE or not now.ipv6:  # the link-local one stays
                now = now._replace(ipv6=event.address)
        self.stations[event.mac] = now  # at the end: the first is always the longest silent
        longest = next(iter(self.stations))
        if len(self.stations) > STATIONS_MAX or at - self.stations[longest].last > _WEEK:
            del self.stations[longest]

    def _claim(self, claim: Claim, at: float) -> None:
        moved = self.claims.claim(claim, at)
        if moved is not None:
            kind = "arp.moved" if len(claim.address) == 4 else "nd.moved"
            told = _filled(
                was=_text(moved.was), role=moved.role, flags=claim.flags, changes=str(moved.changes),
                silence=f"{moved.silence:.0f}", address=moved.gateway,
                sender=_text(claim.mac) if claim.mac != claim.claimed else "",
            )  # fmt: skip
            content = (claim.address, moved.was, moved.role, moved.changes.bit_length())
            self._tell(kind, claim.claimed, at, told, content, f"{kind} {moved.role}")
        if len(claim.address) == 16:
            self._answer(self._taken.claim(claim, at), at)

    def _answer(self, who: bytes, at: float) -> None:
        if who:
            answers, askers = self._taken.count(who, at)
            told = {"answers": str(answers), "askers": str(askers)}
            self._tell("nd.dad_answered", who, at, told, (answers.bit_length(),))

    def _offer(self, offer: Offer | None, at: float) -> None:
        if offer is not None:
            told = _filled(
                server=offer.server, router=offer.router, resolvers=offer.resolvers, gives=offer.gives,
                relayed="yes" if offer.relayed else "",
            )  # fmt: skip
            self._tell("dhcp.offer", offer.mac, at, told, tuple(told.values()))

    def _offer6(self, offer: Offer6 | None, at: float) -> None:
        if offer is not None:
            told = _filled(
                server=offer.server, resolvers=offer.resolvers, gives=offer.gives,
                preference=str(offer.preference),
            )  # fmt: skip
            self._tell("dhcp6.advertise", offer.mac, at, told, tuple(told.values()))

    def _router(self, router: Router, at: float) -> None:
        who = self._routers.hear(router)
        self._claim(Claim(router.mac, router.claimed, router.address), at)
        address = str(IPv6Address(router.address))
        if who is not None:
            by = "itself" if who == router.mac else "other"
            told = {"router": address, "by": by, "was": _text(who)}
            self._tell("ra.ended", router.mac, at, told, (address, who), f"ra.ended {by}")
            return
        told = _filled(
            router=address, prefixes=router.prefixes, lifetime=str(router.lifetime), flags=router.flags,
            preference=router.preference, resolvers=router.resolvers, mtu=str(router.mtu or ""),
        )  # fmt: skip
        content = tuple(text for name, text in told.items() if name != "lifetime")  # which some count down
        self._tell("ra.router", router.mac, at, told, (router.lifetime > 0, *content))

    def _tell(
        self,
        kind: str,
        mac: bytes,
        at: float,
        told: dict[str, str],
        content: tuple[object, ...],
        sort: str = "",
    ) -> None:
        self.told.tell(Seen(kind, mac, at, told), sort or kind, content)


def _filled(**told: str) -> dict[str, str]:
    return {name: text for name, text in told.items() if text}


def _text(mac: bytes) -> str:
    return mac.hex(":")
