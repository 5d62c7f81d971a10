"""A month of many schools for the comparison of panels, and the same points for a database beside ours.

What the embedded store takes in is taken in as ever, rolled up and pruned; the other gets each point.
"""

import os
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self

from panels_world import judged_of, lines, reading
from reports import Device, World
from schoolwatch_contract.catalogue import METRICS, shown_alone
from schoolwatch_contract.records import Reading
from schoolwatch_server.database import judged, registry, retention, rollups
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.influxql.instant import nanoseconds
from schoolwatch_server.influxql.query import Span
from schoolwatch_server.intake.batch import take
from schoolwatch_server.store.lines import device_lines, judged_line
from schoolwatch_server.store.names import measurement_of
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store.queried.beside import Names

START: Final = 1_794_999_600
"""The beginning of an hour in November 2026."""

DAY: Final = 86_400
SERIES: Final = 12
"""That each device has, of different metrics."""

_TOGETHER = 100
_MEASURED: Final = tuple(metric for metric in METRICS.values() if shown_alone(metric.name))


@dataclass(frozen=True)
class Size:
    """Schools with two devices each, days, and seconds between the reports of a device."""

    schools: int = 2
    days: int = 16
    every: float = 7200.0

    @classmethod
    def asked(cls) -> Self:
        """A small one, unless the environment asks for a province that measures as agents do."""
        schools = int(os.environ.get("SCHOOLWATCH_SCHOOLS", "0"))
        return cls(schools, 30, float(os.environ.get("SCHOOLWATCH_EVERY", "300"))) if schools else cls()

    @property
    def is_asked(self) -> bool:
        """Whether it is not the small one."""
        return self != type(self)()

    @property
    def end(self) -> int:
        """When all has been measured, UTC seconds."""
        return START + self.days * DAY


@dataclass
class Month:
    """A world with a month in it."""

    world: World
    size: Size
    devices: list[Device] = field(default_factory=list)
    places: list[dict[str, str]] = field(default_factory=list)
    names: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def fill(self) -> None:
        """Takes it all in; hours are made of what is older than the journal keeps."""
        rows = list(self._judged())
        with begin_write(self.world.engine) as conn:
            for start in range(0, len(rows), 2000):
                judged.write(conn, rows[start : start + 2000])
        for number, device in enumerate(self.devices):
            messages = [
                device.message(seq, at=at, readings=readings)
                for seq, (at, readings) in enumerate(self._measured(number), 1)
            ]
            for start in range(0, len(messages), _TOGETHER):
                take(self.world.engine, messages[start : start + _TOGETHER], Rules())
        rollups.run_once(self.world.engine, self.size.end, seconds=1e6)
        retention.prune(self.world.engine, self.size.end)

    def register(self) -> None:
        """Places and devices, which are the same in both databases."""
        with begin_write(self.world.engine) as conn:
            for p in (1, 2):
                province = registry.create_province(conn, f"P{p}", f"Tỉnh {p}")
                self.names["province"][str(province)] = f"Tỉnh {p}"
                self.places.append({"level": "province", "province": str(province)})
            for c in range(1, self.size.schools // 15 + 2):
                name = f"Xã {c} (mới)"
                commune = registry.create_commune(conn, province, f"C{c}", name)
                self.names["commune"][str(commune)] = name
                above = {"province": str(province), "commune": str(commune)}
                self.places.append({"level": "commune", **above})
                for s in range((c - 1) * 15 + 1, min(c * 15, self.size.schools) + 1):
                    name = f"Trường {s}.{c}"
                    school = registry.create_school(conn, commune, f"S{s}", name, "THCS", START)
                    self.names["school"][str(school)] = name
                    self.places.append({"level": "school", "school": str(school), **above})
        for place in self.places:
            if place["level"] == "school":
                self.devices += self.world.enrol(2, school=int(place["school"]))

    def _judged(self) -> Iterator[judged.Judged]:
        return judged_of(self.places, START, self.size.days * 24, random.Random(5))

    def _measured(self, number: int) -> Iterator[tuple[float, tuple[Reading, ...]]]:
        """When and what a device measured."""
        chance = random.Random(number)
        at = START + chance.randrange(1, 300_000) / 1000
        while at < self.size.end:
            yield at, tuple(reading(_MEASURED[place], chance) for place in _of(number))
            at = round(at + self.size.every + chance.randrange(-900, 900) / 1000, 3)

    def measures(self, measurement: str) -> list[str]:
        """The devices that have a metric."""
        return [
            device.device
            for number, device in enumerate(self.devices)
            if measurement in {measurement_of(_MEASURED[place].name) for place in _of(number)}
        ]

    # --- for the other database -----------------------------------------------------------------------

    def told(self) -> Iterator[str]:
        """Every point in line protocol, also what the journal has no more; asks no database."""
        names = Names(self.names)
        for row in self._judged():
            told = judged_line(row, names.beside(row.tags), nanoseconds(row.at))
            if told is not None:
                yield told
        for number, device in enumerate(self.devices):
            for at, readings in self._measured(number):
                yield from device_lines(device.device, nanoseconds(at), readings)

    def listed(self, source: Queried) -> Iterator[str]:
        """What else the embedded store has: lists of what there is."""
        mine = {row.measurement for row in self._judged()}
        span = Span(nanoseconds(START), nanoseconds(self.size.end) + 1)
        yield from lines(source, [], span, but={*mine, *map(measurement_of, METRICS)})


def _of(number: int) -> list[int]:
    """The places of a device's metrics: all devices together have all of them."""
    return [(number * SERIES + n) % len(_MEASURED) for n in range(SERIES)]
