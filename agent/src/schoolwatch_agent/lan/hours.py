"""What the last hour came to, within bounds: counts, and what was told. Pure; the clock is given."""

from typing import NamedTuple

HOUR = 3600.0
_MINUTES = 60


class Hourly:
    """A count of the last hour, to the minute."""

    def __init__(self) -> None:
        self._minutes: dict[int, int] = {}

    def add(self, at: float, count: int = 1) -> None:
        """At an instant, seconds."""
        minute = int(at // 60)
        if minute not in self._minutes:
            self._minutes = {each: n for each, n in self._minutes.items() if each > minute - _MINUTES}
        self._minutes[minute] = self._minutes.get(minute, 0) + count

    def total(self, at: float) -> int:
        """Of the hour before `at`."""
        return sum(n for each, n in self._minutes.items() if 0 <= at // 60 - each < _MINUTES)


class Seen(NamedTuple):
    """A sighting as it is handed over: MAC of who caused it, UTC seconds, details as they are."""

    kind: str
    mac: bytes
    at: float
    told: dict[str, str]


SUBJECTS, CONTENTS = 6, 3
"""Sightings an hour of one sort: of so many devices, and so many different ones of each. A flood of one sort
hides no other, and one device no other device."""


class Told:
    """The sightings of the last hour: a device with the same content once, within bounds."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.untold = Hourly()
        self._about: list[tuple[str, bytes, tuple[object, ...]]] = []

    def tell(self, seen: Seen, sort: str, content: tuple[object, ...]) -> None:
        """Keeps it, unless the hour has it or is full; what the bounds leave out is counted."""
        self.forget(seen.at)
        if (sort, seen.mac, content) in self._about:
            return
        of_sort = [mac for each, mac, _ in self._about if each == sort]
        is_full = of_sort.count(seen.mac) >= CONTENTS or len({*of_sort, seen.mac}) > SUBJECTS
        if is_full:
            self.untold.add(seen.at)
            return
        self.seen.append(seen)
        self._about.append((sort, seen.mac, content))

    def forget(self, at: float) -> None:
        """What was more than an hour before, or comes after `at` because the clock was set back."""
        kept = [n for n, seen in enumerate(self.seen) if 0 <= at - seen.at < HOUR]
        if len(kept) < len(self.seen):
            self.seen, self._about = [self.seen[n] for n in kept], [self._about[n] for n in kept]
