"""`migrate --to`: the database moves from SQLite to PostgreSQL, while the server stands still."""

import argparse
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import backup, command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Say
    from schoolwatch_server.config import ServerConfig
    from schoolwatch_server.database.moving import Step

_SAID_EVERY = 5.0


def run(arguments: argparse.Namespace) -> int:
    """Moves it, and says what to write into the settings. Raises as commands do."""
    from schoolwatch_server import audit_log
    from schoolwatch_server.database.engine import open_database
    from schoolwatch_server.database.moving import MovingError, move

    config, words = command.config(arguments), backup.voice(arguments)
    url, file = _to(arguments.to, config), _from(arguments.from_, config)
    try:
        moved = move(file, url, config.master_key, _progress(words))
    except MovingError as error:
        raise command.Refused(words(f"moving.error.{error.fault}", **error.values)) from error
    engine = open_database(url, config.master_key)
    try:
        found = audit_log.verify(engine, config.folder)
    finally:
        engine.dispose()
    rows = sum(one.rows for one in moved.sums.values())
    done = "moving.again" if moved.again else "moving.done"
    command.say(words(done, tables=len(moved.sums), rows=rows, file=file))
    if found.wrong:  # as it was in the file, whose every row is here
        command.complain(words("moving.audit_wrong", what=found.wrong[0].text))
    else:
        command.say(words("moving.audit", rows=found.rows, last=found.last))
    command.say(_settings(arguments, config, url, words))
    return 0


def _to(given: str | None, config: "ServerConfig") -> str:
    if given in {None, "postgresql"}:
        given = config.database.url
    if not given or not given.startswith("postgresql"):
        raise command.Refused("--to: name an empty database: postgresql://USER@HOST/NAME")
    return command.database_address("--to", given)


def _from(given: str | None, config: "ServerConfig") -> Path:
    from schoolwatch_server.database.copies import sqlite_file

    if given in {None, "sqlite"}:
        own = None if config.database.url.startswith("postgresql") else sqlite_file(config.database_url)
        return own or config.folder / "schoolwatch.db"
    assert given is not None
    path = re.sub("^sqlite:(///)?", "", given)
    if not path or "://" in path:
        raise command.Refused("--from: name a file: sqlite:/folder/schoolwatch.db")
    return Path(path)


def _progress(words: "Say") -> "Step":
    """A line every few seconds, and none for what takes less."""
    said = time.monotonic()

    def step(table: str, done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said > _SAID_EVERY:
            said = time.monotonic()
            command.say(words("moving.step", table=table, done=done, total=total))

    return step


def _settings(arguments: argparse.Namespace, config: "ServerConfig", url: str, words: "Say") -> str:
    """Where there is no settings file it is made, so that the next start finds the database."""
    from schoolwatch_server.files import write_atomically

    if config.database.url == url:
        return words("moving.start")
    own = config.folder / "server.toml"
    if arguments.config is None and not own.exists():
        write_atomically(own, f'[database]\nurl = "{url}"\n')
        return words("moving.written", file=own)
    return words("moving.write", file=arguments.config or own, url=url)
