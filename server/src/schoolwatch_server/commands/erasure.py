"""`delete-device` and `delete-school`: deletes all data of one, for good, with a record of it."""

import argparse
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers

BY = "command line"


def add_to(commands: "Subparsers") -> None:
    """Adds both words to the command line."""
    for name, run, what, of in (
        ("delete-device", _device, "DEVICE", "id of the device"),
        ("delete-school", _school, "CODE", "code of the school"),
    ):
        help_ = f"delete all data of a {name.partition('-')[2]} for good; one line of the audit log remains"
        new = command.add(commands, name, run, help_)
        new.add_argument("which", metavar=what, help=of)
        new.add_argument("--reason", required=True, metavar="TEXT", help="why; it stays in the audit log")
        new.add_argument("--confirm", required=True, metavar=what, help="the same again: it is for good")


def _device(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import erasure

    config = command.config(arguments)
    gone = erasure.delete_device(
        command.database(arguments),
        config.folder,
        _confirmed(arguments),
        arguments.reason,
        erasure.broker(config),
        by=BY,
    )
    return _say(gone)


def _school(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import erasure

    config = command.config(arguments)
    gone = erasure.delete_school(
        command.database(arguments),
        config.folder,
        _confirmed(arguments),
        arguments.reason,
        erasure.broker(config),
        by=BY,
    )
    return _say(gone)


def _confirmed(arguments: argparse.Namespace) -> str:
    if arguments.confirm != arguments.which:
        raise command.Refused(f"--confirm says {arguments.confirm[:40]!r} and not {arguments.which[:40]!r}")
    return str(arguments.which)


def _say(gone: "dict[str, int]") -> int:
    told = ", ".join(f"{table} {count}" for table, count in sorted(gone.items())) or "nothing was there"
    command.say(
        f"deleted rows: {told}. Backups from before hold them until they have had their time;"
        " whoever restores one has them deleted again"
    )
    return 0
