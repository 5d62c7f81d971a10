"""What must be right before anything starts: the data folder, nobody else on it, free ports, a broker."""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from schoolwatch_server.address import Address, reachable
from schoolwatch_server.backup.restore import UNFINISHED
from schoolwatch_server.broker import mosquitto
from schoolwatch_server.broker.passwords import new_password
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.files import private_folder, write_atomically

Say = Callable[..., str]
"""Gives a text of texts/up.toml in the person's language."""

FOLDERS = ("secrets", "broker", "agent", "run", "log")
_MARKS = ("schoolwatch.db", "server.toml")
_OURS = frozenset({*FOLDERS, "audit", "ca", "tls", "packs", "rules", "lifecycle", "lost+found"})
"""What a data folder may hold before there is a database: our own, and what a fresh disk has."""

_PATIENCE = 2.0


class UpError(Exception):
    """`up` can't start; the text is one line that says what to do."""


def check_folder(data: Path, say: Say) -> None:
    """Refuses a folder full of something else; one that is not there or empty is fine. Changes nothing."""
    try:
        names = {path.name for path in data.iterdir()} if data.is_dir() else set()
    except OSError as error:
        raise UpError(say("up.error.folder", data=data, why=error.strerror or error)) from error
    if UNFINISHED in names:
        raise UpError(say("up.error.restoring", data=data))
    if names.isdisjoint(_MARKS) and not names <= _OURS:
        raise UpError(say("up.error.foreign", data=data, example=min(names - _OURS)[:40]))


def folder(data: Path, say: Say) -> None:
    """Makes the data folder and what is in it, for its owner only; what was there stays as it is."""
    try:
        if not data.exists():
            private_folder(data)
        for name in FOLDERS:
            private_folder(data / name)
        probe = data / "run" / ".writable"
        write_atomically(probe, "")
        probe.unlink()
    except OSError as error:
        raise UpError(say("up.error.folder", data=data, why=error.strerror or error)) from error


def lock(data: Path, say: Say) -> IO[str]:
    """Holds the data folder until this process ends, however it ends (flock(2))."""
    try:
        file = (data / "run" / "up.lock").open("a+", encoding="ascii")
    except OSError as error:
        raise UpError(say("up.error.folder", data=data, why=error.strerror or error)) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        pid = file.read(20).strip() or "?"
        file.close()
        raise UpError(say("up.error.running", data=data, pid=pid)) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def ports(config: ServerConfig, say: Say) -> None:
    """Sees that the ports can be listened on; gives the parts of a killed `up` a moment to be gone."""
    http, mqtt = (Address(part.host, part.port) for part in (config.http, config.mqtt))
    if http == mqtt:
        raise UpError(say("up.error.same_port", address=http))
    wanted = [(http, "--http"), (mqtt, "--mqtt")]
    if config.speedtest.enabled:
        own = Address(config.speedtest.host, config.speedtest.port)
        if own in (http, mqtt):
            raise UpError(say("up.error.speedtest_port", address=own))
        wanted.append((own, "speedtest.host, speedtest.port"))
    deadline = time.monotonic() + _PATIENCE
    for address, option in wanted:
        while (trouble := _trouble(address)) is not None:
            if trouble.errno != errno.EADDRINUSE:
                why = trouble.strerror or str(trouble)
                raise UpError(say("up.error.address", address=address, option=option, why=why))
            if time.monotonic() > deadline:
                key = "up.error.port" if option.startswith("--") else "up.error.speedtest_port"
                raise UpError(say(key, address=address, option=option))
            time.sleep(0.1)


def _trouble(address: Address) -> OSError | None:
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, where in found:
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                trial.bind(where)
                trial.listen(1)
    except OSError as error:
        return error
    return None


def broker(config: ServerConfig, say: Say) -> Path | None:
    """The mosquitto program to use; None is amqtt. Raises `UpError` when mosquitto was asked for in vain."""
    if config.broker.kind == "amqtt":
        return None
    program = mosquitto.find(config.broker.program)
    if program is None and config.broker.kind == "mosquitto":
        raise UpError(say("up.error.mosquitto"))
    return program


def with_socket(config: ServerConfig, program: Path | None) -> ServerConfig:
    """Mosquitto's own door for the server's parts, so that no device shares one with them; amqtt has none."""
    socket = "" if program is None else mosquitto.socket_in(config.folder / "broker")
    return msgspec.structs.replace(config, mqtt=msgspec.structs.replace(config.mqtt, socket=socket))


def server_password(config: ServerConfig) -> str:
    """The password of the server's own broker account: made once, kept in a file of mode 0600."""
    path = config.mqtt_password_path
    if not path.exists():
        write_atomically(path, new_password() + "\n")
    return path.read_text(encoding="utf-8").strip()


def answers(address: Address) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((reachable(address.host), address.port), timeout=1):
            return True
    except OSError:
        return False
