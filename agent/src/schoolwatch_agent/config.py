"""What the agent is told in its settings file: where its server is, how often to measure, what to keep."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from schoolwatch_agent.identity import AUTHORITY

Seconds = Annotated[float, msgspec.Meta(gt=0, le=366 * 86400)]
Interface = Annotated[str, msgspec.Meta(pattern=r"^[^\s/]{1,15}$")]
"""A link's name, as the kernel allows it (IFNAMSIZ, dev_valid_name)."""
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]

PROXY = r"^(none|http://[^\s@/]+/?)?$"

_PROGRAM_DATA = Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "SchoolWatch"

DATA = str(_PROGRAM_DATA / "agent") if sys.platform == "win32" else "/var/lib/schoolwatch-agent"
"""Where the agent keeps what must survive a restart, unless it is told otherwise."""

FILE = _PROGRAM_DATA / "agent.toml" if sys.platform == "win32" else Path("/etc/schoolwatch/agent.toml")
"""The settings file that is read when no other is named; without it every setting has its default."""


_ASK_LEAST = 60
"""Seconds: a link is not to be filled with questions."""


class ConfigError(ValueError):
    """A settings file that cannot be used: which file, which key (`schedule.measure`), and what to do.

    `text` is the key of its words in texts/problems.toml.
    """

    def __init__(self, file: str, key: str, text: str, **values: object) -> None:
        self.file, self.key, self._text, self._values = file, key, text, values
        said = text.removeprefix("setting_").replace("_", " ")
        super().__init__(self.told(lambda _, **known: f"{said} {known}" if known else said))

    def told(self, problems: Callable[..., str]) -> str:
        """File, key and problem in the language of the texts."""
        return ": ".join(filter(None, (self.file, self.key, problems(self._text, **self._values))))


class Agent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the agent keeps its credential and its spool, and the language it speaks (empty: from LANG).

    `thawed` is a folder that freezing software does not put back at a restart; it then takes `data`'s place.
    """

    data: Annotated[str, msgspec.Meta(min_length=1)] = DATA
    thawed: str = ""
    language: Annotated[str, msgspec.Meta(pattern="^(|vi|en)$")] = ""


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds between two cycles, and between two deliveries when nothing that matters changed."""

    measure: Annotated[float, msgspec.Meta(ge=1, le=86400)] = 300.0
    deliver: Annotated[float, msgspec.Meta(ge=1, le=86400)] = 900.0


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The server's addresses; what is empty or absent is as the enrolment said.

    `token_file` holds an enrolment token with which a computer without a credential enrols by itself.
    """

    url: str = ""
    token_file: str = ""
    mqtt_host: str = ""
    mqtt_port: Port | None = None
    tls: bool | None = None
    ca: str = ""
    proxy: Annotated[str, msgspec.Meta(pattern=PROXY)] = ""


class Spool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the outbox on disk: bytes, and seconds."""

    max_bytes: Annotated[int, msgspec.Meta(ge=1_000_000, le=10_000_000_000)] = 50_000_000
    max_age: Seconds = 30 * 86400.0
    keep_acked: Seconds = 7 * 86400.0


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds to wait: before sending again what the server has not acknowledged, and for its answers.

    Whether `run` stays connected, as a gateway does.
    """

    retry_first: Annotated[float, msgspec.Meta(ge=1, le=7 * 86400)] = 3600.0
    retry_max: Annotated[float, msgspec.Meta(ge=1, le=30 * 86400)] = 86400.0
    ack_wait: Annotated[float, msgspec.Meta(ge=0, le=2)] = 2.0
    connect_wait: Annotated[float, msgspec.Meta(ge=0.5, le=60)] = 10.0
    stay_connected: bool = False


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of one cycle with all that it starts: bytes of memory, seconds of processor, seconds."""

    memory_max: Annotated[int, msgspec.Meta(ge=64_000_000, le=16_000_000_000)] = 300_000_000
    processor_max: Annotated[float, msgspec.Meta(ge=5, le=86400)] = 120.0
    cycle_max: Annotated[float, msgspec.Meta(ge=10, le=86400)] = 600.0


class Passage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a gateway lets computers of its school pass to the server; nowhere is not at all.

    How many connections at once, in all and of one computer.
    """

    listen: tuple[Annotated[str, msgspec.Meta(max_length=60)], ...] = ()
    connections: Annotated[int, msgspec.Meta(ge=1, le=400)] = 200
    per_client: Annotated[int, msgspec.Meta(ge=1, le=400)] = 16


class Sensors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The links of a gateway that are watched for who poses as router, DHCP server or another device.

    `ask` are the seconds between two questions who gives addresses, 0 for none.
    `folder` is where the watch hands over what it heard; it stays on this machine.
    """

    interfaces: Annotated[tuple[Interface, ...], msgspec.Meta(max_length=8)] = ()
    ask: Annotated[float, msgspec.Meta(ge=0, le=86400)] = 0.0
    folder: Annotated[str, msgspec.Meta(pattern="^/")] = "/run/schoolwatch-sensors"


