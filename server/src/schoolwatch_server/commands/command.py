"""What every command has: its options, its settings and database, and its one-line refusals."""

import argparse
import fcntl
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from schoolwatch_server.config import PASSWORD_IN_URL, ServerConfig, load, of_data

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from schoolwatch_server.texts import Language

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  it has no public name

Run = Callable[[argparse.Namespace], int]
Do = Callable[[], int]
Say = Callable[..., str]

FAILED = 2
"""Exit code of everything that a person has to put right."""


class Refused(Exception):  # noqa: N818  it is an answer, not a fault
    """What was asked for can't be done; the text is the one line that says why and what to do."""


def add(commands: "Subparsers", name: str, run: Run, help_: str) -> argparse.ArgumentParser:
    """A command that works on one data folder."""
    parser = commands.add_parser(name, help=help_, description=help_[0].upper() + help_[1:] + ".")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--data", metavar="DIR", help="the data folder (./data)")
    where.add_argument(
        "--config", type=Path, metavar="FILE", help="a settings file, which names the data folder"
    )
    parser.set_defaults(run=run)
    return parser


def group(commands: "Subparsers", name: str, help_: str) -> "Subparsers":
    """A word with commands of its own below it."""
    return commands.add_parser(name, help=help_).add_subparsers(required=True, metavar="ACTION")


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from `low` to `high`."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or len(text) > 19 or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from {low} to {high}")
        return int(text)

    return read


def database_address(option: str, given: str) -> str:
    """A database's address that was typed, in SQLAlchemy's words. Raises `Refused` for a password in it."""
    if PASSWORD_IN_URL.search(given):
        raise Refused(
            f"{option}: holds a password, which everybody on this machine can read: take it out and put it"
            " into PGPASSFILE (.pgpass, mode 0600)"
        )
    return re.sub("^postgresql:", "postgresql+psycopg:", given)


def config(arguments: argparse.Namespace) -> ServerConfig:
    """The settings that the options name. Raises `ConfigError` or `Refused`."""
    if arguments.config is not None:
        return load(arguments.config)
    if arguments.data == "":  # an unset variable of a script, and not the current folder
        raise Refused("--data is empty: write the path of a folder, or leave the option out")
    folder = Path(arguments.data or "data")
    running = folder / "run" / "server.toml"
    return load(running) if _is_up(folder) and running.is_file() else of_data(folder)


def _is_up(folder: Path) -> bool:
    """Whether `up` holds the folder: then what it was started with counts, its options' ports included."""
    try:
        with (folder / "run" / "up.lock").open(encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # nobody ever ran here, or somebody else did
        return False
    return False


def database(arguments: argparse.Namespace) -> "Engine":
    """The database that the settings name. Raises `ConfigError` or `DatabaseError`."""
    from schoolwatch_server.database.engine import open_database

    settings = config(arguments)
    return open_database(settings.database_url, settings.master_key)


def language(environment: Mapping[str, str] = os.environ) -> "Language":
    """The language that LANG asks for; Vietnamese unless it is English."""
    value = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "en" if value.startswith("en") else "vi"


def say(text: str) -> None:
    """A command's answer, on standard output."""
    _write(sys.stdout, text)


def note(message: str) -> None:
    """One line on standard error beside an answer."""
    _write(sys.stderr, f"schoolwatch-server: {message}")


def complain(message: str) -> int:
    """One line on standard error; gives the exit code."""
    _write(sys.stderr, f"schoolwatch-server: {' '.join(message.split())}")
    return FAILED


def _write(stream: TextIO, text: str) -> None:
    """A terminal that lacks Vietnamese letters shows question marks in their place."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
