"""`quarantine`: frames that could not be taken in: list them, look at one, try again."""

import argparse
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers

_ID = command.whole(1, 2**63 - 1)
LIST_MAX, REPLAY_MAX = 10_000, 1000
"""Rows of one list, and ids of one call: the quarantine itself keeps no more than the first by default."""


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(commands, "quarantine", "frames that could not be taken in")
    rows = command.add(actions, "list", _list, "the newest ones and why")
    rows.add_argument("--limit", type=command.whole(1, LIST_MAX), default=50, help="how many (50)")
    one = command.add(actions, "show", _show, "one of them, byte for byte")
    one.add_argument("id", type=_ID)
    again = command.add(actions, "replay", _replay, "try again, after a fix")
    again.add_argument("id", type=_ID, nargs="*", help="which (all that haven't been replayed)")


def _list(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.commands import quarantined

    command.say(quarantined.listing(command.database(arguments), arguments.limit))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.commands import quarantined

    text = quarantined.one(command.database(arguments), arguments.id)
    if text is None:
        raise command.Refused(f"nothing in quarantine has the number {arguments.id}: see `quarantine list`")
    command.say(text)
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.commands import quarantined

    if len(arguments.id) > REPLAY_MAX:
        raise command.Refused(f"at most {REPLAY_MAX} numbers at once; none at all means every one")
    period = command.config(arguments).evaluation.delivery_period
    done = quarantined.again(command.database(arguments), arguments.id, period)
    if done.tried or not done.impossible:
        command.say(done.text)
    for line in done.impossible:
        command.complain(line)
    return command.FAILED if done.impossible and not done.taken else 0
