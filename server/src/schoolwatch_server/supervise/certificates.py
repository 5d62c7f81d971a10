"""Keeps the certificates of a running `up` in time, and tells the broker when there is a new one."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from schoolwatch_server import transport
from schoolwatch_server.authority import own
from schoolwatch_server.authority.folder import AuthorityError
from schoolwatch_server.config import ConfigError, ServerConfig

log = logging.getLogger(__name__)
_EVERY, _IN_FULL = 1.0, 60.0
"""Seconds between two looks at the files' times, and between two at what is in them."""


class Certificates:
    """Those of the settings' listeners; the web server watches its own files itself."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._broker: transport.Watched | None = None
        self._looked = self._read = float("-inf")
        self._said = ""

    def keep(self) -> None:
        """Makes or renews the own one where it is needed. Raises `AuthorityError`, `ConfigError`, OSError."""
        if transport.uses_own(self._config):
            own.keep(self._config, datetime.now(UTC))
        for tls in (transport.http(self._config), transport.mqtt(self._config)):
            if tls is not None:
                transport.context(tls)

    def start(self) -> None:
        """As `keep`, before the parts start; what the broker then reads need not be read again."""
        transport.check(self._config)
        self.keep()
        broker = transport.mqtt(self._config)
        self._broker = None if broker is None else transport.Watched(broker)

    def look(self, now: float, reload: Callable[[], None]) -> None:
        """`now`: monotonic seconds. Calls `reload` when the broker has to read its certificate again."""
        if now - self._looked < _EVERY:
            return
        self._looked = now
        changed = self._broker is not None and self._broker.has_changed()
        if changed or now - self._read >= _IN_FULL:
            self._read = now
            self._keep_going()
            changed = (self._broker is not None and self._broker.has_changed()) or changed
        if changed:
            reload()

    def _keep_going(self) -> None:
        try:
            self.keep()
            said = ""
        except (AuthorityError, ConfigError, OSError) as error:
            said = str(error)
            if said != self._said:
                log.warning("certificates could not be kept: %s", said)
        self._said = said
