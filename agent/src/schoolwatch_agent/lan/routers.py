"""Which routers advertise themselves, so that an advertisement which ends one is told. Pure."""

from schoolwatch_agent.lan.events import Router

_MOST = 64
"""Routers that are remembered; of more the one that was silent for the longest is forgotten."""


class Routers:
    """The MAC that advertised each link-local address with a lifetime."""

    def __init__(self) -> None:
        self._macs: dict[bytes, bytes] = {}

    def hear(self, router: Router) -> bytes | None:
        """Who advertised the router before, when this ends it; None for every other advertisement.

        One that another device ended goes on as it was.
        """
        before = self._macs.pop(router.address, None)
        if router.lifetime:
            self._macs[router.address] = router.mac
            if len(self._macs) > _MOST:
                del self._macs[next(iter(self._macs))]
            return None
        if before is not None and before != router.mac:
            self._macs[router.address] = before
        return before
