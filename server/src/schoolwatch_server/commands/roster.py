"""`school import`, `room import`, `lists import`: files looked through and imported; and templates."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.rosters import Name
    from schoolwatch_server.texts import Voice

SHOWN = 200
"""Lines of changes, and of problems, that a preview prints."""

OWN_WORDS = ("school", "room")
"""Lists that have a word of the command line of their own."""


def add_to(actions: "Subparsers", name: "Name", what: str) -> None:
    """Adds both actions to the word of a kind of list; `what` it lists, in English."""
    new = command.add(
        actions,
        "import",
        _import,
        f"look through a list of {what} (XLSX, CSV), and import it whole or not at all",
    )
    new.add_argument("file", type=Path, metavar="FILE", help=f"as `{name} template` writes one")
    new.add_argument("--apply", action="store_true", help="import it; without this it is only looked through")
    new.add_argument("--lang", choices=("vi", "en"), help="language of the messages (from LANG)")
    new.set_defaults(roster=name)
    new = command.add(actions, "template", _template, f"write an empty list of {what} to fill in (XLSX)")
    new.add_argument("file", type=Path, metavar="FILE", help="the file to write")
    new.set_defaults(roster=name)


def add_any(actions: "Subparsers", names: "Sequence[Name]") -> None:
    """Adds both actions for several kinds of lists, each named by a word after the action."""
    new = command.add(
        actions, "import", _import, "look through a list (XLSX, CSV), and import it whole or not at all"
    )
    new.add_argument("roster", choices=names, metavar="KIND", help=f"what it lists: {', '.join(names)}")
    new.add_argument("file", type=Path, metavar="FILE", help="as `lists template` writes one")
    new.add_argument("--apply", action="store_true", help="import it; without this it is only looked through")
    new.add_argument("--lang", choices=("vi", "en"), help="language of the messages (from LANG)")
    new = command.add(actions, "template", _template, "write an empty list to fill in (XLSX)")
    new.add_argument("roster", choices=names, metavar="KIND", help="what it lists")
    new.add_argument("file", type=Path, metavar="FILE", help="the file to write")


def _import(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import roster_words, rosters, texts
    from schoolwatch_server.scope import EVERYTHING
    from schoolwatch_server.workbooks.grid import GridError

    voice = texts.Voice(texts.load(), arguments.lang or command.language(), "workbook")
    try:
        data = arguments.file.read_bytes()
    except OSError as error:
        raise command.Refused(f"{arguments.file}: {error.strerror}") from error
    engine, now = command.database(arguments), time.time()
    try:
        if arguments.apply:
            found = rosters.take_in(engine, arguments.roster, data, EVERYTHING, by="command line", now=now)
        else:
            found = rosters.look(engine, arguments.roster, data, EVERYTHING, now)
    except GridError as error:
        raise command.Refused(f"{arguments.file}: {roster_words.error(error, voice)}") from error
    for line in roster_words.head(found, arguments.file.name, voice):
        command.say(line)
    problems = found.plan.problems
    if problems:
        _some([roster_words.problem(one, voice) for one in problems], voice)
        command.complain(voice("refused", count=len(problems)))
        return command.FAILED
    fields = rosters.ROSTERS[arguments.roster].fields
    _some([roster_words.change(one, fields, voice) for one in found.plan.changes], voice)
    command.say(roster_words.counts(found, voice, done=arguments.apply))
    if not arguments.apply:
        command.say(voice("to_apply"))
    return 0


def _some(lines: list[str], voice: "Voice") -> None:
    for line in lines[:SHOWN]:
        command.say(f"  {line}")
    if len(lines) > SHOWN:
        command.say("  " + voice("more", count=len(lines) - SHOWN))


def _template(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.rosters import ROSTERS
    from schoolwatch_server.workbooks import template

    try:
        with arguments.file.open("xb") as file:
            file.write(template.write(ROSTERS[arguments.roster].fields))
    except OSError as error:
        raise command.Refused(f"{arguments.file}: {error.strerror}") from error
    kind = arguments.roster
    word = f"{kind} import" if kind in OWN_WORDS else f"lists import {kind}"
    command.say(f"{arguments.file}: fill it in, and look through it with `{word} {arguments.file}`")
    return 0
