"""`rules`: which rules are in force, and whether a file would be taken as one."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(commands, "rules", "what opens an incident: which rules hold, and what waits")
    command.add(actions, "list", _list, "print the rules in force, where each is from, and what waits")
    check = command.add(
        actions, "check", _check, "say whether a file would be taken as a rule; nothing is saved"
    )
    check.add_argument("file", type=Path, metavar="FILE", help="a rule's YAML")


def _list(arguments: argparse.Namespace) -> int:
    import time

    from schoolwatch_server import rule_versions
    from schoolwatch_server.rule_versions import iso
    from schoolwatch_server.sheets import folder_of_rules

    now = time.time()
    there = rule_versions.known(command.database(arguments), folder_of_rules(command.config(arguments)))
    book = there.book
    for held in book.held(now):
        where = str(held.path) if held.origin == "file" else held.origin
        since = f" since {iso(held.since)}" if held.since else ""
        switch = "on" if held.rule.enabled else "off"
        command.say(f"{held.rule.name}\t{switch}\t{held.rule.severity}\t{where}{since}\t{held.rule.title.vi}")
    for one in there.stored:
        if one.valid_from > now and not one.is_back:
            command.say(f"{one.name}@{one.version}\twaits for {iso(one.valid_from)}")
    for fault in book.faults:
        command.note(fault)
    return command.FAILED if book.faults else 0


def _check(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import strict_yaml
    from schoolwatch_server.rules.load import read

    held = read(strict_yaml.content(arguments.file), arguments.file, "file")
    command.say(f"{arguments.file}: is right: {held.rule.name}")
    return 0
