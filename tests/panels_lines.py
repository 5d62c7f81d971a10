"""Schools' lines, providers and networks for the world of panels: as the server makes their points."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from schoolwatch_server.indicators.facts import Contract
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.line_history import SpeedTest
from schoolwatch_server.standings import lan, lines, providers
from schoolwatch_server.standings.lan import Lan, Segment
from schoolwatch_server.standings.lines import Lines
from schoolwatch_server.store.series import Judged

EVERY = 3
"""Hours between two points."""

VNPT = Contract("VNPT", "fibre", 200.0, 100.0, "A, 1")
VIETTEL = Contract("Viettel", "", 100.0, None)


def of_lines(
    places: Sequence[dict[str, str]], start: float, hours: int, chance: random.Random
) -> Iterator[Judged]:
    """Every school has a line of VNPT, and every third one of Viettel besides."""
    levels: tuple[Place, ...] = ("school", "commune", "province")
    tags = {(level, int(its[level])): its for its in places for level in levels if its["level"] == level}
    schools = [id_ for level, id_ in tags if level == "school"]
    for hour in range(0, hours, EVERY):
        at = start + hour * 3600
        known = {school: _of(school, at, chance) for school in schools}
        yield from lines.rows(known, tags, at)
        nets = {school: _lan(chance) for school in schools}
        yield from (*lan.rows(nets, tags, at), *lan.links(nets, tags, at))
        yield from (row for row in providers.rows(known, (), tags, 0.8, at) if row.value is not None)


def _of(school: int, at: float, chance: random.Random) -> Lines:
    contracts = (VIETTEL, VNPT) if school % 3 == 0 else (VNPT,)
    tests = [SpeedTest(at - 60, chance.uniform(5e7, 3e8), chance.uniform(5e7, 2e8)) for _ in range(2)]
    return Lines(
        contracts,
        tests,
        tests[-1],
        latency=chance.choice((None, 0.02)) if school % 2 else 0.03,
        loss=0.01,
        ipv6=chance.random() < 0.5,
        is_watched=True,
        is_down=chance.random() < 0.2,
        seconds_down=float(chance.randrange(9000)),
    )


def _lan(chance: random.Random) -> Lan:
    heard = float(chance.randrange(40))
    machines = tuple(chance.randrange(3) for _ in lan.KINDS)
    segments = [Segment("eth0", True, heard, 1.0, machines), Segment("eth0.20 · Máy", False)]
    links = Counter({speed: chance.randrange(5) for speed in lan.SPEEDS} | {"1000": 3})
    return Lan(1, 1, segments, chance.randrange(3), links, Counter({True: 2}), Counter({"half_duplex": 1}))
