"""`rotate-master-key`: seals the database's secrets with a new master key, while everything runs."""

import argparse
import time
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


def add_to(commands: "Subparsers") -> None:
    """Adds the word to the command line."""
    command.add(
        commands,
        "rotate-master-key",
        _rotate,
        "make a new master key and seal the database's secrets with it; also ends a change that broke off",
    )


def _rotate(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.authority import own
    from schoolwatch_server.database import people, sealed
    from schoolwatch_server.database.engine import begin_write
    from schoolwatch_server.sealing import MasterKeys, key_path

    config = command.config(arguments)
    engine = command.database(arguments)
    sealed.check(engine)
    authority = own.authority(config)
    authority.seal_anew()
    done = sealed.seal_anew(engine)  # what an earlier run, or a key that was put first by hand, left to do
    if not done:
        MasterKeys(config.master_key).rotate()
        done = sealed.seal_anew(engine) + authority.seal_anew()
    ring = MasterKeys(config.master_key).now()
    with begin_write(engine) as conn:
        detail = {"key": ring.current.hex(), "sealed": done}
        people.record(
            conn,
            actor="command line",
            action="master_key.rotate",
            subject="",
            detail=detail,
            now=time.time(),
        )
    command.say(f"the master key {ring.current.hex()} seals now; secrets that it sealed anew: {done}")
    if len(ring.keys) > 1:
        command.say(
            f"{key_path(config.master_key)} keeps the former keys below it: backups made before need them."
            " Delete their lines when no such backup is left"
        )
    return 0
