"""`school`: puts a school into the registry, with its commune and province, and lists those there are."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command
from schoolwatch_server.levels import LEVELS

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.roster_words import Voice

SHOWN = 200
"""Lines of changes, and of problems, that a preview prints."""


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(commands, "school", "the schools of the registry")
    new = command.add(actions, "add", _add, "add a school; its commune and province too when they are new")
    new.add_argument("code", metavar="CODE", help="code of the school: letters, digits, . _ -, at most 20")
    new.add_argument("name", metavar="NAME", help="its name, as people know it")
    new.add_argument(
        "--level", choices=LEVELS, default="", help="what it teaches; leave out when it is not known"
    )
    new.add_argument("--commune", required=True, metavar="CODE", help="code of its commune")
    new.add_argument("--commune-name", default="", metavar="NAME", help="name of a commune that is new")
    new.add_argument("--province", default="", metavar="CODE", help="code of a new commune's province")
    new.add_argument("--province-name", default="", metavar="NAME", help="name of a province that is new")
    new = command.add(
        actions, "merge", _merge, "make the devices of one school another's; nothing enrols anew"
    )
    new.add_argument("gone", metavar="GONE", help="code of the school that is no more; its code ends")
    new.add_argument("into", metavar="INTO", help="code of the school that it is part of now")
    new = command.add(
        actions,
        "import",
        _import,
        "look through a list of schools (XLSX, CSV), and import it whole or not at all",
    )
    new.add_argument("file", type=Path, metavar="FILE", help="as `school template` writes one")
    new.add_argument("--apply", action="store_true", help="import it; without this it is only looked through")
    new.add_argument("--lang", choices=("vi", "en"), help="language of the messages (from LANG)")
    new = command.add(actions, "template", _template, "write an empty list of schools to fill in (XLSX)")
    new.add_argument("file", type=Path, metavar="FILE", help="the file to write")
    command.add(actions, "list", _list, "every school: code, level, name, commune and province")


def _add(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import schools

    commune = schools.Named(arguments.commune, arguments.commune_name)
    province = schools.Named(arguments.province, arguments.province_name)
    school = schools.Named(arguments.code, arguments.name)
    schools.add(command.database(arguments), school, arguments.level, commune, province)
    command.say(f"{arguments.code} is there; make an enrolment token on its page of the console")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import schools

    command.say(schools.listing(command.database(arguments)))
    return 0


def _merge(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import fleet

    engine = command.database(arguments)
    moved = fleet.merge(engine, arguments.gone, arguments.into, by="command line", now=time.time())
    command.say(f"{moved} devices of {arguments.gone} are of {arguments.into} now; no credential changed")
    command.say(
        f"look at what {arguments.into} declares: what both had declared was added up, the rest was not"
    )
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import roster_words, rosters, texts
    from schoolwatch_server.scope import EVERYTHING
    from schoolwatch_server.workbooks.grid import GridError

    voice = roster_words.Voice(texts.load(), arguments.lang or command.language())
    try:
        data = arguments.file.read_bytes()
    except OSError as error:
        raise command.Refused(f"{arguments.file}: {error.strerror}") from error
    engine, now = command.database(arguments), time.time()
    try:
        if arguments.apply:
            found = rosters.take_in(engine, data, EVERYTHING, by="command line", now=now)
        else:
            found = rosters.look(engine, data, EVERYTHING, now)
    except GridError as error:
        raise command.Refused(f"{arguments.file}: {roster_words.error(error, voice)}") from error
    for line in roster_words.head(found, arguments.file.name, voice):
        command.say(line)
    problems = found.plan.problems
    if problems:
        _some([roster_words.problem(one, voice) for one in problems], voice)
        command.complain(voice("refused", count=len(problems)))
        return command.FAILED
    _some([roster_words.change(one, voice) for one in found.plan.changes], voice)
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
    from schoolwatch_server.workbooks import template

    try:
        with arguments.file.open("xb") as file:
            file.write(template.write())
    except OSError as error:
        raise command.Refused(f"{arguments.file}: {error.strerror}") from error
    command.say(f"{arguments.file}: fill it in, and look through it with `school import {arguments.file}`")
    return 0
