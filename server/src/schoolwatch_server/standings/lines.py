"""Schools' lines as series: each by its contract, what was measured of it, and the newest speed test."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from schoolwatch_server import isps
from schoolwatch_server.database.line_facts import Cut
from schoolwatch_server.indicators.facts import Contract
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.indicators.lines import beside, fastest_of
from schoolwatch_server.line_history import SpeedTest
from schoolwatch_server.rules.subject import PART_MAX
from schoolwatch_server.store.names import LINE, LINE_TEST
from schoolwatch_server.store.series import Judged

DAYS: Final = 30
"""Days before now of which it is told how long lines were down; a choice of this project."""

TOGETHER: Final = 1800.0
"""Seconds within which schools fall silent that go together: the window of the rule about it."""

WAYS: Final = ("download", "upload")

MEGA: Final = 1e6

Tags = Mapping[tuple[Place, int], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Lines:
    """What is known of the lines of one school. None is unknown.

    `tests` are those of the window, the newest last; `newest` may be older. `is_watched`: some computer was
    heard over the line at some time, so that silence says something; `seconds_down` are those of `DAYS`.
    """

    contracts: Sequence[Contract]
    tests: Sequence[SpeedTest] = ()
    newest: SpeedTest | None = None
    latency: float | None = None
    loss: float | None = None
    ipv6: bool | None = None
    is_watched: bool = False
    is_down: bool = False
    seconds_down: float = 0.0

    @property
    def isps(self) -> frozenset[str]:
        """Its providers, as they are shown."""
        return providers(self.contracts)

    @property
    def median(self) -> dict[str, float]:
        """Mbit/s of each way that was measured."""
        found = ((way, [getattr(test, way) for test in self.tests]) for way in WAYS)
        known = {way: [value for value in values if value is not None] for way, values in found}
        return {way: median(values) / MEGA for way, values in known.items() if values}

    @property
    def shares(self) -> list[float]:
        """Of each test what it is of the contract, of the way that falls further short."""
        fastest = fastest_of(self.contracts)
        found = (beside(fastest, test.download, test.upload) for test in self.tests if fastest)
        return [min(seen / paid for seen, paid in ways.values()) for ways in found if ways]

    @property
    def share(self) -> float | None:
        """The same of the medians, as the indicator has it."""
        fastest, known = fastest_of(self.contracts), self.median
        if fastest is None:
            return None
        told = (known[way] * MEGA if way in known else None for way in WAYS)
        return min((seen / paid for seen, paid in beside(fastest, *told).values()), default=None)


def providers(contracts: Iterable[Contract]) -> frozenset[str]:
    """Those of contracts, as they are shown."""
    return frozenset(isps.shown(one.provider) for one in contracts)


def rows(known: Mapping[int, Lines], tags: Tags, at: float) -> Iterator[Judged]:
    """The points of all schools that have a contract or a test."""
    for school, lines in known.items():
        its = tags.get(("school", school))
        if its is not None:
            yield from _contracts(lines, its, at)
            yield from _newest(lines, its, at)


def _contracts(lines: Lines, its: Mapping[str, str], at: float) -> Iterator[Judged]:
    fastest = fastest_of(lines.contracts)
    for contract in lines.contracts:
        tags = {**its, "isp": isps.shown(contract.provider), "subscriber": contract.subscriber}
        tags = {key: text for key, text in (tags | {"technology": contract.technology}).items() if text}
        for way in WAYS:
            seen = lines.median.get(way) if contract is fastest else None
            paid = getattr(contract, way)
            share = seen / paid if seen is not None and paid else None
            yield Judged(LINE, tags | {"way": way}, at, share, seen, paid)


def _newest(lines: Lines, its: Mapping[str, str], at: float) -> Iterator[Judged]:
    for way in WAYS if lines.newest else ():
        seen = getattr(lines.newest, way)
        if seen is not None and lines.newest is not None:
            yield Judged(
                LINE_TEST,
                {**its, "way": way},
                at,
                seen / MEGA,
                lines.newest.at * 1000,
                float(len(lines.tests)),
            )


# --- which are down ---------------------------------------------------------------------------------------


def is_down(school: Mapping[str, str], heard: float, its: frozenset[str], cuts: Sequence[Cut]) -> bool:
    """Whether a school is silent now as its own incident says, or went together with others of its place.

    `heard` is when it was heard last, `school` its tags. An outage of one provider is about its lines alone.
    """
    for cut in cuts:
        if cut.end is None and school.get(cut.about.kind) == str(cut.about.id):
            if cut.about.kind == "school":
                return True
            if cut.since <= heard <= cut.since + TOGETHER and concerns(cut, its):
                return True
    return False


def concerns(cut: Cut, its: frozenset[str]) -> bool:
    """Whether an outage is one of one of these providers, or of none."""
    parts = {isps.compared(name)[:PART_MAX] for name in its}
    return not cut.about.part or cut.about.part in parts


def seconds_down(school: int, cuts: Sequence[Cut], start: float, end: float) -> float:
    """Seconds in [start, end) for which a school's own incidents went on that were no power cut."""
    return sum(
        within(cut, start, end)
        for cut in cuts
        if cut.about.kind == "school" and cut.about.id == school and not cut.was_power
    )


def within(cut: Cut, start: float, end: float) -> float:
    """Its seconds in [start, end)."""
    return max(0.0, min(end, end if cut.end is None else cut.end) - max(start, cut.since))
