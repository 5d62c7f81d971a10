"""The server's settings: one TOML file, read once at start; every key has a default and a meaning."""

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from schoolwatch_server import targets
from schoolwatch_server.targets import Bandwidth, Ipv6, Quality, TargetError, Targets
from schoolwatch_server.terms import TERMS, Configured, Name
from schoolwatch_server.use import FEWEST

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
BrokerKind = Literal["auto", "mosquitto", "amqtt"]

SAMPLE = Path(__file__).with_name("server.toml")
"""The documented sample; it holds every key with its default."""


class ConfigError(ValueError):
    """The settings can't be used; the text names the file and the key, and says what to do."""


class Database(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the registry, journal and incidents are; empty is SQLite in the data folder."""

    url: str = ""


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Address of console and API; `public_url` is how people and agents reach it from outside."""

    host: str = "127.0.0.1"
    port: Port = 18080
    public_url: str = ""


class Mqtt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The broker, as the server's own parts reach it."""

    host: str = "127.0.0.1"
    port: Port = 18830
    tls_ca: str = ""
    user: str = "schoolwatch-server"
    password_file: str = ""


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The broker that `up` starts as a child."""

    kind: BrokerKind = "auto"
    program: str = ""
    queued_bytes: Count = 268_435_456


class Evaluation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often rules and indicators are judged, and from which packs; periods in seconds."""

    every: Seconds = 30.0
    indicators_every: Seconds = 300.0
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
    """The file that lists where incidents are sent (one Apprise address a line; it holds secrets)."""

    urls_file: str = ""


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of the master key, with which secrets in the database are sealed; it holds a secret."""

    master_key_file: str = ""


class Antivirus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parts of the names of the antivirus products that the province issues; empty: not known."""

    issued: tuple[Annotated[str, msgspec.Meta(pattern=r"\S", max_length=80)], ...] = ()


class ServerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; `data` is an absolute path once loaded."""

    data: str = "data"
    database: Database = Database()
    http: Http = Http()
    mqtt: Mqtt = Mqtt()
    broker: Broker = Broker()
    evaluation: Evaluation = Evaluation()
    retention: Retention = Retention()
    speedtest: Speedtest = Speedtest()
    privacy: Privacy = Privacy()
    notify: Notify = Notify()
    secrets: Secrets = Secrets()
    antivirus: Antivirus = Antivirus()
    ipv6: Ipv6 = Ipv6()
    quality: Quality = Quality()
    bandwidth: Bandwidth = Bandwidth()

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    @property
    def database_url(self) -> str:
        """SQLAlchemy's address of the database."""
        return self.database.url or f"sqlite:///{self.folder / 'schoolwatch.db'}"

    @property
    def mqtt_password_path(self) -> Path:
        """The file that holds the password of the server's own broker account."""
        return Path(self.mqtt.password_file or self.folder / "secrets" / "broker-server")

    @property
    def master_key(self) -> Path:
        """Where `sealing` finds the master key: the file that is set, else the data folder."""
        return Path(self.secrets.master_key_file or self.folder)

    @property
    def targets(self) -> Targets:
        """What devices are to aim at."""
        return Targets(self.ipv6, self.quality, self.bandwidth, self.http.public_url)


def load(path: Path) -> ServerConfig:
    """The settings of a file; relative paths in it count from the file's own folder.

    Raises `ConfigError`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}): check the path and its mode") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text: save it as UTF-8") from error
    return parse(text, path)


def parse(text: str, path: Path) -> ServerConfig:
    """As `load`, of text that came from `path`."""
    try:
        config = msgspec.convert(tomllib.loads(text), ServerConfig)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: is nested too deeply: it is no settings file") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explain(str(error))}") from error
    if not config.data.strip() or "\0" in config.data:
        raise ConfigError(f"{path}: data: names no folder: write its path, or remove the line")
    _check_hosts(config, path)
    try:
        targets.check(config.targets)
    except TargetError as error:
        raise ConfigError(f"{path}: {error}") from error
    return _absolute(config, path.absolute().parent)


def of_data(folder: Path) -> ServerConfig:
    """The settings of a data folder: its server.toml if it has one, else the defaults."""
    own = folder / "server.toml"
    config = load(own) if own.exists() else ServerConfig()
    return msgspec.structs.replace(config, data=str(folder.absolute()))


def check_paths(config: ServerConfig) -> None:
    """Sees that the files and folders the settings name are there. Raises `ConfigError`."""
    evaluation = config.evaluation
    for key, text, kind, is_there in (
        ("mqtt.tls_ca", config.mqtt.tls_ca, "file", Path.is_file),
        ("evaluation.packs", evaluation.packs, "folder", Path.is_dir),
        ("evaluation.rules", evaluation.rules, "folder", Path.is_dir),
        ("speedtest.tls_certificate", config.speedtest.tls_certificate, "file", Path.is_file),
        ("speedtest.tls_key", config.speedtest.tls_key, "file", Path.is_file),
        ("notify.urls_file", config.notify.urls_file, "file", Path.is_file),
        ("secrets.master_key_file", config.secrets.master_key_file, "file", Path.is_file),
    ):
        if text and not is_there(Path(text)):
            raise ConfigError(f"{key}: there is no {kind} {text}: make it, or correct the path")


def mqtt_password(config: ServerConfig) -> str:
    """The password of the server's own broker account. Raises `ConfigError`."""
    path = config.mqtt_password_path
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: can't be read: start `schoolwatch-server up` once, or set mqtt.password_file"
        ) from error


