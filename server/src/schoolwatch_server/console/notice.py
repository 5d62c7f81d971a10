"""The privacy notice, for everybody: who is measured must be able to read it without an account."""

from fastapi import Request
from starlette.responses import Response

from schoolwatch_server.api.route import Route, Server
from schoolwatch_server.console.page import language_of, page
from schoolwatch_server.law.notice import notice


def show(request: Request, server: Server) -> Response:
    """The page, in the language of the browser's choice."""
    document = notice(server.config, server.texts, language_of(request))
    return page(request, "notice.html", None, document=document)


ROUTES = (Route("GET", "/privacy", show, "public"),)
