"""`import-bundle`: takes in what agents without a line wrote onto a stick."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


def add_to(commands: "Subparsers") -> None:
    """Adds the word to the command line."""
    word = command.add(commands, "import-bundle", _import, "take in what agents wrote onto a stick")
    word.add_argument("file", type=Path, nargs="+", metavar="FILE", help="what `agent bundle` wrote")
    word.add_argument("--lang", choices=("vi", "en"), help="language of the messages (from LANG)")


def _import(arguments: argparse.Namespace) -> int:
    """Every file is tried; the exit code is 2 when one was refused."""
    from schoolwatch_server import carried, texts

    config = command.config(arguments)
    voice = texts.Voice(texts.load(), arguments.lang or command.language(), "bundle")
    engine = command.database(arguments)
    told = [carried.import_file(engine, config, file, voice) for file in arguments.file]
    for one in told:
        if one.is_refused:
            command.complain(one.text)
        else:
            command.say(one.text)
    return command.FAILED if any(one.is_refused for one in told) else 0
