"""`migrate` and `rollback`: the database to this program's version, and back to the one before."""

import argparse
import functools
from typing import TYPE_CHECKING

from schoolwatch_server.commands import backup, command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


def add_to(commands: "Subparsers") -> None:
    """Adds the words to the command line."""
    new = command.add(
        commands, "migrate", _migrate, "make the database, or bring it to this program's version"
    )
    new.add_argument(
        "--restored", action="store_true", help="it is an older copy: let agents send again what it lacks"
    )
    new.add_argument(
        "--no-copy", action="store_true", help="keep no copy of the older database: no way back but a backup"
    )
    new.add_argument(
        "--to",
        metavar="URL",
        help="move all of it from SQLite into an empty PostgreSQL database: postgresql://USER@HOST/NAME,"
        " or `postgresql` for the one that the settings name",
    )
    new.add_argument(
        "--from",
        dest="from_",
        metavar="FILE",
        help="with --to: sqlite:FILE, or `sqlite` for the data folder's own schoolwatch.db (the default)",
    )
    old = command.add(commands, "rollback", _rollback, "the database as it was before the last upgrade")
    old.add_argument("--database-url", default="", metavar="URL", help="PostgreSQL: an empty database for it")
    for parser in (new, old):
        parser.add_argument("--lang", choices=("vi", "en"), help="language of the messages (from LANG)")


def _migrate(arguments: argparse.Namespace) -> int:
    if arguments.to is not None or arguments.from_ is not None:
        from schoolwatch_server.commands import moving

        return moving.run(arguments)
    from schoolwatch_server import texts
    from schoolwatch_server.backup import again_words, since
    from schoolwatch_server.backup.upgrade import upgrade
    from schoolwatch_server.database import copies
    from schoolwatch_server.database.engine import check_url, open_database, renew_epoch
    from schoolwatch_server.files import private_folder
    from schoolwatch_server.supervise import prepare

    config = command.config(arguments)
    prepare.check_folder(config.folder, functools.partial(texts.load().get, command.language()))
    check_url(config.database_url)
    try:
        private_folder(config.folder)
    except OSError as error:
        raise command.Refused(
            f"{config.folder}: {error.strerror}: choose a folder you own with --data"
        ) from error

    def do() -> int:
        copy = upgrade(config, copy=not arguments.no_copy)
        if copy is not None:
            command.say(backup.voice(arguments)("backup.upgraded", copy=copy))
        engine = open_database(config.database_url, config.master_key)
        for line in again_words.lines(since.look(config, engine), backup.voice(arguments), config.folder):
            command.say(line)
        if arguments.restored:
            copies.end_sessions(engine)  # one that was ended since would be open again
            copies.doubt_messages(engine)
            epoch = renew_epoch(engine)
            command.say(f"a new epoch, {epoch}: agents send again what the database lacks")
        engine.dispose()
        command.say("the database is ready")
        return 0

    return backup.told(arguments, do)


def _rollback(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.backup import again_words, since, upgrade

    config = command.config(arguments)
    url = command.database_address("--database-url", arguments.database_url)

    def do() -> int:
        was, aside = upgrade.roll_back(config, url)
        words = backup.voice(arguments)
        program = was.program or words("backup.program_unknown")
        values = {"schema": was.schema, "aside": aside, "program": program, "at": backup.when(was.at)}
        command.say(words("backup.rolled_back", **values))
        command.say(words("backup.look_at", taken=backup.when(was.at)))
        for line in again_words.not_yet(since.ended_after(config.folder, was.at), words):
            command.say(line)
        return 0

    return backup.told(arguments, do)
