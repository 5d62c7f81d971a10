"""The server's own page: parts, backups, how far its readers are, what is in quarantine, who changed what."""

import time
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from schoolwatch_server import disk
from schoolwatch_server.api.parts import read_parts
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.backup import status
from schoolwatch_server.console.page import page, words_of
from schoolwatch_server.database import audit, counted, forgetting, store_writer
from schoolwatch_server.database.engine import begin_read

AUDIT_ROWS = 30


def show(request: Request, who: Who, server: Server) -> Response:
    """The page."""
    with begin_read(server.engine) as conn:
        return page(
            request,
            "system.html",
            who,
            parts=read_parts(server.config.folder),
            disk=disk.look(server.config.folder),
            is_elsewhere=server.engine.dialect.name == "postgresql",
            doubted=forgetting.held(conn),
            cursors=counted.cursors(conn),
            store=None if server.config.store.kind == "embedded" else server.config.store,
            written=store_writer.standing(conn, time.time()),
            quarantined=counted.quarantined(conn),
            counters=counted.counters(conn),
            devices=counted.devices_in_use(conn),
            backup=_backup(request, server),
            audit=audit.newest(conn, AUDIT_ROWS),
        )


@dataclass(frozen=True, slots=True)
class _Backup:
    """What is said of backups: how they stand, what that comes from, and why the last one failed."""

    judgement: status.Judgement
    status: status.Status
    why: str


def _backup(request: Request, server: Server) -> _Backup:
    known = status.read(server.config.folder)
    judgement = status.judge(server.config, known, time.time())
    known = known or status.Status()
    failed, words, why = known.failed, words_of(request), ""
    if failed is not None:
        key = f"backup.error.{failed.trouble}"
        try:
            why = words.text(key, **failed.values)
        except KeyError:  # another version wrote it
            why = failed.trouble
    return _Backup(judgement, known, why)


ROUTES = (Route("GET", "/system", show, "system"),)
