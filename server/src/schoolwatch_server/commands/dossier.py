"""`dossier`: the files that the law asks for, with this server's real condition filled in."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from schoolwatch_server.audit_chain import Verified
    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.config import ServerConfig

FILES = ("ho-so-cap-do-3.html", "ho-so-xu-ly-du-lieu.html", "thong-bao-du-lieu.html")


def add_to(commands: "Subparsers") -> None:
    """Adds the word to the command line."""
    help_ = "write the level-3 checklist, the record of processing and the notice for schools"
    dossier = command.add(commands, "dossier", _dossier, help_)
    dossier.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")


def _dossier(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import __version__, texts
    from schoolwatch_server.database.engine import begin_read
    from schoolwatch_server.database.simulated import is_simulated
    from schoolwatch_server.database.standing import standing
    from schoolwatch_server.law import level3, notice, page, record, state

    out: Path = arguments.out
    config, engine, now = command.config(arguments), command.database(arguments), time.time()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise command.Refused(
            f"{out} is there already: name a new folder, so that no older page is overwritten"
        )
    with begin_read(engine) as conn:
        found, simulated = standing(conn), is_simulated(conn)
    words = texts.load()
    made = f"SchoolWatch {__version__}, lập lúc {state.moment(now)} (giờ Việt Nam)"
    warning = words.get("vi", "page.simulated") if simulated else ""
    documents = (
        level3.checklist(state.facts(config, found, _chain(engine, config), now)),
        record.record(config),
        notice.notice(config, words),
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, document in zip(FILES, documents, strict=True):
            text = page.html(document, made, one_page=name == FILES[-1], simulated=warning)
            (out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise command.Refused(f"{out}: can't be written ({error.strerror}): name another folder") from error
    command.say(f"{out}: {', '.join(FILES)}")
    return 0


def _chain(engine: "Engine", config: "ServerConfig") -> "Verified | str":
    """The audit log verified now, or why it could not be."""
    from schoolwatch_server import audit_log
    from schoolwatch_server.audit_checkpoints import CheckpointsError

    try:
        return audit_log.verify(engine, config.folder)
    except CheckpointsError as error:
        return str(error)
