"""Tells whoever gets notifications that backups fail or are too old, each day anew, and when it is over.

Whom it told, and when, is in `backup/told.json` of the data folder: it is remembered over a restart.
"""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from schoolwatch_server import channels
from schoolwatch_server.backup import status
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.files import private_folder, write_atomically
from schoolwatch_server.messages import local_time, public_url
from schoolwatch_server.notify import pause
from schoolwatch_server.texts import Texts

log = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between two looks at the status."""

AGAIN = 86400.0
"""Seconds after which who was told is told again, as long as it lasts."""

_BAD = frozenset({"failed", "too_old", "unknown"})


class Told(msgspec.Struct, frozen=True):
    """Channel → when it was told of what is bad; and after how many failed attempts it is tried when."""

    at: dict[str, float] = {}
    tries: dict[str, tuple[int, float]] = {}


class Alarm:
    """What one evaluating process does about it."""

    def __init__(self, config: ServerConfig, words: Texts) -> None:
        self._config, self._words = config, words
        self._path = config.folder / "backup" / "told.json"
        self._looked = 0.0

    def look(self, addresses: Mapping[str, str]) -> int:
        """Sends what is due, as said of the status now; gives how many messages were taken."""
        if time.monotonic() - self._looked < EVERY:
            return 0
        self._looked = time.monotonic()
        try:
            return self.tell(addresses, time.time())
        except OSError as error:
            log.warning("%s can't be written: %s", self._path, error.strerror)
            return 0

    def tell(self, addresses: Mapping[str, str], now: float) -> int:
        """The same at `now`, UTC seconds. Raises OSError."""
        known = status.read(self._config.folder)
        judged = status.judge(self._config, known, now)
        told = _read(self._path)
        names = due(judged, told, addresses, now)
        if not names:
            return 0
        title, body = self._message(judged, known or status.Status())
        taken = 0
        for name in names:
            error = channels.deliver(addresses[name], title, body)
            told = noted(told, name, judged, time.time() if not error else now, error=error)
            taken += not error
            if error:
                log.warning("backup: %s: %s", name, error)
        private_folder(self._path.parent)
        write_atomically(self._path, msgspec.json.encode(told).decode())
        return taken

    def _message(self, judged: status.Judgement, known: status.Status) -> tuple[str, str]:
        def say(key: str, **values: object) -> str:
            return self._words.get("vi", key, **values)

        done, failed = known.done, known.failed
        why = ""
        if judged == "failed" and failed is not None:
            key = f"backup.error.{failed.trouble}"
            why = say(key, **failed.values) if key in self._words.entries else failed.trouble
        newest = local_time(done.at, self._words, "vi") if done is not None else say("backup.none")
        state = "bad" if judged in _BAD else "good"
        return say(f"backup.alarm.{state}.title"), say(
            f"backup.alarm.{state}.body",
            what=f"{say(f'backup.judged.{judged}')} {why}".strip(),
            newest=newest,
            link=f"{public_url(self._config)}/system",
        ).strip()


def due(judged: status.Judgement, told: Told, channels: Mapping[str, str], now: float) -> list[str]:
    """The channels that are to be told now; of what is good, those that were told of what was bad."""
    if judged in _BAD:
        waits = [name for name in channels if not 0 <= now - told.at.get(name, -AGAIN) < AGAIN]
    else:
        waits = [name for name in channels if judged == "good" and name in told.at]
    return sorted(name for name in waits if told.tries.get(name, (0, 0.0))[1] <= now)


def noted(told: Told, name: str, judged: status.Judgement, now: float, *, error: str) -> Told:
    """After an attempt: `error` is empty when the channel took it."""
    at, tries = dict(told.at), dict(told.tries)
    attempts = tries.pop(name, (0, 0.0))[0] + 1
    if error:
        tries[name] = (attempts, now + pause(attempts))
    elif judged in _BAD:
        at[name] = now
    else:
        del at[name]
    return Told(at, tries)


def _read(path: Path) -> Told:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Told)
    except (OSError, msgspec.DecodeError):
        return Told()  # rather told twice than never
