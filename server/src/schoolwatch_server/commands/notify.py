"""`notify`: sends a test message to every channel that incidents are sent to."""

import argparse
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
    from schoolwatch_server import notify

    config = command.config(arguments)
    check_paths(config)
    file = config.notify.urls_file
    found = notify.send_test(Path(file) if file else None, arguments.lang or command.language())
    if not found:
        where = f"{file} holds no address" if file else "no file of addresses is set as notify.urls_file"
        raise command.Refused(f"{where}: see docs/operating.md for how to write one")
    command.say("\n".join(f"{name}: {why or 'ok'}" for name, why in found.items()))
    return command.FAILED if any(found.values()) else 0
