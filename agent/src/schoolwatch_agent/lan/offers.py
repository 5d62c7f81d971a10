"""What a DHCP server gives, put together of answers that each say what a client asked for. Pure."""

from schoolwatch_agent.lan.events import Offer, Offer6

HELD = 1200.0
"""Seconds that a server is given to offer an address, once it has told settings to who has one
(DHCPINFORM). The agent asks the servers of its links each 900 s, so that an honest one has by then."""
_MOST = 256

_Key = tuple[bytes, str]


class Offers:
    """The router and resolvers that each server gave last; of more servers the oldest are forgotten."""

    def __init__(self) -> None:
        self._given: dict[_Key, tuple[str, str]] = {}
        self._held: dict[_Key, float] = {}

    def whole(self, offer: Offer, at: float) -> Offer | None:
        """The offer with what it leaves out of what this server gave before; None for one that waits."""
        key = (offer.mac, offer.server)
        if key not in self._given and "address" not in offer.gives:
            since = self._held.setdefault(key, at)
            _bound(self._held)
            if 0 <= at - since < HELD:
                return None
        router, resolvers = self._filled(key, offer.router, offer.resolvers)
        return offer._replace(router=router, resolvers=resolvers)

    def whole6(self, offer: Offer6) -> Offer6 | None:
        """Likewise; None for an answer that gives nothing."""
        if not offer.gives:
            return None
        return offer._replace(resolvers=self._filled((offer.mac, offer.server), "", offer.resolvers)[1])

    def _filled(self, key: _Key, router: str, resolvers: str) -> tuple[str, str]:
        before = self._given.pop(key, ("", ""))
        self._given[key] = (router or before[0], resolvers or before[1])
        _bound(self._given)
        return self._given[key]


def _bound(held: dict[_Key, float] | dict[_Key, tuple[str, str]]) -> None:
    if len(held) > _MOST:
        del held[next(iter(held))]
