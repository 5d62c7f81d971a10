"""`school`: puts a school into the registry, with its commune and province, and lists those there are."""

import argparse
import time
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command, roster
from schoolwatch_server.levels import LEVELS

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


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
        actions, "split", _split, "make some rooms of a school a school of their own; nothing enrols anew"
    )
    new.add_argument("code", metavar="CODE", help="code of the school that is split; it keeps its history")
    new.add_argument("new", metavar="NEW", help="code of the new school")
    new.add_argument("name", metavar="NAME", help="name of the new school")
    new.add_argument(
        "--room",
        action="append",
        required=True,
        metavar="ROOM",
        help="a room that is the new school's; repeat it",
    )
    new.add_argument("--level", choices=LEVELS, default="", help="what the new school teaches")
    roster.add_to(actions, "school", "schools")
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


def _split(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import fleet
    from schoolwatch_server.schools import Named

    new = Named(arguments.new, arguments.name)
    moved = fleet.split(
        command.database(arguments),
        arguments.code,
        new,
        arguments.level,
        arguments.room,
        by="command line",
        now=time.time(),
    )
    command.say(f"{moved} devices of {arguments.code} are of {arguments.new} now; no credential changed")
    command.say(f"look at what {arguments.code} declares: it still counts both, and {arguments.new} nothing")
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
