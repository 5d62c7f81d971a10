"""`line`: which device tests a school's line to the Internet."""

import argparse
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(commands, "line", "which device tests a school's line to the Internet")
    new = command.add(actions, "choose", _choose, "let one device of a school test its line")
    new.add_argument("school", metavar="CODE", help="code of the school")
    new.add_argument("device", metavar="DEVICE", help="the device's id, the beginning of it, or its label")
    new = command.add(actions, "clear", _clear, "let no device of a school test its line")
    new.add_argument("school", metavar="CODE", help="code of the school")
    command.add(actions, "list", _list, "every school: code, the speed of its contract, and who tests")


def _choose(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.commands import line_testers

    called = line_testers.choose(command.database(arguments), arguments.school, arguments.device)
    command.say(f"{called} tests the line of {arguments.school}; it hears of it with its next connection")
    if not command.config(arguments).bandwidth.url:
        command.say(
            "but no test is made until [bandwidth] url in server.toml says where: see docs/operating.md"
        )
    return 0


def _clear(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.commands import line_testers

    was = line_testers.clear(command.database(arguments), arguments.school)
    command.say(f"{'now' if was else 'already'} nobody tests the line of {arguments.school}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.commands import line_testers

    command.say(line_testers.listing(command.database(arguments)))
    return 0
