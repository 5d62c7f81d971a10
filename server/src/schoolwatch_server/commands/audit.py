"""`audit`: verifies the audit log, and writes it out for those who ask for it."""

import argparse
import sys
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command
from schoolwatch_server.vietnam import VIETNAM

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(commands, "audit", "the audit log: who did what")
    command.add(actions, "verify", _verify, "say whether a row was changed, removed, put in or moved")
    out = command.add(actions, "export", _export, "write rows to standard output")
    out.add_argument("--from", dest="since", type=_day, metavar="DAY", help="2026-09-01; from the first row")
    out.add_argument("--to", dest="until", type=_day, metavar="DAY", help="this day too; to the last row")
    out.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="jsonl can be verified (csv)")


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=VIETNAM)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no day like 2026-09-01") from error


def _verify(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import audit_log

    engine = command.database(arguments)
    found = audit_log.verify(engine, command.config(arguments).folder)
    for one in (*found.wrong, *found.notes):
        command.say(one.text)
    if found.wrong:
        return command.complain(f"the audit log is not as it was written: {len(found.wrong)} findings")
    command.say(
        f"the audit log is whole: {found.rows} rows, the last is {found.last} with the hash {found.hash}"
    )
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import audit_log

    since, until = arguments.since, arguments.until
    if since is not None and until is not None and until < since:
        raise command.Refused(f"--to {until:%Y-%m-%d} lies before --from {since:%Y-%m-%d}: exchange them")
    with audit_log.export(
        command.database(arguments),
        None if since is None else since.timestamp(),
        None if until is None else (until + timedelta(days=1)).timestamp(),
        arguments.format,
        by="command line",
        now=time.time(),
    ) as pieces:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
    sys.stdout.flush()
    return 0
