"""The server's own page: its parts, how far its readers are, what is in quarantine, who changed what."""

from fastapi import Request
from starlette.responses import Response

from schoolwatch_server.api.parts import read_parts
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import page
from schoolwatch_server.database import counted, people
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
            cursors=counted.cursors(conn),
            quarantined=counted.quarantined(conn),
            counters=counted.counters(conn),
            devices=counted.devices_in_use(conn),
            audit=people.newest_audit(conn, AUDIT_ROWS),
        )


ROUTES = (Route("GET", "/system", show, "system"),)
