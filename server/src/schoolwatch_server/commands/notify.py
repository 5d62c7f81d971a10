"""`notify`: sends a test message to every channel that incidents are sent to."""

import argparse
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command
from schoolwatch_server.config import check_paths

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(commands, "notify", "the channels that incidents are sent to")
    test = command.add(actions, "test", _test, "send a test message to every channel, and say which took it")
    test.add_argument("--lang", choices=("vi", "en"), help="language of the message (from LANG)")


def _test(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import channels, notify
    from schoolwatch_server.database import channel_rows
    from schoolwatch_server.database.engine import DatabaseError, begin_read, open_database

    config = command.config(arguments)
    check_paths(config)
    file = config.notify.urls_file
    addresses = channels.read(Path(file) if file else None)
    with suppress(DatabaseError):  # before the first start there is none, and so no channel in it
        engine = open_database(config.database_url, config.master_key)
        with begin_read(engine) as conn:
            names = {row.key: row.name for row in channel_rows.listed(conn)}
            addresses |= {names[one.key]: one.address for one in channel_rows.opened(conn)}
        engine.dispose()
    if not addresses:
        where = f"{file} holds no address" if file else "no file of addresses is set as notify.urls_file"
        raise command.Refused(f"{where}, and the console has no channel: see docs/operating.md")
    language = arguments.lang or command.language()
    found = {name: notify.send_test(address, language) for name, address in addresses.items()}
    command.say("\n".join(f"{name}: {why or 'ok'}" for name, why in found.items()))
    return command.FAILED if any(found.values()) else 0
