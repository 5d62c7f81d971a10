"""`backup`, `restore`, `verify-backup`: encrypted copies of the whole server, elsewhere."""

import argparse
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.backup.manifest import Manifest
    from schoolwatch_server.backup.restic import Restic
    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.config import ServerConfig

NOT_GOOD = 3
"""Exit code of `verify-backup` and `restore` for a copy that was read and is not what was stored."""

_BAD = frozenset({"damaged", "differs", "not_ours", "lists_damaged", "lists_lacking"})


def add_to(commands: "Subparsers") -> None:
    """Adds the words to the command line."""
    new = command.add(
        commands, "backup", _backup, "make an encrypted copy of the whole server, while it runs"
    )
    _where(new, "--to")
    new.add_argument("--list", action="store_true", help="show the copies that there are, and make none")
    new.add_argument("--background", action="store_true", help="let everything else on this machine go first")
    old = command.add(commands, "restore", _restore, "put a copy into an empty data folder")
    _where(old, "--from")
    old.add_argument("--snapshot", default="latest", metavar="ID", help="which copy (the newest)")
    old.add_argument("--database-url", default="", metavar="URL", help="an empty PostgreSQL database for it")
    old.add_argument(
        "--old-data",
        metavar="DIR",
        help="the old data folder: what its lists name is ended and deleted again",
    )
    proof = command.add(
        commands, "verify-backup", _verify, "restore a copy in a private place, and compare it"
    )
    _where(proof, "--from")
    proof.add_argument("--snapshot", default="latest", metavar="ID", help="which copy (the newest)")
    proof.add_argument(
        "--read-data", action="store_true", help="read every byte of all copies too: takes long"
    )


def _where(parser: argparse.ArgumentParser, target: str) -> None:
    parser.add_argument(
        target,
        dest="target",
        metavar="TARGET",
        help="a folder, or sftp://USER@HOST:PORT/FOLDER (backup.target)",
    )
    for option, what in (
        ("passphrase-file", "file with the passphrase (backup.passphrase_file)"),
        ("ssh-key", "private key for sftp (backup.ssh_key)"),
        ("known-hosts", "file with the other machine's host key (backup.known_hosts)"),
    ):
        parser.add_argument(f"--{option}", metavar="FILE", help=what)
    parser.add_argument("--lang", choices=("vi", "en"), help="language of the messages (from LANG)")


# --- what they do ---------------------------------------------------------------------------------------


def _backup(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.backup import make

    if arguments.background:
        _step_back()
    config = _config(arguments)
    if arguments.list:
        return told(arguments, lambda: _list(arguments, make.repository(config.backup)))
    return told(arguments, lambda: _make(arguments, config))


def _make(arguments: argparse.Namespace, config: "ServerConfig") -> int:
    from schoolwatch_server.backup import make, place

    if not arguments.background:  # a service's own, as it is set up
        place.refuse_root(config.folder)
    made = make.back_up(config)
    words = voice(arguments)
    command.say(
        words(
            "backup.made",
            target=made.done.target,
            id=made.done.snapshot,
            added=_size(made.done.added),
            total=_size(made.done.total),
            seconds=round(made.done.seconds),
        )
    )
    _say_rows(arguments, made.manifest)
    if made.kept is not None:
        command.complain(
            words("backup.not_thinned", why=words(f"backup.error.{made.kept.trouble}", **made.kept.values))
        )
    return 0


def _list(arguments: argparse.Namespace, store: "Restic") -> int:
    words = voice(arguments)
    listing = store.snapshots()
    for one in listing.copies:
        command.say(f"{one.short_id}  {when(one.time.timestamp())}  {one.hostname}")
    command.say(words("backup.listed", target=store.target.name))
    if listing.unreadable:
        command.complain(words("backup.error.damaged", target=store.target.name, detail=listing.unreadable))
        return NOT_GOOD
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.backup import again_words, make, restore

    config = _config(arguments)
    url = command.database_address("--database-url", arguments.database_url)

    def do() -> int:
        done = restore.restore(
            make.repository(config.backup),
            config.folder,
            arguments.snapshot,
            url,
            Path(arguments.old_data) if arguments.old_data else None,
        )
        words = voice(arguments)
        made = done.manifest
        command.say(
            words("backup.restored", data=config.folder, taken=when(made.taken_at), id=done.snapshot.short_id)
        )
        _say_rows(arguments, made)
        for line in again_words.lines(done.again, words, config.folder):
            command.say(line)
        command.say(words("backup.lists_known", upto=when(done.known_upto)))
        command.say(words("backup.epoch", epoch=done.epoch))
        command.say(words("backup.look_at", taken=when(made.taken_at)))
        command.say(words("backup.start", data=config.folder))
        return 0

    return told(arguments, do)


def _verify(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.backup import make, verify

    config = _config(arguments)

    def do() -> int:
        store = make.repository(config.backup)
        proof = verify.verify(store, config.folder, arguments.snapshot, read_data=arguments.read_data)
        hours = proof.age / 3600
        command.say(
            voice(arguments)(
                "backup.good",
                id=proof.snapshot.short_id,
                taken=when(proof.manifest.taken_at),
                hours=f"{hours:.1f}",
                version=proof.manifest.program,
                schema=proof.manifest.schema,
            )
        )
        _say_rows(arguments, proof.manifest)
        return 0

    return told(arguments, do)


# --- small things ---------------------------------------------------------------------------------------


def _config(arguments: argparse.Namespace) -> "ServerConfig":
    from schoolwatch_server.backup import make

    return make.named(
        command.config(arguments),
        target=arguments.target,
        passphrase_file=arguments.passphrase_file,
        ssh_key=arguments.ssh_key,
        known_hosts=arguments.known_hosts,
    )


def told(arguments: argparse.Namespace, do: "command.Do") -> int:
    """Does it; SIGTERM ends it in order, and what went wrong is one line that says what to do."""
    from schoolwatch_server.backup.errors import BackupError

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return do()
    except BackupError as error:
        command.complain(voice(arguments)(f"backup.error.{error.trouble}", **error.values))
        return NOT_GOOD if error.trouble in _BAD else command.FAILED


def voice(arguments: argparse.Namespace) -> "command.Say":
    """The texts in the language that was asked for."""
    import functools

    from schoolwatch_server import texts

    return functools.partial(texts.load().get, arguments.lang or command.language())


def _say_rows(arguments: argparse.Namespace, made: "Manifest") -> None:
    from schoolwatch_server.backup.manifest import SHOWN

    words = voice(arguments)
    for name in SHOWN:
        if name in made.rows:
            command.say(f"  {words(f'backup.rows.{name}')}: {made.rows[name]}")
    newest = made.newest_report
    command.say(f"  {words('backup.newest')}: {when(newest) if newest is not None else words('backup.none')}")


def when(at: float) -> str:
    """An instant as people in Vietnam read it."""
    from schoolwatch_server.backup import again_words

    return again_words.when(at)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.2f} GB"


def _step_back() -> None:
    """Lowest priority for processor and disk; the programs that it starts inherit both."""
    import os

    import psutil

    os.nice(19)
    if hasattr(psutil, "IOPRIO_CLASS_IDLE"):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
