"""Providers as series: at every commune and province what is known of each one's lines.

What is measured is a provider's where all lines of the school are: of a school with lines of two nobody knows
over which a test ran. That a school is cut off is said of all its providers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, quantiles
from typing import Final

from schoolwatch_server import isps
from schoolwatch_server.database.line_facts import Cut
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.indicators.series import Written, series_of
from schoolwatch_server.rules.subject import PART_MAX
from schoolwatch_server.standings.lines import DAYS, Lines, Tags, within
from schoolwatch_server.store.names import ISP
from schoolwatch_server.store.series import Judged

LEVELS: Final[tuple[Place, ...]] = ("commune", "province")

COUNTS: Final = ("lines", "schools")
"""What has a true 0: so many contracts that hold, and schools that have one."""

HOUR: Final = 3600.0

Key = tuple[Place, int, str]


@dataclass(slots=True)
class _Of:
    """What is added up of one provider at one place; the first are of all its schools, the others of those
    that have no other."""

    lines: int = 0
    schools: int = 0
    watched: int = 0
    down: int = 0
    seconds: float = 0.0
    alone: list[Lines] = field(default_factory=list)


def rows(
    known: Mapping[int, Lines], cuts: Sequence[Cut], tags: Tags, least: float, at: float
) -> Iterator[Judged]:
    """The points of every provider at each commune and province; `least` is the share of a contract that is
    enough."""
    found: defaultdict[Key, _Of] = defaultdict(_Of)
    for school, lines in known.items():
        its = tags.get(("school", school))
        for level in LEVELS if its is not None else ():
            for isp in lines.isps:
                _add(found[level, int((its or {})[level]), isp], lines, isp)
    for (level, place, isp), of in found.items():
        of.seconds += sum(
            within(cut, at - DAYS * 24 * HOUR, at) * _hit(cut, level, place, tags)
            for cut in cuts
            if cut.about.part == isps.compared(isp)[:PART_MAX]
        )
        for what, value, numerator, denominator, coverage in _told(of, least):
            said = tags[level, place] | {"isp": isp, "what": what}
            yield Judged(ISP, said, at, value, numerator, denominator, coverage)


def known_or_ended(rows_: Iterable[Judged], written: Written, at: float) -> Iterator[Judged]:
    """The rows without those that never said anything, and an end of each series that isn't among them."""
    now = set[tuple[str, ...]]()
    for row in rows_:
        key = series_of(row)
        now.add(key)
        if row.value is not None or key in written:
            yield row
    for key, row in written.items():
        if row.measurement == ISP and row.value and key not in now:
            yield Judged(ISP, row.tags, at, 0.0 if row.tags["what"] in COUNTS else None)


def _add(of: _Of, lines: Lines, isp: str) -> None:
    of.lines += sum(isps.shown(contract.provider) == isp for contract in lines.contracts)
    of.schools += 1
    of.watched += lines.is_watched
    of.down += lines.is_down
    of.seconds += lines.seconds_down
    if lines.isps == {isp}:
        of.alone.append(lines)


def _hit(cut: Cut, level: Place, place: int, tags: Tags) -> float:
    """How many schools of a place an outage hit: its own, one of a commune of it, or of its province."""
    if cut.about.kind not in LEVELS:
        return 0.0
    its = tags.get((cut.about.kind, cut.about.id), {})
    if its.get(level) == str(place):
        return cut.schools
    return cut.communes.get(place, 0.0) if level == "commune" else 0.0


Told = tuple[str, float | None, float | None, float | None, float | None]


def _told(of: _Of, least: float) -> Iterator[Told]:
    """`what`, value, numerator, denominator, coverage."""
    yield "lines", float(of.lines), None, None, None
    yield "schools", float(of.schools), None, None, None
    watched, is_known = float(of.watched), of.watched > 0
    yield "down", float(of.down) if is_known else None, float(of.down), watched, watched / of.schools
    hours = of.seconds / HOUR
    yield "hours_down", hours / watched if is_known else None, hours, watched, watched / of.schools
    yield from _against_contract(of, least)
    for way in ("download", "upload"):
        yield from _spread(way, [lines.median[way] for lines in of.alone if way in lines.median], of)
    yield _mean("latency", median, [lines.latency for lines in of.alone], of)
    yield _mean("loss", fmean, [lines.loss for lines in of.alone], of)
    ipv6 = [lines.ipv6 for lines in of.alone if lines.ipv6 is not None]
    yield _share("ipv6", sum(ipv6), len(ipv6), len(ipv6) / of.schools)


def _against_contract(of: _Of, least: float) -> Iterator[Told]:
    """Schools and single tests below what is enough, and what the middle and the worst tenth get."""
    shares = [share for lines in of.alone if (share := lines.share) is not None]
    tests = [share for lines in of.alone for share in lines.shares]
    coverage = len(shares) / of.schools
    yield _share("below", sum(share < least for share in shares), len(shares), coverage)
    yield _share("tests_below", sum(share < least for share in tests), len(tests), coverage)
    yield from _spread("share", shares, of)


def _share(what: str, part: int, of: int, coverage: float) -> Told:
    return what, part / of if of else None, float(part), float(of), coverage


def _spread(what: str, values: Sequence[float], of: _Of) -> Iterator[Told]:
    """The middle one of the schools, and what nine of ten reach."""
    coverage = len(values) / of.schools
    known = float(len(values))
    yield what, median(values) if values else None, None, known, coverage
    yield f"{what}_p10", tenth(values) if values else None, None, known, coverage


def tenth(values: Sequence[float]) -> float:
    """What nine of ten reach or exceed."""
    return values[0] if len(values) == 1 else quantiles(values, n=10, method="inclusive")[0]


def _mean(
    what: str, mean: Callable[[Sequence[float]], float], values: Iterable[float | None], of: _Of
) -> Told:
    known = [value for value in values if value is not None]
    return what, mean(known) if known else None, None, float(len(known)), len(known) / of.schools
