"""Schools' networks inside as series: who listens, what is heard on each link, how computers connect."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from schoolwatch_server.database.lan_facts import Connected, Heard, Listener
from schoolwatch_server.database.roles import GATEWAY
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.state import find
from schoolwatch_server.store.names import LAN, LAN_LINKS, LAN_SEGMENT
from schoolwatch_server.store.series import Judged

FRESH: Final = 7200.0
"""Seconds for which what a gateway told is what holds; a choice of this project."""

LOOK_BACK: Final = 86400.0
"""Seconds within which a machine that gave addresses or acted as router counts as there."""

KINDS: Final = ("ra.router", "dhcp.offer", "dhcp6.advertise")

SPEEDS: Final = ("slow", "100", "1000", "wireless", "unknown")
"""How computers are connected: by cable below 100 Mbit/s, from 100 and from 1,000 on, by Wi-Fi, not known."""

FAULTS: Final[Mapping[str, tuple[str, ...]]] = {
    "half_duplex": ("half_duplex",),
    "slow_link": ("slow_link", "very_slow_link"),
    "link_errors": ("link_errors",),
}
"""What is wrong with cables, by the conditions of the rules that say so."""

_SHORT: Final = 6
"""Characters of a gateway's id that tell it from others of a school: labels may be the same."""

Tags = Mapping[tuple[Place, int], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Segment:
    """A link that is listened on: devices heard in an hour and new ones, machines that act as something.

    None is unknown: of a link on which nobody listens now, everything.
    """

    name: str
    is_watched: bool
    stations: float | None = None
    new: float | None = None
    machines: tuple[int, ...] = ()
    """As `KINDS` has them."""


@dataclass(slots=True)
class Lan:
    """What is known of one school's network. `ipv6` counts computers where it works, and where that is known.

    `strange` are open incidents about what was seen, `faults` computers with a fault, by `FAULTS`.
    """

    gateways: int = 0
    heard: int = 0
    segments: list[Segment] = field(default_factory=list)
    strange: int = 0
    links: Counter[str] = field(default_factory=Counter)
    ipv6: Counter[bool] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


def put_together(
    listeners: Sequence[Listener],
    heard: Heard,
    connected: Mapping[Connected, int],
    speeds: tuple[float, float],
    now: float,
) -> dict[int, Lan]:
    """School → what is known; `speeds` are the packs' 100 and 1,000 Mbit/s, in bit/s."""
    found: dict[int, Lan] = {}
    sensors = Counter(one.school_id for one in listeners if find(one.state.readings, "sensor.up"))
    for one in listeners:
        lan = found.setdefault(one.school_id, Lan())
        is_heard = one.heard_at is not None and now - one.heard_at < FRESH
        lan.gateways += one.role == GATEWAY
        lan.heard += one.role == GATEWAY and is_heard
        of = "" if sensors[one.school_id] == 1 else f" · {one.label} {one.device[:_SHORT]}"
        lan.segments += _segments(one, heard.get(one.device_id, {}), of, now)
    for how, count in connected.items():
        lan = found.setdefault(how.school_id, Lan())
        lan.links[_speed(how, speeds)] += count
        if how.ipv6 is not None:
            lan.ipv6[how.ipv6] += count
    return found


def _segments(
    listener: Listener, heard: Mapping[tuple[str, str], int], of: str, now: float
) -> Iterator[Segment]:
    """Each link that a device was told to listen on."""
    stations, new = (_by_link(listener, f"lan.{name}") for name in ("stations", "new_stations"))
    for key, (labels, value) in sorted(find(listener.state.readings, "sensor.up").items()):
        nic = labels.get("nic", "")
        is_fresh = now - listener.state.readings[key].taken_at < FRESH
        if not is_fresh or not value:
            yield Segment(nic + of, is_watched=False)
            continue
        machines = tuple(heard.get((kind, nic), 0) for kind in KINDS)
        yield Segment(nic + of, True, stations.get(nic), new.get(nic), machines)


def _by_link(listener: Listener, metric: str) -> dict[str, float | None]:
    found = find(listener.state.readings, metric).values()
    return {labels.get("nic", ""): value for labels, value in found}


def _speed(how: Connected, speeds: tuple[float, float]) -> str:
    if how.medium == "wireless":
        return "wireless"
    if how.medium != "wired" or how.speed is None:
        return "unknown"
    return "1000" if how.speed >= speeds[1] else "100" if how.speed >= speeds[0] else "slow"


def rows(known: Mapping[int, Lan], tags: Tags, at: float) -> Iterator[Judged]:
    """What holds of every school, and of each link; of a school without devices, that it has no gateway."""
    for its, lan in _schools(known, tags):
        for what, value, of in _told(lan):
            is_known = None if value is None else 1.0
            yield Judged(LAN, {**its, "what": what}, at, value, value, of, is_known)
        for segment in lan.segments:
            yield from _of_segment(segment, {**its, "segment": segment.name}, at)


def links(known: Mapping[int, Lan], tags: Tags, at: float) -> Iterator[Judged]:
    """Computers of every school by how they are connected; zeros of them may be idle."""
    for its, lan in _schools(known, tags):
        for speed in SPEEDS:
            yield Judged(LAN_LINKS, {**its, "speed": speed}, at, float(lan.links[speed]))


def _schools(known: Mapping[int, Lan], tags: Tags) -> Iterator[tuple[dict[str, str], Lan]]:
    for (level, school), its in tags.items():
        if level == "school":
            yield its, known.get(school, Lan())


def _told(lan: Lan) -> Iterator[tuple[str, float | None, float | None]]:
    """`what`, how many, and of how many. A 0 is said where somebody would have seen more."""
    yield "gateways", float(lan.heard), float(lan.gateways)
    watched = sum(segment.is_watched for segment in lan.segments)
    if lan.segments:
        yield "segments", float(watched), float(len(lan.segments))
    yield "strange", float(lan.strange) if watched or lan.strange else None, None
    known = lan.ipv6.total()
    yield "ipv6", float(lan.ipv6[True]) if known else None, float(known) or None
    wired = float(sum(lan.links[speed] for speed in ("slow", "100", "1000")))
    for fault in FAULTS:
        yield fault, float(lan.faults[fault]) if wired or lan.faults[fault] else None, wired or None


def _of_segment(segment: Segment, tags: dict[str, str], at: float) -> Iterator[Judged]:
    """What was heard: devices, new ones, whether somebody listens; then routers, and servers of addresses."""
    heard = {**tags, "what": "heard"}
    yield Judged(LAN_SEGMENT, heard, at, segment.stations, segment.new, float(segment.is_watched))
    machines = (float(count) for count in segment.machines) if segment.machines else (None, None, None)
    yield Judged(LAN_SEGMENT, {**tags, "what": "machines"}, at, *machines)
