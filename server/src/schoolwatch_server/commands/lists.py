"""`lists`: communes, and campuses, classes, contracts, assets, contacts, checks of schools, from a file."""

from typing import TYPE_CHECKING

from schoolwatch_server.commands import command, roster

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.rosters import Name

NAMES: "tuple[Name, ...]" = ("commune", "campus", "class", "contract", "asset", "contact", "check")


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(
        commands, "lists", "communes and what schools have, from lists: looked through and imported"
    )
    roster.add_any(actions, NAMES)