class Backup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that the school's own backup touches when it succeeds; empty is none."""

    marker: str = ""


class AgentConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of one agent."""

    agent: Agent = Agent()
    schedule: Schedule = Schedule()
    server: Server = Server()
    spool: Spool = Spool()
    delivery: Delivery = Delivery()
    limits: Limits = Limits()
    passage: Passage = Passage()
    sensors: Sensors = Sensors()
    backup: Backup = Backup()

    @property
    def data(self) -> Path:
        """The agent's own folder."""
        return Path(self.agent.thawed or self.agent.data)

    @property
    def ca(self) -> str:
        """The file of the server's authority: the settings', else what enrolment pinned, else "" (system)."""
        if self.server.ca:
            return self.server.ca
        pinned = self.data / AUTHORITY
        return str(pinned) if pinned.exists() else ""


def load(file: Path | None = None) -> AgentConfig:
    """The settings in `file`, or in the usual place, or the defaults. Raises `ConfigError`."""
    if file is None and not FILE.exists():
        return AgentConfig()
    path = file or FILE
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise ConfigError(str(path), "", "setting_unread", detail=error.strerror or error) from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "", "setting_not_utf8", byte=error.start) from error
    config = parse(text, str(path))
    return _absolute(config, path.absolute().parent)


def _absolute(config: AgentConfig, folder: Path) -> AgentConfig:
    """Relative paths count from the settings file's own folder."""
    replace = msgspec.structs.replace
    paths = {"data": config.agent.data, "thawed": config.agent.thawed}
    whole = {name: str(folder / path) for name, path in paths.items() if path}
    token = config.server.token_file and str(folder / config.server.token_file)
    return replace(
        config, agent=replace(config.agent, **whole), server=replace(config.server, token_file=token)
    )


def parse(text: str, file: str = "agent.toml") -> AgentConfig:
    """The settings in a TOML text. Raises `ConfigError` with the key's path."""
    import tomllib  # not needed where every setting has its default

    try:
        values = tomllib.loads(text.removeprefix("\ufeff"))  # Notepad writes a byte order mark
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, "", "setting_not_toml", detail=error) from error
    except RecursionError as error:
        raise ConfigError(file, "", "setting_too_deep") from error
    try:
        config = msgspec.convert(values, AgentConfig)
    except msgspec.ValidationError as error:
        raise _explain(file, str(error)) from error
    _check(config, file)
    return config


def sample() -> str:
    """The documented sample that is shipped with the agent; as it stands it says all the defaults."""
    return Path(__file__).with_name("agent.toml").read_text("utf-8")


def _check(config: AgentConfig, file: str) -> None:
    pairs = (
        ("schedule.deliver", config.schedule.deliver, "schedule.measure", config.schedule.measure),
        (
            "delivery.retry_max",
            config.delivery.retry_max,
            "delivery.retry_first",
            config.delivery.retry_first,
        ),
    )
    for key, value, other, least in pairs:
        if value < least:
            raise ConfigError(
                file, key, "setting_too_small", value=f"{value:g}", other=other, least=f"{least:g}"
            )
    if config.server.url and not re.fullmatch(r"https?://[^\s@]+", config.server.url):
        raise ConfigError(file, "server.url", "setting_bad_url")
    for place in config.passage.listen:
        if not _is_own_place(place):
            raise ConfigError(file, "passage.listen", "setting_bad_listen", value=place)
    if 0 < config.sensors.ask < _ASK_LEAST:
        raise ConfigError(file, "sensors.ask", "setting_wrong", detail=f"Expected 0, or >= {_ASK_LEAST}")
    if config.backup.marker and not Path(config.backup.marker).is_absolute():
        raise ConfigError(file, "backup.marker", "setting_not_absolute")


def _is_own_place(text: str) -> bool:
    """Whether it is one IP address and a port that needs no right: not a name, and not "every address"."""
    import ipaddress  # a gateway's alone

    from schoolwatch_agent.passage.head import address

    try:
        host, port = address(text)
        return port >= 1024 and not ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _explain(file: str, message: str) -> ConfigError:
    """msgspec says "problem - at `$.section.key`"; an unknown key is named before the path."""
    problem, _, where = message.partition(" - at `")
    path = where.rstrip("`").removeprefix("$").removeprefix(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", problem)
    if unknown is None:
        return ConfigError(file, path, "setting_wrong", detail=problem)
    key = f"{path}.{unknown[1]}" if path else unknown[1]
    return ConfigError(file, key, "setting_unheard_of")
