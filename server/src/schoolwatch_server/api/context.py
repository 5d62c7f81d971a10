"""What every route needs: settings, database, series store, packs, rules and texts."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import Engine
from starlette.requests import Request

from schoolwatch_contract import pin
from schoolwatch_server import transport
from schoolwatch_server.address import Address
from schoolwatch_server.api.live import Live
from schoolwatch_server.api.pace import Pace
from schoolwatch_server.attempts import Attempts
from schoolwatch_server.challenges import Challenges
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.deeds import Deeds
from schoolwatch_server.influxql.patience import Room
from schoolwatch_server.lifecycle import Systems
from schoolwatch_server.packs.packs import Packs
from schoolwatch_server.replays.running import Replays
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.sheets import PackSheets, RuleSheets, Sheets
from schoolwatch_server.store import Store
from schoolwatch_server.store.queried.names import NamesHeld
from schoolwatch_server.store.queried.reports import Reports
from schoolwatch_server.texts import Texts

if TYPE_CHECKING:
    from schoolwatch_server.oidc.client import Client


@dataclass(frozen=True, slots=True)
class Context:
    """The running server, as its routes see it."""

    config: ServerConfig
    engine: Engine
    store: Store
    pack_sheets: PackSheets
    rule_sheets: RuleSheets
    lifecycle_sheets: Sheets[Systems]
    texts: Texts
    attempts: Attempts
    challenges: Challenges
    simulated: bool
    pace: Pace = field(default_factory=Pace)
    looked: Deeds = field(default_factory=Deeds)
    failed_logins: Deeds = field(default_factory=Deeds)  # apart: a flood of them hides nobody who looked
    replays: Replays = field(default_factory=Replays)
    live: Live = field(kw_only=True)
    oidc: "Client | None" = None
    judged_index: JudgedIndex = field(default_factory=JudgedIndex)
    reports: Reports = field(default_factory=Reports)
    room: Room = field(default_factory=Room)
    names: NamesHeld = field(default_factory=NamesHeld)

    @property
    def packs(self) -> Packs:
        """The packs in force; an edited file or a saved version counts within a second."""
        return self.pack_sheets.now()

    @property
    def rules(self) -> dict[str, Rule]:
        """The rules in force, by id; those that are switched off are among them."""
        return {rule.id: rule for rule in self.rule_sheets.now().at(time.time())}

    @property
    def systems(self) -> Systems:
        """Until when operating systems are supported; an edited file counts from the next request."""
        return self.lifecycle_sheets.now()

    @property
    def secure(self) -> bool:
        """Whether people reach us by https, so that cookies may say so."""
        return self.config.http.public_url.startswith("https:") or transport.http(self.config) is not None

    def address(self, request: Request) -> str:
        """How people and agents reach this server, without a slash at the end.

        `http.public_url`, or else the address of ours that this connection came to: never the Host header,
        which whoever asks can set to a machine of their own.
        """
        if self.config.http.public_url:
            return self.config.http.public_url.rstrip("/")
        host, port = request.scope.get("server") or (self.config.http.host, self.config.http.port)
        scheme = "http" if transport.http(self.config) is None else "https"
        return f"{scheme}://{Address(host, port or self.config.http.port)}"

    @property
    def authority(self) -> str | None:
        """The certificates (PEM) that devices are given to know us by; None: those that machines trust."""
        return transport.given_ca(self.config)

    def code(self, token: str) -> str:
        """What a technician is given: the token, with the pin of our authority where there is one."""
        pem = self.authority
        return token if pem is None else pin.join(token, pem)

    def websocket(self, request: Request) -> str:
        """The URL by which devices reach the broker where only the web is let through; "" without TLS."""
        if self.config.mqtt.websocket_url:
            return self.config.mqtt.websocket_url
        address = self.address(request)
        is_secure = address.startswith("https:")
        return f"wss:{address.removeprefix('https:')}{transport.WEBSOCKET_PATH}" if is_secure else ""

    def broker_host(self, request: Request) -> str:
        """Where a device finds the broker: the configured host, or ours when that is this machine."""
        return self.host_for(self.config.mqtt.host, request)

    def host_for(self, host: str, request: Request) -> str:
        """A part's host as who asks reaches it: as configured, or ours when that is this machine."""
        if host not in {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::"}:  # nosec B104 # noqa: S104  compared, not bound
            return host
        return urlsplit(self.address(request)).hostname or host
