"""The server's settings: one TOML file, read once at start; every key has a default and a meaning."""

import ipaddress
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from schoolwatch_server import oidc_section, store_section, targets
from schoolwatch_server.oidc_section import Oidc as Oidc
from schoolwatch_server.sections import Antivirus as Antivirus
from schoolwatch_server.sections import Backup as Backup
from schoolwatch_server.sections import Broker as Broker
from schoolwatch_server.sections import Database as Database
from schoolwatch_server.sections import Evaluation as Evaluation
from schoolwatch_server.sections import Forecasting as Forecasting
from schoolwatch_server.sections import Grafana as Grafana
from schoolwatch_server.sections import Http as Http
from schoolwatch_server.sections import MalwareStatistics as MalwareStatistics
from schoolwatch_server.sections import Mqtt as Mqtt
from schoolwatch_server.sections import Notify as Notify
from schoolwatch_server.sections import OpenData as OpenData
from schoolwatch_server.sections import People as People
from schoolwatch_server.sections import Privacy as Privacy
from schoolwatch_server.sections import Retention as Retention
from schoolwatch_server.sections import Secrets as Secrets
from schoolwatch_server.sections import Sites as Sites
from schoolwatch_server.sections import Speedtest as Speedtest
from schoolwatch_server.sections import Tls as Tls
from schoolwatch_server.sections import sites_trouble
from schoolwatch_server.store_section import SeriesStore as SeriesStore
from schoolwatch_server.targets import Bandwidth, Ipv6, Quality, TargetError, Targets

SAMPLE = Path(__file__).with_name("server.toml")
"""The documented sample; it holds every key with its default."""


class ConfigError(ValueError):
    """The settings can't be used; the text names the file and the key, and says what to do."""


class ServerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; `data` is an absolute path once loaded."""

    data: str = "data"
    database: Database = Database()
    store: SeriesStore = SeriesStore()
    http: Http = Http()
    mqtt: Mqtt = Mqtt()
    tls: Tls = Tls()
    broker: Broker = Broker()
    evaluation: Evaluation = Evaluation()
    retention: Retention = Retention()
    speedtest: Speedtest = Speedtest()
    privacy: Privacy = Privacy()
    notify: Notify = Notify()
    secrets: Secrets = Secrets()
    backup: Backup = Backup()
    people: People = People()
    oidc: Oidc = Oidc()
    antivirus: Antivirus = Antivirus()
    forecast: Forecasting = Forecasting()
    grafana: Grafana = Grafana()
    open_data: OpenData = OpenData()
    malware_statistics: MalwareStatistics = MalwareStatistics()
    sites: Sites = Sites()
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
    _refuse_secrets(msgspec.to_builtins(config), "", path)
    _check_hosts(config, path)
    if config.mqtt.tls_certificate and not config.mqtt.tls_ca:
        raise ConfigError(
            f"{path}: mqtt.tls_ca: is empty: name the authority of mqtt.tls_certificate (PEM), by which our"
            " own parts know the broker"
        )
    wrong = (
        oidc_section.trouble(config.oidc, config.http.public_url)
        or sites_trouble(config.sites)
        or store_section.trouble(config.store)
    )
    if wrong:
        raise ConfigError(f"{path}: {wrong}")
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
        ("http.tls_certificate", config.http.tls_certificate, "file", Path.is_file),
        ("http.tls_key", config.http.tls_key, "file", Path.is_file),
        ("http.tls_ca", config.http.tls_ca, "file", Path.is_file),
        ("mqtt.tls_certificate", config.mqtt.tls_certificate, "file", Path.is_file),
        ("mqtt.tls_key", config.mqtt.tls_key, "file", Path.is_file),
        ("mqtt.tls_ca", config.mqtt.tls_ca, "file", Path.is_file),
        ("evaluation.packs", evaluation.packs, "folder", Path.is_dir),
        ("evaluation.rules", evaluation.rules, "folder", Path.is_dir),
        ("speedtest.tls_certificate", config.speedtest.tls_certificate, "file", Path.is_file),
        ("speedtest.tls_key", config.speedtest.tls_key, "file", Path.is_file),
        ("notify.urls_file", config.notify.urls_file, "file", Path.is_file),
        ("secrets.master_key_file", config.secrets.master_key_file, "file", Path.is_file),
        ("oidc.client_secret_file", config.oidc.client_secret_file, "file", Path.is_file),
        ("oidc.ca_file", config.oidc.ca_file, "file", Path.is_file),
        ("sites.ca_file", config.sites.ca_file, "file", Path.is_file),
        ("store.token_file", config.store.token_file, "file", Path.is_file),
        ("store.ca_file", config.store.ca_file, "file", Path.is_file),
        ("backup.passphrase_file", config.backup.passphrase_file, "file", Path.is_file),
        ("backup.ssh_key", config.backup.ssh_key, "file", Path.is_file),
        ("backup.known_hosts", config.backup.known_hosts, "file", Path.is_file),
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
        if _SECRET.search(unknown[1]):
            return f"{key}: {_TO_A_FILE}"
        return f"{key}: no such key: correct or remove it (the sample server.toml lists all keys)"
    return f"{where}: {what}: correct it (the sample server.toml shows each key)"


_SECRET = re.compile(r"pass(word|phrase|wd)?$|secret$|token$|(^|_)key$", re.IGNORECASE)
# before its host, where SQLAlchemy takes a slash as it is, or among its options
PASSWORD_IN_URL = re.compile(
    r"://[^/@\s]*:[^/@\s]+@|^postgresql[^:]*://[^/:@\s]*:[^@?\s]+@|[?&](ssl)?password=", re.IGNORECASE
)
_TO_A_FILE = (
    "no secret stands in the settings: write it into a file of mode 0600, or give it by systemd's"
    " LoadCredential=, and name that file in the key that ends in _file"
)


def _refuse_secrets(value: object, key: str, path: Path) -> None:
    """Settings are read by many, copied and sent to who helps: an address in them has no password."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_secrets(inner, f"{key}.{name}".lstrip("."), path)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _refuse_secrets(inner, key, path)
    elif isinstance(value, str) and PASSWORD_IN_URL.search(value):
        where = "PGPASSFILE (.pgpass, mode 0600)" if key == "database.url" else "a file of mode 0600"
        raise ConfigError(f"{path}: {key}: holds a password: take it out and put it into {where}")


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
    sections = {name: _with_paths(getattr(config, name), keys, folder) for name, keys in _PATHS.items()}
    return msgspec.structs.replace(config, data=str(folder / config.data), **sections)


_FILES = ("tls_certificate", "tls_key", "tls_ca")
_PATHS: Mapping[str, Sequence[str]] = {  # keys that are paths; a target may be another machine's
    "http": _FILES,
    "mqtt": (*_FILES, "password_file"),
    "evaluation": ("packs", "rules"),
    "speedtest": _FILES[:2],
    "notify": ("urls_file",),
    "secrets": ("master_key_file",),
    "oidc": ("client_secret_file", "ca_file"),
    "sites": ("ca_file",),
    "store": ("token_file", "ca_file"),
    "backup": ("target", "passphrase_file", "ssh_key", "known_hosts"),
}


def _with_paths(section: msgspec.Struct, keys: Sequence[str], folder: Path) -> msgspec.Struct:
    given = {key: getattr(section, key) for key in keys}
    absolute = {k: str(folder / path) for k, path in given.items() if path and not path.startswith("sftp:")}
    return msgspec.structs.replace(section, **absolute)
