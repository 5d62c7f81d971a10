"""Whether a gateway's LAN watch has seen something that the next cycle is too late for."""

from typing import Final

from schoolwatch_agent.config import Sensors
from schoolwatch_agent.errors import NotUnderstood, TimedOut
from schoolwatch_agent.formats import heard
from schoolwatch_agent.host import Host

PAUSE: Final = 15.0
"""Seconds at least between two cycles that the watch causes: a flood of sightings is no flood of reports."""


class Alarm:
    """Looks at the watch's file, which is written anew each 10 s, and at once when it saw something."""

    def __init__(self, sensors: Sensors, host: Host) -> None:
        self._file, self._host = f"{sensors.folder}/{heard.FILE}", host
        self._is_on = bool(sensors.interfaces) and host.system == "linux"
        self._modified = self._newest = 0.0
        self._rang_at: float | None = None

    def rings(self, now: float) -> bool:
        """Whether there is a sighting that was not there when it rang last; `now` in UTC seconds."""
        if not self._is_on or (self._rang_at is not None and 0 <= now - self._rang_at < PAUSE):
            return False
        try:
            modified = self._host.modified(self._file)
            if modified == self._modified:
                return False
            newest = max((seen.at for seen in heard.parse(self._host.text(self._file)).seen), default=0.0)
        except (OSError, TimedOut, NotUnderstood):
            return False
        self._modified = modified
        if newest == self._newest:
            return False
        self._newest, self._rang_at = newest, now
        return newest > 0
