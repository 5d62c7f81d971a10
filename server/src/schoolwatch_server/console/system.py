"""The server's own page: its parts, how far its readers are, what is in quarantine, who changed what."""

from fastapi import Request
from starlette.responses import Response

from schoolwatch_server.api.parts import read_parts
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import page
from schoolwatch_server.database import pages, people
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
            cursors=pages.cursors(conn),
            quarantined=pages.quarantined(conn),
            counters=pages.counters(conn),
            devices=pages.devices_in_use(conn),
            audit=people.newest_audit(conn, AUDIT_ROWS),
        )


ROUTES = (Route("GET", "/system", show, "system"),)
