"""Hears what the sockets it was given hear, and writes what it makes of it, until it is ended."""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence

from schoolwatch_agent.lan import frames, link, questions
from schoolwatch_agent.lan.hours import Seen
from schoolwatch_agent.lan.segment import Segment, Station

FINE, AGAIN = 0, 75
"""Exit codes; AGAIN (sysexits.h: EX_TEMPFAIL): a link came or came back, which only a new start may open."""

FILE = "heard.json"
WRITE = 10.0
"""Seconds between two writings when nothing new was seen; what is new is written within a second."""
_KNOW = 30.0
"""Seconds between two looks at the system's tables."""
_SET = 600.0
"""Seconds between two looks that only sleep or a clock which was set can make: the first day begins anew."""
_AT_ONCE = 256
"""Frames of one link that are read before the others' turn comes."""


class Ear:
    """One link, its socket (None when there was no link), and what was heard."""

    def __init__(self, nic: str, listening: socket.socket | None, now: float) -> None:
        self.nic, self.listening = nic, listening
        self.segment = Segment(now)
        self._index = link.index(nic)
        self.know(now)

    def know(self, now: float) -> None:
        """Asks the system what it knows."""
        self.segment.know(link.know(self.nic), now)

    @property
    def came(self) -> bool:
        """Whether there is a link by this name that the socket is not of."""
        there = link.index(self.nic)
        return bool(there) and (self.listening is None or there != self._index)

    def hear(self, now: float) -> None:
        """All that waits, within bounds."""
        if self.listening is None:
            return
        for _ in range(_AT_ONCE):
            try:
                frame = self.listening.recv(2048)
            except BlockingIOError:
                return
            except OSError:  # the link went down; it may come up again
                return
            self.segment.frames.add(now)
            event = frames.parse(frame)
            if event is not None:
                self.segment.hear(event, now)

    def ask(self) -> None:
        """Who gives addresses here; the answers are heard like any other."""
        own = self.segment.own
        if self.listening is None or len(own.mac) != 6:
            return
        number = int.from_bytes(os.urandom(3), "big")
        asked = [questions.frame4(own.mac, number)]
        for address in sorted(each for each in own.own if each[:2] == b"\xfe\x80")[:1]:
            kinds = (questions.SOLICIT, questions.INFORMATION)
            asked += [questions.frame6(own.mac, address, number, kind) for kind in kinds]
        for frame in asked:
            with contextlib.suppress(OSError):  # the link is down: asked again next time
                self.listening.send(frame)

    def state(self, now: float) -> dict[str, object]:
        """As it is handed over."""
        segment = self.segment
        if self.listening is None or not link.hears(self.nic):
            return {"nic": self.nic, "state": "no_link"}
        segment.dropped.add(now, link.dropped(self.listening))
        gateway = segment.claims.gateway()
        return {
            "nic": self.nic,
            "state": "watching",
            "frames": segment.frames.total(now),
            "dropped": segment.dropped.total(now),
            "untold": segment.told.untold.total(now),
            "stations": segment.count_stations(now),
            "new_stations": segment.count_new(now),
            "gateway": gateway.hex(":") if gateway else None,
        }


class Watch:
    """All links together; what is done from time to time is done at once at the first look."""

    def __init__(self, folder: str, ears: Sequence[Ear], every: float) -> None:
        self._folder, self._ears, self._every = folder, ears, every
        self._looked = time.time()
        self._written = self._known = self._asked = self._newest = 0.0
        self.is_over = False

    def run(self) -> int:
        """Until it is told to end, or a link came. The exit code."""
        poll = select.poll()
        by_number = {ear.listening.fileno(): ear for ear in self._ears if ear.listening is not None}
        for number in by_number:
            poll.register(number, select.POLLIN)
        while not self.is_over:
            ready = poll.poll(1000)
            now = time.time()
            for number, _ in ready:
                by_number[number].hear(now)
            self._look(now)
            if now == self._known and any(ear.came for ear in self._ears):
                return AGAIN
        return FINE

    def _look(self, now: float) -> None:
        """All that is done from time to time. A clock that was set back makes everything due."""
        if not 0 <= now - self._looked < _SET:
            for ear in self._ears:
                ear.segment.since = now
        self._looked = now
        if not 0 <= now - self._known < _KNOW:
            self._known = now
            for ear in self._ears:
                ear.know(now)
        if self._every and not 0 <= now - self._asked < self._every:
            self._asked = now
            for ear in self._ears:
                ear.ask()
        told = [ear.segment.told.seen[-1].at for ear in self._ears if ear.segment.told.seen]
        newest = max(told, default=0.0)
        if not 0 <= now - self._written < (1.0 if newest != self._newest else WRITE):
            self._written, self._newest = now, newest
            self._write(now)

    def _write(self, now: float) -> None:
        for ear in self._ears:
            ear.segment.told.forget(now)
        seen = [(ear.nic, each) for ear in self._ears for each in ear.segment.told.seen]
        whole = {
            "at": now,
            "links": [ear.state(now) for ear in self._ears],
            "seen": [_seen(nic, each) for nic, each in sorted(seen, key=lambda pair: pair[1].at)],
            "stations": [
                _station(ear.nic, mac, each)
                for ear in self._ears
                for mac, each in ear.segment.stations.items()
            ],
        }
        fresh = f"{self._folder}/.{FILE}"
        try:
            with open(fresh, "w", encoding="ascii") as file:  # noqa: PTH123  pathlib is of size
                json.dump(whole, file, separators=(",", ":"))
            os.replace(fresh, f"{self._folder}/{FILE}")  # noqa: PTH105
        except OSError as error:  # the agent sees that the file grows old
            _say(f"{self._folder}: {error.strerror or error}")


def _seen(nic: str, seen: Seen) -> dict[str, object]:
    return {
        "kind": seen.kind,
        "mac": seen.mac.hex(":"),
        "nic": nic,
        "at": round(seen.at, 3),
        "told": seen.told,
    }


def _station(nic: str, mac: bytes, station: Station) -> dict[str, object]:
    addresses = (
        socket.inet_ntop(family, address)
        for family, address in ((socket.AF_INET, station.ipv4), (socket.AF_INET6, station.ipv6))
        if address
    )
    return {
        "nic": nic,
        "mac": mac.hex(":"),
        "first": round(station.first),
        "last": round(station.last),
        "addresses": list(addresses),
    }


def main(words: Sequence[str]) -> int:
    """The folder to write into, seconds between two questions (0: none), then `nic=descriptor` of each,
    `nic=` of a link that was not there."""
    folder, every, *named = words
    now = time.time()
    ears = []
    for word in named:
        nic, _, number = word.rpartition("=")
        ears.append(Ear(nic, socket.socket(fileno=int(number)) if number else None, now))
    watch = Watch(folder, ears, float(every))

    def end(*_: object) -> None:
        watch.is_over = True

    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, end)
    return watch.run()


def _say(text: str) -> None:
    sys.stderr.write(f"watch: {text}\n")
    sys.stderr.flush()
