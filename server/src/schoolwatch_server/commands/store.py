"""`store`: how far the store of series beside the database is, and writing to it again what it has lost."""

import argparse
import time
from datetime import datetime
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command
from schoolwatch_server.vietnam import VIETNAM

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.config import ServerConfig


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(
        commands, "store", "the store of series beside the database (InfluxDB, VictoriaMetrics)"
    )
    command.add(actions, "status", _status, "print how far it is, what it refused and what went wrong last")
    again = command.add(
        actions, "rewind", _rewind, "have everything written again that came since an instant"
    )
    again.add_argument(
        "--from",
        dest="since",
        type=_instant,
        required=True,
        metavar="TIME",
        help="2026-11-20 or 2026-11-20T07:00, Vietnam's time; after the store came back from a copy",
    )


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no time: write 2026-11-20T07:00") from None
    return at if at.tzinfo else at.replace(tzinfo=VIETNAM)


def _config(arguments: argparse.Namespace) -> "ServerConfig":
    config = command.config(arguments)
    if config.store.kind == "embedded":
        raise command.Refused('store.kind is "embedded": there is no store of series beside the database')
    return config


def _status(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.database import store_writer
    from schoolwatch_server.database.engine import begin_read

    config = _config(arguments)
    with begin_read(command.database(arguments)) as conn:
        found = store_writer.standing(conn, time.time())
    command.say(f"store\t{config.store.kind} {config.store.url}")
    if found is None:
        command.say("nothing was written yet: is `up`, or `schoolwatch-server store-writer`, running?")
        return command.FAILED
    done = found.progress
    for name, value in (
        ("behind", f"{found.reports} reports, {found.seconds:.0f} s"),
        ("written", f"{done.written} points, last {_when(done.ok_at)}"),
        ("not sent", f"{done.future} points too far ahead, {done.old} older than it keeps"),
        ("refused", f"{done.refused} points"),
        ("lost", f"{found.lost} reports left the journal before they were written"),
        ("whole from", f"{_when(done.whole_from)} on" if done.whole_from else "the beginning on"),
        ("not deleted", f"{done.undeleted} deletions that it has no way to carry out"),
        ("error", f"{done.error}, {_when(done.error_at)}" if done.error else "none"),
        ("notice", done.notice or "none"),
    ):
        command.say(f"{name}\t{value}")
    return command.FAILED if done.error else 0


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, VIETNAM).isoformat(timespec="seconds") if at else "never"


def _rewind(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.database import journal, store_writer
    from schoolwatch_server.database.engine import begin_write

    config, since = _config(arguments), arguments.since.timestamp()
    if since > time.time():
        raise command.Refused("--from lies ahead: name when the store last had everything")
    with begin_write(command.database(arguments)) as conn:
        pruned = journal.pruned_before(conn)
        reports = store_writer.rewind(conn, config.store.place, since)
    command.say(
        f"{reports} reports and what was judged since then are written again, all deletions carried out again"
    )
    if pruned > max(since, 0.0):
        command.note(
            f"single readings from before {_when(pruned)} have left the journal and can't be written again"
        )
    return 0