def render(config: ServerConfig) -> str:
    """The settings as TOML that `parse` reads back as the same."""
    lines = [f"data = {_toml(config.data)}"]
    for name in config.__struct_fields__[1:]:
        lines += ["", f"[{name}]"]
        section = msgspec.structs.asdict(getattr(config, name))
        lines += [f"{key} = {_toml(value)}" for key, value in section.items()]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    # JSON's strings are TOML's, except DEL, which TOML wants escaped
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")


_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]*)`")


def _explain(message: str) -> str:
    """msgspec's message with the key first, as it is written in the file."""
    at = _AT.search(message)
    where = at[1] if at else ""
    what = _AT.sub("", message)
    unknown = _UNKNOWN.match(what)
    if unknown:
        key = f"{where}.{unknown[1]}".lstrip(".")
        return f"{key}: no such key: correct or remove it (the sample server.toml lists all keys)"
    return f"{where}: {what}: correct it (the sample server.toml shows each key)"


_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")


def is_host(text: str) -> bool:
    """Whether this is a host name or an IP address, and nothing that could end a line of a file."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def _check_hosts(config: ServerConfig, path: Path) -> None:
    for key, host in (
        ("http.host", config.http.host),
        ("mqtt.host", config.mqtt.host),
        ("speedtest.host", config.speedtest.host),
    ):
        if not is_host(host):
            raise ConfigError(f"{path}: {key}: {host[:80]!r} is no host name or IP address: write one")


def _absolute(config: ServerConfig, folder: Path) -> ServerConfig:
    def absolute(text: str) -> str:
        return str(folder / text) if text else ""

    replace = msgspec.structs.replace
    return replace(
        config,
        data=absolute(config.data),
        mqtt=replace(
            config.mqtt,
            tls_ca=absolute(config.mqtt.tls_ca),
            password_file=absolute(config.mqtt.password_file),
        ),
        evaluation=replace(
            config.evaluation,
            packs=absolute(config.evaluation.packs),
            rules=absolute(config.evaluation.rules),
        ),
        speedtest=replace(
            config.speedtest,
            tls_certificate=absolute(config.speedtest.tls_certificate),
            tls_key=absolute(config.speedtest.tls_key),
        ),
        notify=replace(config.notify, urls_file=absolute(config.notify.urls_file)),
        secrets=replace(config.secrets, master_key_file=absolute(config.secrets.master_key_file)),
    )
