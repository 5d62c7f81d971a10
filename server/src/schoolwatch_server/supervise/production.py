"""A mosquitto that systemd runs: its files in a folder of their own, kept as registry and settings say."""

import logging
import os
import shutil
import sys
import threading
import time
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Engine

from schoolwatch_server import transport
from schoolwatch_server.broker import mosquitto
from schoolwatch_server.broker.limits import FILES
from schoolwatch_server.broker.passwords import hash_password
from schoolwatch_server.config import ConfigError, ServerConfig
from schoolwatch_server.files import write_atomically
from schoolwatch_server.intake.mqtt import Login
from schoolwatch_server.supervise import accounts, seat
from schoolwatch_server.supervise.accounts import Accounts
from schoolwatch_server.supervise.certificates import Certificates
from schoolwatch_server.supervise.prepare import server_password

log = logging.getLogger(__name__)

STATE = Path("/var/lib/schoolwatch-broker")
SOCKET = "/run/schoolwatch-broker/socket"
MODE = 0o640
"""Of the files: the broker, another user, reads them by its group."""

FIRST = "first.db"
_LOOK = 0.2
_PEM = "server.pem"


class Production:
    """The folder of one mosquitto; whoever may write to it decides who may log in."""

    def __init__(self, config: ServerConfig, engine: Engine, folder: Path, group: int | None) -> None:
        self._config = config
        self._folder = folder
        self._group = group
        self._certificates = Certificates(config)
        own = {config.mqtt.user: hash_password(server_password(config))}
        self._accounts = Accounts(engine, folder, own, config.mqtt.user, mode=MODE)

    def write(self, state: Path = STATE) -> None:
        """All that mosquitto reads. Raises `ConfigError`, `AuthorityError`, OSError, SQLAlchemyError."""
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        if self._group is not None:
            os.chown(self._folder, -1, self._group)
        self._folder.chmod(0o2750)  # what is written here later belongs to the group too
        before = self._held()
        self._certificates.start()
        self._accounts.write()
        mosquitto.write(self._setup(state), MODE)
        if self._held() != before:  # what is told in vain costs reports while intake is not back yet: `seat`
            self._reload()
        self._write_first_memory()

    def _held(self) -> dict[str, bytes]:
        """What mosquitto reads again when it is told to."""
        files = (self._folder / name for name in (*accounts.FILES, _PEM))
        return {file.name: file.read_bytes() for file in files if file.is_file()}

    def _write_first_memory(self) -> None:
        """What a mosquitto without a memory starts with: its unit copies it. It is none of ours to write."""
        program = mosquitto.find(self._config.broker.program)
        if program is None:
            return
        memory = seat.first_memory(program, Login.of(self._config), self._config.broker.queued_bytes)
        if memory is not None:
            write_atomically(self._folder / FIRST, memory, MODE)

    def keep(self, stop: threading.Event) -> None:
        """Follows the registry and the certificate until told to stop."""
        while not stop.wait(_LOOK):
            now = time.monotonic()
            self._accounts.refresh(now, self._reload)
            self._certificates.look(now, self._renew)

    def _renew(self) -> None:
        try:
            self._copy_certificate()
        except OSError as error:
            log.warning("the broker keeps its old certificate: %s", error)
            return
        self._reload()

    def _reload(self) -> None:
        """systemd watches this file, and lets mosquitto read all again: that needs no right of ours."""
        write_atomically(self._folder / "reload", f"{time.time()}\n", MODE)

    def _setup(self, state: Path) -> mosquitto.Setup:
        at, certificate = self._config.mqtt, self._copy_certificate()
        devices = mosquitto.Listener(at.host, at.port, certificate)
        return mosquitto.Setup(
            self._folder, (devices,), self._config.broker.queued_bytes, at.socket, state=state
        )

    def _copy_certificate(self) -> str:
        """Chain and key in one file that the broker may read: replaced in one step, so that they fit."""
        tls = transport.mqtt(self._config)
        if tls is None:
            return ""
        parts = [path.read_text(encoding="ascii") for path in dict.fromkeys((tls.certificate, tls.key))]
        write_atomically(self._folder / _PEM, "\n".join(part.strip() for part in parts) + "\n", MODE)
        return str(self._folder / _PEM)


def check(config: ServerConfig) -> None:
    """Raises `ConfigError` for settings with which the parts and the devices would share a listener."""
    if not config.mqtt.socket:
        raise ConfigError(
            f'mqtt.socket: name where the server\'s own parts reach the broker: socket = "{SOCKET}"'
        )
    if " " in config.mqtt.socket:
        raise ConfigError("mqtt.socket: mosquitto takes no path with a space: name one without")


def system_files(config: ServerConfig, settings: Path, folder: Path, group: str, user: str) -> dict[str, str]:
    """Name → text of what systemd and nftables are told; `settings` is the file of `config`."""
    program = mosquitto.find(config.broker.program)
    own = shutil.which("schoolwatch-server", path=str(Path(sys.executable).parent))
    values = {
        "PROGRAM": str(program or "/usr/sbin/mosquitto"),
        "SELF": own or f"{sys.executable} -m schoolwatch_server",
        "CONFIG": str(settings.absolute()),
        "DATA": str(config.folder),
        "FOLDER": str(folder.absolute()),
        "STATE": str(STATE),
        "GROUP": group,
        "USER": user,
        "FILES": str(FILES),
        "PORT": str(config.mqtt.port),
    }
    texts = {}
    for file in files("schoolwatch_server.broker").joinpath("system").iterdir():
        text = file.read_text(encoding="utf-8")
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        texts[file.name] = text
    return texts
