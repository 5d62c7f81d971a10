"""The sections of the settings file: each key with its type, bounds and default."""

from typing import Annotated, Literal

import msgspec

from schoolwatch_server.roles import Role
from schoolwatch_server.sites.job import split
from schoolwatch_server.sites.networks import networks
from schoolwatch_server.terms import TERMS, Configured, Name
from schoolwatch_server.use import FEWEST

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
BrokerKind = Literal["auto", "mosquitto", "amqtt"]


class Database(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the registry, journal and incidents are; empty is SQLite in the data folder."""

    url: str = ""


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Address of console and API; `public_url` is how people and agents reach it from outside.

    `tls_certificate`, `tls_key` and `tls_ca` are files of a PKI; empty: see transport.py.
    """

    host: str = "127.0.0.1"
    port: Port = 18080
    public_url: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    tls_ca: str = ""


class Mqtt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker, as the server's own parts reach it: by `socket`, a file on this machine, if it is named.

    `websocket_url` is where devices reach it besides.
    """

    host: str = "127.0.0.1"
    port: Port = 18830
    socket: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    websocket_url: Annotated[str, msgspec.Meta(pattern=r"^(wss://[^\s@?#]+)?$")] = ""
    user: str = "schoolwatch-server"
    password_file: str = ""


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Certificates of the server's own authority: on loopback too, and for which further names."""

    always: bool = False
    names: tuple[Annotated[str, msgspec.Meta(pattern=r"^\S+$", max_length=253)], ...] = ()


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The broker that `up` starts as a child."""

    kind: BrokerKind = "auto"
    program: str = ""
    queued_bytes: Count = 268_435_456


class Evaluation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often rules and indicators are judged, and from which packs; periods in seconds."""

    every: Seconds = 30.0
    indicators_every: Seconds = 300.0
    watch_every: Seconds = 15.0
    delivery_period: Seconds = 900.0
    packs: str = ""
    rules: str = ""


def _days(name: Configured) -> msgspec.Meta:
    return msgspec.Meta(ge=TERMS[name].least, le=TERMS[name].most)


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the server keeps what it was told, within the bounds of `terms.py`."""

    journal_days: Annotated[int, _days("journal")] = TERMS["journal"].days
    hourly_days: Annotated[int, _days("hourly")] = TERMS["hourly"].days
    daily_days: Annotated[int, _days("daily")] = TERMS["daily"].days
    proof_days: Annotated[int, _days("proof")] = TERMS["proof"].days
    incident_days: Annotated[int, _days("incident")] = TERMS["incident"].days
    quarantine_days: Annotated[int, _days("quarantine")] = TERMS["quarantine"].days
    audit_days: Annotated[int, _days("audit")] = TERMS["audit"].days
    report_days: Annotated[int, _days("report")] = TERMS["report"].days
    quarantine_rows: Count = 10_000

    def days(self, name: Name) -> int:
        """Days that this class of data is kept."""
        return {
            "journal": self.journal_days,
            "hourly": self.hourly_days,
            "daily": self.daily_days,
            "proof": self.proof_days,
            "incident": self.incident_days,
            "quarantine": self.quarantine_days,
            "audit": self.audit_days,
            "report": self.report_days,
        }.get(name, TERMS[name].days)


class Speedtest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The speed test that schools' gateways run against this server (NDT7); speeds in Mbit/s.

    `line_mbps` is the server's own line, the slower way of the two; 0 is unknown, then `assumed_line_mbps`
    holds. A school that declared no contract speed is taken at `assumed_school_mbps`.
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: Port = 18090
    public_url: Annotated[str, msgspec.Meta(pattern=r"^(wss?://[^\s@/?#]+)?$")] = ""
    tls_certificate: str = ""
    tls_key: str = ""
    line_mbps: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 0.0
    assumed_line_mbps: Annotated[float, msgspec.Meta(gt=0, le=1e6)] = 100.0
    assumed_school_mbps: Annotated[float, msgspec.Meta(gt=0, le=1e6)] = 100.0
    full_above: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.7
    seconds: Annotated[float, msgspec.Meta(ge=1, le=10)] = 10.0


class Privacy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many computers of a room must have told of their use before the room's numbers are shown.

    `controller` is the body that answers for the data, `contact` whom people ask: both stand in the notice
    for schools and in the record of processing. Write functions, not names.
    """

    room_devices: Annotated[int, msgspec.Meta(ge=FEWEST, le=1000)] = 5
    controller: Annotated[str, msgspec.Meta(max_length=200)] = ""
    contact: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Notify(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file that lists where incidents are sent (one Apprise address a line; it holds secrets).

    `own_webhook_hosts` are the hosts to which accounts may have webhooks of their own.
    """

    urls_file: str = ""
    own_webhook_hosts: tuple[Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9.-]{1,253}$")], ...] = ()


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of the master key, with which secrets in the database are sealed; it holds a secret."""

    master_key_file: str = ""


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long people stay logged in, when an unused account is switched off, and who needs a second factor.

    `second_factor_days` count from when an account was made or given its role.
    """

    session_hours: Annotated[float, msgspec.Meta(gt=0, le=24)] = 12.0
    idle_minutes: Annotated[float, msgspec.Meta(ge=1, le=1440)] = 60.0
    idle_days: Annotated[int, msgspec.Meta(ge=1, le=3660)] = 45
    second_factor_roles: tuple[Role, ...] = ("so_admin", "auditor")
    second_factor_days: Annotated[int, msgspec.Meta(ge=0, le=90)] = 7


class Antivirus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parts of the names of the antivirus products that the province issues; empty: not known."""

    issued: tuple[Annotated[str, msgspec.Meta(pattern=r"\S", max_length=80)], ...] = ()


class Forecasting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weeks with a value that a forecast needs, and how many of the newest it looks at.

    A proposal of this project: no document says how long a history must be.
    """

    least_weeks: Annotated[int, msgspec.Meta(ge=5, le=104)] = 8
    most_weeks: Annotated[int, msgspec.Meta(ge=5, le=260)] = 26


class Sites(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The probe of schools' websites, which this server asks itself; off until it is switched on.

    `references` are hosts by which it knows whether its own line works. `allowed_networks` are reached
    besides public addresses. `ca_file` names authorities (PEM) besides those that this machine trusts.
    """

    enabled: bool = False
    every_hours: Annotated[float, msgspec.Meta(ge=1, le=168)] = 6.0
    at_once: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5
    seconds: Annotated[float, msgspec.Meta(ge=1, le=60)] = 10.0
    references: Annotated[tuple[str, ...], msgspec.Meta(max_length=8)] = ()
    ports: Annotated[tuple[Port, ...], msgspec.Meta(min_length=1, max_length=20)] = (80, 443, 8080, 8443)
    allowed_networks: Annotated[tuple[str, ...], msgspec.Meta(max_length=50)] = ()
    ca_file: str = ""


class MalwareStatistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The statistics of malware as XML for a centre: off until the department's id there is set."""

    organisation: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Za-z][0-9A-Za-z.-]{2,39})?$")] = ""


