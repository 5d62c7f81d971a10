"""Evidence as a download: never shown by the browser, each look in the audit log."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Path
from starlette.responses import Response

from schoolwatch_server.api import looked
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.claim_form import Id
from schoolwatch_server.database import attachments, claims
from schoolwatch_server.database.engine import begin_read


def download(number: Annotated[Id, Path()], who: Who, server: Server) -> Response:
    """The file as it was handed in, under its name."""
    with begin_read(server.engine) as conn:
        file = attachments.find(conn, who.scope, number)
        rows = claims.some(conn, who.scope, [] if file is None else [file.claim_id])
        body = attachments.body(conn, who.scope, number)
    if file is None or body is None or not rows:
        raise not_found("file", str(number))
    about = f"{rows[0].school_code} {rows[0].question} {file.sha256[:12]}"
    looked.see(server.looked, server.engine, who, "claim.file", about)
    return Response(body, media_type=file.media_type, headers=_headers(file.name, simulated=server.simulated))


def _headers(name: str, *, simulated: bool) -> dict[str, str]:
    """RFC 6266: the name in UTF-8, and one in ASCII for what reads no other; a browser keeps it, no more."""
    name = f"simulated-{name}" if simulated else name
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "private, no-store",
    }


ROUTES = (Route("GET", "/claims/files/{number}", download, "evidence"),)
