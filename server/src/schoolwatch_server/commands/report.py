"""`report`: freezes reports, lists them, and says whether what is kept is still what was frozen."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.reports.keeping import ReportError

_LEVELS = ("school", "commune", "province")
_KINDS = ("monthly", "quarterly", "half_year", "year", "self_assessment", "ad_hoc")


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(commands, "report", "frozen reports: numbers as they stood, to be proved later")
    new = command.add(actions, "freeze", _freeze, "keep a report as things stand now")
    new.add_argument("level", choices=_LEVELS, help="whose report")
    new.add_argument("code", metavar="CODE", help="code of the school, commune or province")
    new.add_argument("kind", choices=_KINDS, help="which report")
    new.add_argument(
        "--period",
        default="",
        help="2026-11, 2026-Q4, 2026-H1, 2026, 2025-2026, 2026-11-29 (the present one)",
    )
    new.add_argument(
        "--note",
        default="",
        help="why once more, from the second revision on; for what an ad_hoc one is asked for",
    )
    new = command.add(
        actions, "list", _list, "every frozen report: digest, kind, period, place, revision, state"
    )
    new.add_argument("--code", default="", help="only of the place with this code")
    new = command.add(
        actions, "verify", _verify, "see that every kept report has its digest still, or ask about one"
    )
    new.add_argument(
        "what",
        nargs="?",
        default="",
        metavar="FILE|DIGEST",
        help="a report's JSON file, or the digest of a paper",
    )


def _freeze(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.database.engine import begin_read
    from schoolwatch_server.database.simulated import is_simulated
    from schoolwatch_server.reports import keeping
    from schoolwatch_server.reports.freeze import Judged
    from schoolwatch_server.scope import EVERYTHING
    from schoolwatch_server.sheets import lifecycle_in_force, packs_in_force

    config, engine = command.config(arguments), command.database(arguments)
    with begin_read(engine) as conn:
        simulated = is_simulated(conn)
    judged = Judged(packs_in_force(config, engine).now(), lifecycle_in_force(config).now(), simulated)
    wanted = keeping.Wanted(arguments.level, arguments.code, arguments.kind, arguments.period, arguments.note)
    try:
        row = keeping.freeze(engine, wanted, judged, EVERYTHING, by="command line", now=time.time())
    except keeping.ReportError as error:
        raise command.Refused(_worded(error)) from error
    command.say(row.sha256)
    command.note(f"{row.kind} {row.period} of {row.name}: revision {row.revision}, {row.size} bytes")
    return 0


def _worded(error: "ReportError") -> str:
    from schoolwatch_server import texts

    return texts.load().get(command.language(), f"reports.refused.{error.reason}")


def _list(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.database import reports
    from schoolwatch_server.database.engine import begin_read
    from schoolwatch_server.scope import EVERYTHING

    below = None
    with begin_read(command.database(arguments)) as conn:
        while rows := reports.listed(conn, EVERYTHING, below=below, limit=500):
            for row in rows:
                if arguments.code in ("", row.code):
                    what = f"{row.kind} {row.period} {row.level} {row.code}"
                    command.say(f"{row.sha256} {what} r{row.revision} {row.state}")
            below = rows[-1].id
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.database import reports
    from schoolwatch_server.database.engine import begin_read

    with begin_read(command.database(arguments)) as conn:
        if arguments.what:
            digest = _digest(arguments.what)
            kept = reports.kept(conn, digest)
            if kept is None:
                return command.complain(f"no report {digest} is kept here: compare it with the paper")
            if not kept.is_whole:
                return command.complain(
                    f"report {digest}: what is kept is not what was frozen: restore a backup"
                )
            what = f"{kept.kind} {kept.period} of a {kept.level}, revision {kept.revision}"
            command.say(f"{digest}: kept, {what}")
            return 0
        altered, count = [], 0
        for report_id, digest in reports.all_ids(conn):
            count += 1
            try:
                reports.body(conn, report_id)
            except reports.AlteredReportError:
                altered.append(digest)
    for digest in altered:
        command.complain(
            f"report {digest}: what is kept is not what was frozen: restore a backup and compare"
        )
    command.say(f"{count - len(altered)} of {count} reports are what was frozen")
    return command.FAILED if altered else 0


def _digest(what: str) -> str:
    """The digest itself, or that of a file."""
    from schoolwatch_server.reports import content

    if len(what) == 64 and all(c in "0123456789abcdef" for c in what.lower()):
        return what.lower()
    try:
        return content.digest(Path(what).read_bytes())
    except OSError as error:
        raise command.Refused(
            f"{what}: is no digest of 64 hex digits, and no file: {error.strerror}"
        ) from error