class Grafana(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the department's Grafana is and the language of its dashboards, for links of the console."""

    url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s@?#]+)?$", max_length=500)] = ""
    language: Literal["vi", "en"] = "vi"


class OpenData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who publishes what the API gives out, and under which licence: both stand in `/api/v1/catalog`.

    An empty `publisher` is `controller` of `[privacy]`; an empty `licence`, the address of its text, is not
    known, and the catalogue says so.
    """

    publisher: Annotated[str, msgspec.Meta(max_length=200)] = ""
    homepage: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s@]+)?$", max_length=500)] = ""
    licence: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s@]+)?$", max_length=500)] = ""


class Backup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where copies of the server go, and when: `hour` is Vietnam's; an empty `target` is none at all.

    `target` is a folder or `sftp://USER@HOST:PORT/FOLDER`. `too_old_hours` is when a copy counts as too old.
    """

    target: str = ""
    hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 1
    keep_daily: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 14
    keep_weekly: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 8
    keep_monthly: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 12
    too_old_hours: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 36
    passphrase_file: str = ""
    ssh_key: str = ""
    known_hosts: str = ""
    program: str = ""


def sites_trouble(section: Sites) -> str | None:
    """What is wrong with `[sites]`, the key first, and what to do; None when it can be used."""
    for key, texts, read in (
        ("references", section.references, split),
        ("allowed_networks", section.allowed_networks, lambda text: networks([text])),
    ):
        for text in texts:
            try:
                read(text)
            except ValueError as error:
                return f"sites.{key}: {error}: correct it"
    if section.enabled and not section.references:
        return (
            "sites.references: is empty: name independent hosts as HOST:PORT, by which this server"
            " knows that its own line works before it calls a site down"
        )
    return None
