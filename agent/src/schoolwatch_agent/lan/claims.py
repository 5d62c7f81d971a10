"""Who has which address, and since when another one says so. Pure."""

from ipaddress import IPv4Address
from typing import NamedTuple

from schoolwatch_agent.lan.events import Claim
from schoolwatch_agent.lan.hours import HOUR

MOST = 4096
"""Addresses that are remembered; of more the one that was silent for the longest is forgotten.

A gateway's never is: a flood of others would prepare for taking it.
"""
_CHANGES_MAX = 64
"""Changes of one address in an hour that are counted."""


class Known(NamedTuple):
    """What the system says of a link: its own MAC and addresses, default gateways, its neighbour table.

    `macs` are those of all this machine's links: on a network with two of them Linux answers for the address
    of one from the other (ip-sysctl: arp_ignore, arp_announce).
    """

    mac: bytes = b""
    own: frozenset[bytes] = frozenset()
    gateways: frozenset[bytes] = frozenset()
    neighbours: tuple[tuple[bytes, bytes], ...] = ()
    macs: frozenset[bytes] = frozenset()


class Moved(NamedTuple):
    """An address that another device had; that one's `silence` in seconds, `changes` in the last hour.

    `gateway` is the address as text where it is an IPv4 gateway's.
    """

    was: bytes
    role: str
    changes: int
    silence: float
    gateway: str


class _Holder(NamedTuple):
    mac: bytes
    at: float
    changes: tuple[float, ...] = ()


class Claims:
    """The holder of each address, as it was last claimed."""

    def __init__(self) -> None:
        self._holders: dict[bytes, _Holder] = {}
        self._known = Known()

    def know(self, known: Known, at: float) -> None:
        """What the system says; its neighbours count only for addresses that were not heard of."""
        self._known = known
        for address, mac in known.neighbours:
            if address not in self._holders:
                self._keep(address, _Holder(mac, at))

    def gateway(self) -> bytes:
        """The MAC that has the IPv4 gateway's address; empty when it is not known."""
        held = (self._holders.get(each) for each in sorted(self._known.gateways) if len(each) == 4)
        return next((holder.mac for holder in held if holder), b"")

    def claim(self, claim: Claim, at: float) -> Moved | None:
        """Notes it; what there is to tell when the address was another's. This machine's own stay its own."""
        if claim.address in self._known.own:
            return self._of_own(claim, at)
        before = self._holders.pop(claim.address, None)
        if before is None or before.mac == claim.claimed or {before.mac, claim.claimed} <= self._known.macs:
            self._keep(claim.address, _Holder(claim.claimed, at, before.changes if before else ()))
            return None
        changes = (*(each for each in before.changes if 0 <= at - each < HOUR), at)[-_CHANGES_MAX:]
        self._keep(claim.address, _Holder(claim.claimed, at, changes))
        is_gateway = claim.address in self._known.gateways
        shown = str(IPv4Address(claim.address)) if is_gateway and len(claim.address) == 4 else ""
        role = "gateway" if is_gateway else "other"
        return Moved(before.mac, role, len(changes), max(at - before.at, 0.0), shown)

    def _of_own(self, claim: Claim, at: float) -> Moved | None:
        if claim.claimed == self._known.mac or claim.claimed in self._known.macs:
            return None
        before = self._holders.pop(claim.address, _Holder(self._known.mac, at))
        changes = (*(each for each in before.changes if 0 <= at - each < HOUR), at)[-_CHANGES_MAX:]
        self._keep(claim.address, _Holder(self._known.mac, at, changes))
        return Moved(self._known.mac, "own", len(changes), 0.0, "")

    def _keep(self, address: bytes, holder: _Holder) -> None:
        self._holders[address] = holder  # at the end: the first is always the longest silent
        if len(self._holders) > MOST:
            of_others = (each for each in self._holders if each not in self._known.gateways)
            del self._holders[next(of_others, address)]
