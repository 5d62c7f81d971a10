"""Mosquitto's settings and its command line.

Every option is valid in 2.0.11 (Debian 12) and in 2.1, where `password_file` and `acl_file` are marked as
to be replaced by plugins with the same files; options are explained in mosquitto.conf(5).
`per_listener_settings` is not used: 2.1 gives it up, and 2.0.11 then ends sessions of clients that are away.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schoolwatch_server.broker.limits import (
    CONNECTION_BYTES,
    CONNECTIONS_MAX,
    INFLIGHT_MAX,
    PACKET_MAX,
    QOS_MAX,
)
from schoolwatch_server.files import write_atomically

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"  # Debian keeps daemons where a user's PATH doesn't look
_SOCKET_MAX = 100
"""Bytes of a socket's path: the kernel takes 107 (unix(7))."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where devices connect; `certificate` and `key` are PEM files, "" is plain."""

    host: str
    port: int
    certificate: str = ""
    key: str = ""
    websockets: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """A mosquitto of ours: its folder, who may connect where, and what waits at most for one client (bytes).

    The server's own parts come by `socket`, a file that only its owner and group can open. With it, a
    device's client id is its user name, so that nobody can take over another's session; without it ("")
    the parts come by a listener too, where each needs an id of its own.
    What it remembers is in `state`: its own folder, and only with another one may it be another user than we.
    """

    folder: Path
    listeners: Sequence[Listener]
    queued_bytes: int
    socket: str = ""
    state: Path | None = None
    connections: int = CONNECTIONS_MAX


def find(program: str = "") -> Path | None:
    """The mosquitto program of this machine, or None."""
    found = shutil.which(program or "mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")
    return Path(found) if found else None


def socket_in(folder: Path) -> str:
    """Where the server's own parts reach mosquitto; "" when the folder's path is too long for a socket.

    Also with a space in it: mosquitto ends a socket's path there, and would listen somewhere else.
    """
    path = str(folder / "socket")
    return path if len(os.fsencode(path)) <= _SOCKET_MAX and " " not in path else ""


def settings(setup: Setup) -> str:
    """The text of mosquitto.conf. Raises ValueError for a path that can't stand in it."""
    folder = setup.folder
    # started by us as root, mosquitto would become another user and lose sight of our folder
    lines = ["user root"] if os.getuid() == 0 and setup.state is None else []
    for listener in setup.listeners:
        lines += _listener(listener, setup)
    if " " in setup.socket:
        raise ValueError(f"{setup.socket}: a space in the path of mosquitto's socket: name another one")
    if setup.socket:
        lines += [f"listener 0 {_path(setup.socket)}", f"max_qos {QOS_MAX}"]
    lines += [
        "allow_anonymous false",
        f"password_file {_path(folder / 'passwords')}",
        f"acl_file {_path(folder / 'acl')}",
        "persistence true",
        f"persistence_location {_path(setup.state or folder)}/",
        "autosave_interval 10",
        "persistent_client_expiration 14d",
        "max_queued_messages 0",
        f"max_queued_bytes {setup.queued_bytes}",
        # what is sent with QoS 0 waits outside of that bound: one device filled the machine's memory with it
        f"memory_limit {setup.queued_bytes + setup.connections * CONNECTION_BYTES}",
        f"max_inflight_messages {INFLIGHT_MAX}",
        f"max_packet_size {PACKET_MAX}",
        "set_tcp_nodelay true",
        "sys_interval 0",
        "connection_messages false",  # a tick connects each 5 minutes: 500 devices would fill the log
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
    ]
    return "\n".join(lines) + "\n"


def _listener(listener: Listener, setup: Setup) -> list[str]:
    lines = [f"listener {listener.port} {listener.host}"]
    if listener.websockets:
        if not listener.certificate:  # 2.0.11 lets a WebSocket listener listen on every address, whatever
            raise ValueError("a WebSocket listener of mosquitto needs a certificate")  # its line says
        lines.append("protocol websockets")
    if listener.certificate:
        lines += [
            f"certfile {_path(listener.certificate)}",
            f"keyfile {_path(listener.key or listener.certificate)}",
            "tls_version tlsv1.2",  # and newer
            "ciphers ECDHE+AESGCM:ECDHE+CHACHA20",
        ]
    lines += [f"max_connections {setup.connections}", f"max_qos {QOS_MAX}"]
    if setup.socket:
        lines.append("use_username_as_clientid true")
    return lines


def _path(path: Path | str) -> str:
    if any(c in str(path) for c in "\r\n"):
        raise ValueError(f"{path}: a line break in a path: rename it")
    return str(path)


def write(setup: Setup, mode: int = 0o600) -> Path:
    """Writes mosquitto.conf, and gives its path; password and access file are for `Accounts` to keep."""
    path = setup.folder / "mosquitto.conf"
    write_atomically(path, settings(setup), mode)
    return path


def command(program: Path, config: Path) -> tuple[str, ...]:
    """The command that runs it in the foreground; SIGHUP makes it read passwords, access and certificates
    again, and ends the connections of those who may no longer log in."""
    return (str(program), "-c", str(config))
