"""`room`: the rooms of schools, many at once from a list."""

from typing import TYPE_CHECKING

from schoolwatch_server.commands import command, roster

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(
        commands, "room", "the rooms of schools: a list of them, looked through and imported"
    )
    roster.add_to(actions, "room", "rooms")
