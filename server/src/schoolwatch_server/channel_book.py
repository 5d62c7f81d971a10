"""Every channel there is now: those of the file of addresses, and those kept in the console."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from schoolwatch_server import channels
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import channel_rows
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.sealing import SealError
from schoolwatch_server.texts import Language

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Book:
    """Channel → address. `everybodys` belong to no person: they also get what is no incident.

    `alertmanagers` get no messages: they are told how incidents stand.
    """

    addresses: Mapping[str, str]
    languages: Mapping[str, Language] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    alertmanagers: tuple[channel_rows.Opened, ...] = ()

    def language(self, channel: str) -> Language:
        """In which language a channel is told; the file's channels in Vietnamese."""
        return self.languages.get(channel, "vi")

    @property
    def everybodys(self) -> dict[str, str]:
        """Those without the ones that are a person's own."""
        return {name: address for name, address in self.addresses.items() if name not in self.own}

    def only(self, channel: str) -> "Book":
        """The book of that one channel."""
        return Book({channel: self.addresses[channel]}, self.languages, self.own)


class Channels:
    """Looks them up; a file or a master key that can't be used is said once, and the other half sends."""

    def __init__(self, config: ServerConfig, engine: Engine) -> None:
        self._path = Path(config.notify.urls_file) if config.notify.urls_file else None
        self._engine = engine
        self._said: dict[str, str] = {}

    def now(self) -> Book:
        """The channels as the file and the database have them now."""
        filed = [
            channel_rows.Opened(name, address, "vi", is_everybodys=True)
            for name, address in self._filed().items()
        ]
        try:
            with begin_read(self._engine) as conn:
                kept = channel_rows.opened(conn)
        except SealError as error:
            self._say("kept", str(error))
            kept = ()
        else:
            self._said.pop("kept", None)
        all_ = (*filed, *kept)
        told = [one for one in all_ if not channels.is_alertmanager(one.address)]
        return Book(
            {one.key: one.address for one in told},
            {one.key: one.language for one in told},
            frozenset(one.key for one in told if not one.is_everybodys),
            tuple(one for one in all_ if channels.is_alertmanager(one.address)),
        )

    def _filed(self) -> dict[str, str]:
        try:
            found = channels.read(self._path)
        except channels.ChannelError as error:
            self._say("file", str(error))
            return {}
        self._said.pop("file", None)
        return found

    def _say(self, which: str, text: str) -> None:
        if self._said.get(which) != text:
            log.warning("%s", text)
        self._said[which] = text
