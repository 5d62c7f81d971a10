"""`broker-config`: the files of a mosquitto that systemd runs, written once or kept."""

import argparse
import grp
import logging
import os
import pwd
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers

_GROUP = "mosquitto"


def add_to(commands: "Subparsers") -> None:
    """Adds the command to the command line."""
    new = command.add(
        commands, "broker-config", _run, "write the files of a mosquitto that systemd runs, and keep them"
    )
    new.add_argument("--folder", type=Path, required=True, metavar="DIR", help="where mosquitto's files go")
    new.add_argument("--group", default=_GROUP, help=f"the group that mosquitto runs as ({_GROUP})")
    new.add_argument("--keep", action="store_true", help="stay, and follow the registry and the certificate")
    new.add_argument(
        "--system", type=Path, metavar="DIR", help="write what systemd and nftables need there, and end"
    )


def _run(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.supervise import production

    config = command.config(arguments)
    production.check(config)
    folder: Path = arguments.folder
    if arguments.system is not None:
        if arguments.config is None:
            raise command.Refused("--system needs --config: the service is started with that file")
        user = pwd.getpwuid(os.getuid()).pw_name
        texts = production.system_files(config, arguments.config, folder, arguments.group, user)
        arguments.system.mkdir(parents=True, exist_ok=True)
        for name, text in sorted(texts.items()):
            (arguments.system / name).write_text(text, encoding="utf-8")
            command.say(str(arguments.system / name))
        return 0
    try:
        kept = production.Production(config, command.database(arguments), folder, _id(arguments.group))
        kept.write()
    except PermissionError as error:
        raise command.Refused(
            f"{error.filename}: may not be written by this user, or given to that group"
        ) from error
    command.say(f"{folder / 'mosquitto.conf'}")
    if arguments.keep:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        logging.getLogger(__name__).info("keeping %s", folder)
        kept.keep(stop)
    return 0


def _id(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise command.Refused(
            f"{group[:40]!r}: no such group here: install mosquitto, or name another with --group"
        ) from error
