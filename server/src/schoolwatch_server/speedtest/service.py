"""`schoolwatch-server speedtest`: the endpoint at the settings' address, with the slots of the database."""

import asyncio
import logging
import signal
import ssl
import time
from dataclasses import dataclass

from sqlalchemy import Engine

from schoolwatch_contract.ndt7 import Direction
from schoolwatch_server.config import ConfigError, ServerConfig, Speedtest
from schoolwatch_server.database.engine import open_database
from schoolwatch_server.speedtest import slots
from schoolwatch_server.speedtest.endpoint import Endpoint, listening
from schoolwatch_server.speedtest.line import Line

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DatabaseSlots:
    """The slots in the database, asked in a thread so that running tests do not wait for it."""

    engine: Engine

    async def begin(self, token: str, direction: Direction) -> bool:
        """As `slots.begin`."""
        return await asyncio.to_thread(slots.begin, self.engine, token, direction, now=time.time())

    async def end(self, token: str, direction: Direction) -> None:
        """As `slots.end`."""
        await asyncio.to_thread(slots.end, self.engine, token, direction, now=time.time())


def run(config: ServerConfig) -> None:
    """Serves until SIGTERM or SIGINT. Raises `ConfigError` or `DatabaseError`."""
    own = config.speedtest
    tls = context(own)
    engine = open_database(config.database_url, config.master_key)
    try:
        asyncio.run(_serve(own, engine, tls))
    finally:
        engine.dispose()


def context(config: Speedtest) -> ssl.SSLContext | None:
    """TLS as the settings say; None is plain. Raises `ConfigError`."""
    if not config.tls_certificate:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(config.tls_certificate, config.tls_key or None)
    except (OSError, ssl.SSLError) as error:
        where = "speedtest.tls_certificate, speedtest.tls_key"
        raise ConfigError(f"{where}: can't be used ({error}): name PEM files that belong together") from error
    return made


async def _serve(config: Speedtest, engine: Engine, tls: ssl.SSLContext | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        sock = listening(config.host, config.port)
    except OSError as error:
        raise ConfigError(
            f"speedtest.host, speedtest.port: {config.host} port {config.port}: {error.strerror}"
        ) from error
    line = Line(slots.line_of(config), config.full_above)
    said = "declared" if config.line_mbps else "assumed, set speedtest.line_mbps"
    log.info(
        "speed tests on %s port %d; own line %.0f bit/s (%s)",
        config.host,
        config.port,
        slots.line_of(config),
        said,
    )
    await Endpoint(DatabaseSlots(engine), line, config.seconds).serve(sock, tls, stop.wait)
