"""Mosquitto as a child: its settings, password and access files in the data folder, and its command line.

Written for Debian 12's 2.0.11 and later; options are explained in mosquitto.conf(5).
"""

import os
import shutil
from pathlib import Path

from schoolwatch_server.broker.access import acl
from schoolwatch_server.broker.limits import PACKET_MAX
from schoolwatch_server.files import write_atomically

_INFLIGHT = 200
Files = tuple[Path, Path]
"""Certificate chain and key (PEM) of a TLS listener, read again at SIGHUP."""

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"  # Debian keeps daemons where a user's PATH doesn't look


def find(program: str = "") -> Path | None:
    """The mosquitto program of this machine, or None."""
    found = shutil.which(program or "mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")
    return Path(found) if found else None


def settings(folder: Path, host: str, port: int, queued_bytes: int, tls: Files | None = None) -> str:
    """The text of mosquitto.conf. Raises ValueError for a path that can't stand in it."""
    for path in (folder, *(tls or ())):
        if any(c in str(path) for c in "\r\n"):
            raise ValueError(f"{path}: a line break in a path: rename it")
    # as root, mosquitto would become another user and lose sight of our folder
    root = ["user root"] if os.getuid() == 0 else []
    lines = [
        *root,
        f"listener {port} {host}",
        *(
            ()
            if tls is None
            else (f"certfile {tls[0]}", f"keyfile {tls[1]}", "ciphers ECDHE+AESGCM:ECDHE+CHACHA20")
        ),
        "allow_anonymous false",
        f"password_file {folder / 'passwords'}",
        f"acl_file {folder / 'acl'}",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 10",
        "persistent_client_expiration 14d",
        "max_queued_messages 0",
        f"max_queued_bytes {queued_bytes}",
        f"max_inflight_messages {_INFLIGHT}",
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


def write(
    folder: Path, *, host: str, port: int, queued_bytes: int, server_user: str, tls: Files | None = None
) -> Path:
    """Writes mosquitto.conf and the access file; the password file is the supervisor's. Gives the former."""
    write_atomically(folder / "acl", acl(server_user))
    path = folder / "mosquitto.conf"
    write_atomically(path, settings(folder, host, port, queued_bytes, tls))
    return path


def command(program: Path, config: Path) -> tuple[str, ...]:
    """The command that runs it in the foreground; SIGHUP makes it read passwords and access again."""
    return (str(program), "-c", str(config))
