"""What one computer's newest readings say about it: protected, its IPv6 rung, its fastest link.

What these say of antivirus on Windows: Defender that is passive or not running beside another product that
runs is protected; a registered product that does not run is one left behind, and changes nothing when
another runs; a server without Security Center is judged by Defender alone.
"""

from collections.abc import Mapping, Sequence

from schoolwatch_server.state import Known, Medium, Posture, Text, find, key, parse_key

RUNGS = 5
"""IPv6 rungs that need no target and that indicators count: 0 to 4 (link-local address … default route)."""

TOP = RUNGS - 1
"""The highest of them: a default route, and all below it."""

_MEDIA: tuple[Medium | None, ...] = ("wired", "wireless", None)  # wired first: it is what a lab is built on


def posture(state: Known) -> Posture:
    """The columns that indicators group by; what the readings don't tell stays None."""
    speed, medium = link(state)
    return Posture(
        protected(state),
        ipv6_rung(state),
        speed,
        medium,
        antivirus(state),
        _activated(state, "windows"),
        _activated(state, "office"),
    )


def protected(state: Known) -> bool | None:
    """One product that runs is enough: Windows stops Defender by itself when another product is on."""
    running = [number for _, number in find(state.readings, "antivirus.running").values()]
    if any(number == 1 for number in running):
        return True
    counted = state.readings.get("antivirus.products")
    if counted is not None and counted.value == 0:
        return False
    if not running or any(number is None for number in running):
        return None
    if counted is None:
        return False
    return False if counted.value is not None and len(running) >= counted.value else None


_MORE = "?"
"""Stands in the list of what runs for a product of which that is not known."""


def antivirus(state: Known) -> str | None:
    """Ids and names of the products that run, a line each, in small letters; "" when none does.

    None when nothing is known; a line `?` when there may be more.
    """
    running = find(state.readings, "antivirus.running")
    counted = state.readings.get("antivirus.products")
    if not running and (counted is None or counted.value is None):
        return None
    lines: list[str] = []
    for labels, number in running.values():
        name = state.facts.get(key("antivirus.name", labels))
        said = f"{labels.get('product', '')} {name.value if name and name.value else ''}".strip()
        if number == 1:
            lines.append(" ".join(said.casefold().split()))
        elif number is None:
            lines.append(_MORE)
    if counted is None or counted.value is None or counted.value > len(running):
        lines.append(_MORE)
    told = "\n".join(sorted(set(lines)))
    return told if len(told) <= ANTIVIRUS_MAX else f"{_MORE}\n{told[:ANTIVIRUS_MAX]}"


ANTIVIRUS_MAX = 500
"""Characters that are kept of the products that run; a real machine has one or two."""


def _activated(state: Known, product: str) -> bool | None:
    """One of several editions that is activated is enough."""
    told = find(state.readings, "activation.activated").values()
    said = [number for labels, number in told if labels.get("product") == product]
    if any(number == 1 for number in said):
        return True
    return None if not said or any(number is None for number in said) else False


def issued(running: str | None, names: Sequence[str]) -> bool | None:
    """Whether a product that the province issues runs: one whose id or name holds one of `names`.

    `running` is `Posture.antivirus`. None without names, and where what runs is not known.
    """
    wanted = [" ".join(name.casefold().split()) for name in names]
    if running is None or not wanted:
        return None
    lines = running.split("\n")
    if any(name in line for name in wanted for line in lines):
        return True
    return None if _MORE in lines else False


def ipv6_rung(state: Known) -> int | None:
    """Walks up from rung 0; an unknown rung ends in unknown, whatever the rungs above it say."""
    for rung in range(RUNGS):
        reading = state.readings.get(key("ipv6.rung", {"rung": str(rung)}))
        if reading is None or reading.value is None:
            return None
        if reading.value != 1:
            return rung - 1
    return TOP


def link(state: Known) -> tuple[float | None, Medium | None]:
    """Bit/s of the fastest link in use, wired before others, and what it is."""
    media = _media(state.facts)
    up = {labels.get("nic", "") for labels, number in find(state.readings, "link.up").values() if number == 1}
    speeds = {labels.get("nic", ""): number for labels, number in find(state.readings, "link.speed").values()}
    for medium in _MEDIA:
        links = [nic for nic in up if media.get(nic) == medium]
        if links:
            # Drivers say 0 or -1 for "unknown" (Linux: Documentation/ABI/testing/sysfs-class-net).
            known = [speed for nic in links if (speed := speeds.get(nic)) is not None and speed > 0]
            return max(known, default=None), medium
    return None, None


def _media(facts: Mapping[str, Text]) -> dict[str, Medium]:
    found: dict[str, Medium] = {}
    for name, text in facts.items():
        if name.partition("{")[0] == "link.medium" and text.value in ("wired", "wireless"):
            found[parse_key(name)[1].get("nic", "")] = "wired" if text.value == "wired" else "wireless"
    return found
