"""The web server: API and console behind one gate, with problem details for whatever goes wrong."""

import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.staticfiles import StaticFiles

from schoolwatch_server import __version__, part, passwords, texts, transport
from schoolwatch_server.api import (
    answers,
    authority,
    calendar,
    catalogue,
    description,
    devices,
    enrol,
    exports,
    grafana_alerts,
    health,
    incidents,
    indicator_history,
    indicator_metrics,
    influx,
    known_network,
    listening,
    places,
    ranking,
    renewal,
    reports,
    response_times,
    room_use,
    rules,
    school_lists,
    server_metrics,
    sites,
    speedtest,
    standing,
    work_list,
)
from schoolwatch_server.api.bounds import BoundedBody, BoundedHead, BoundedWebSocket
from schoolwatch_server.api.broker_door import BrokerDoor
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.headers import SecurityHeaders
from schoolwatch_server.api.live import Live
from schoolwatch_server.api.route import Route, add
from schoolwatch_server.attempts import Attempts
from schoolwatch_server.broker.limits import PACKET_MAX
from schoolwatch_server.challenges import Challenges
from schoolwatch_server.config import ConfigError, ServerConfig
from schoolwatch_server.console import routes
from schoolwatch_server.database import sealed
from schoolwatch_server.database.engine import begin_read, open_database
from schoolwatch_server.database.simulated import is_simulated
from schoolwatch_server.sheets import lifecycle_in_force, packs_in_force, rules_in_force
from schoolwatch_server.store import Store
from schoolwatch_server.store.influx.engine import READ_SECONDS, StoreDownError
from schoolwatch_server.store.influx.open import open_engine
from schoolwatch_server.store.influx.preferred import Preferred
from schoolwatch_server.store.influx.stored import InfluxStore
from schoolwatch_server.store.sqlite import SqliteStore
from schoolwatch_server.transport import Tls

if TYPE_CHECKING:
    from schoolwatch_server.oidc.client import Client

STATIC = Path(routes.__file__).with_name("static")

ROUTES: tuple[Route, ...] = (
    *influx.ROUTES,  # first: asked a hundred times for one dashboard
    *places.ROUTES,
    *sites.ROUTES,
    *indicator_history.ROUTES,
    *ranking.ROUTES,
    *catalogue.ROUTES,
    *exports.ROUTES,
    *room_use.ROUTES,
    *school_lists.ROUTES,
    *devices.ROUTES,
    *incidents.ROUTES,
    *known_network.ROUTES,
    *calendar.ROUTES,
    *grafana_alerts.ROUTES,
    *response_times.ROUTES,
    *rules.ROUTES,
    *work_list.ROUTES,
    *reports.ROUTES,
    *enrol.ROUTES,
    *authority.ROUTES,
    *speedtest.ROUTES,
    *standing.ROUTES,
    *renewal.ROUTES,
    *health.ROUTES,
    *server_metrics.ROUTES,
    *indicator_metrics.ROUTES,
    *description.ROUTES,
    *routes.ROUTES,
)


def _store(config: ServerConfig, engine: Engine) -> Store:
    """Where series are read from: the database, and another store before it where the settings say so."""
    own = SqliteStore(engine)
    if config.store.kind == "embedded" or not config.store.reads:
        return own
    try:
        other = open_engine(config.store, answer=READ_SECONDS)
    except StoreDownError as error:
        raise ConfigError(str(error)) from error
    return Preferred(InfluxStore(engine, other), own)


def create_app(config: ServerConfig) -> FastAPI:
    """The application on an open database.

    Raises `ConfigError`, `DatabaseError`, `SealError` or `SheetError`.
    """
    engine = open_database(config.database_url, config.master_key)
    sealed.check(engine)
    with begin_read(engine) as conn:
        simulated = is_simulated(conn)
    passwords.warm_up()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(
        title="SchoolWatch",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # whatever the environment says
        lifespan=lifespan,
    )
    app.state.context = Context(
        config=config,
        engine=engine,
        store=_store(config, engine),
        pack_sheets=packs_in_force(config, engine),
        rule_sheets=rules_in_force(config, engine),
        lifecycle_sheets=lifecycle_in_force(config),
        texts=texts.load(),
        attempts=Attempts(most=20, seconds=60.0),
        challenges=Challenges(),
        simulated=simulated,
        oidc=_provider(config),
        live=Live(engine),
    )
    add(app, ROUTES)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    answers.install(app)
    app.add_middleware(BoundedBody)
    app.add_middleware(BrokerDoor, config=config)
    app.add_middleware(SecurityHeaders, simulated=simulated, secure=app.state.context.secure)
    return app


def _provider(config: ServerConfig) -> "Client | None":
    """The client of the provider that the settings name; its libraries are loaded only where there is one."""
    if not config.oidc.issuer:
        return None
    from schoolwatch_server.oidc.client import Client

    return Client(config)


def run(config: ServerConfig) -> None:
    """Serves until SIGTERM or SIGINT; open connections get 2 s to finish. Raises `ConfigError`."""
    tls = transport.http(config)
    if tls is not None:
        transport.context(tls)  # before anything starts
    with contextlib.suppress(KeyboardInterrupt):
        app = create_app(config)
        part.sweep_seldom()
        influx.warm(app.state.context)
        Renewing(settings(config, app), tls, app.state.context.live).run(
            listening.listen(config.http.host, config.http.port)
        )


class Renewing(uvicorn.Server):
    """A web server that takes a renewed certificate: new connections get it, open ones go on.

    What never ends by itself is ended when it stops.
    """

    def __init__(self, config: uvicorn.Config, tls: Tls | None, live: Live | None = None) -> None:
        super().__init__(config)
        self._live = live
        self._watched = None if tls is None else transport.Watched(tls)

    async def on_tick(self, counter: int) -> bool:
        """What uvicorn does ten times a second."""
        if self._watched is not None and self.config.ssl is not None and counter % 10 == 0:
            self._watched.renew(self.config.ssl)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the streams of open consoles first: they would hold the server for all of its patience."""
        if self._live is not None:
            self._live.end()
        await super().shutdown(sockets)


def settings(config: ServerConfig, app: FastAPI) -> uvicorn.Config:
    """How uvicorn runs the application.

    Only when `http.public_url` says that a proxy stands before us is the caller's address taken from its
    X-Forwarded-For, and only from a proxy on this machine: anybody could send one.
    """
    tls = transport.http(config)
    return uvicorn.Config(
        app,
        host=config.http.host,
        port=config.http.port,
        loop=f"{listening.__name__}:Loop",
        http=BoundedHead,
        proxy_headers=bool(config.http.public_url),
        forwarded_allow_ips=["127.0.0.1", "::1"],
        access_log=False,  # addresses may hold what nobody should read in a log
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=5,
        ws=BoundedWebSocket,
        ws_max_size=PACKET_MAX,
        ws_ping_interval=None,  # MQTT's own keep-alive is enough
        ws_per_message_deflate=False,
        ssl_context_factory=None if tls is None else lambda *_: transport.context(tls),
    )
