"""Files that agents without a line wrote onto a stick, handed in with a browser."""

import msgspec
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from schoolwatch_server import carried
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.carried import Told
from schoolwatch_server.console import sent_on
from schoolwatch_server.console.page import check_form, language_of, page
from schoolwatch_server.texts import Voice


class Taken(msgspec.Struct, frozen=True):
    """What came of a file that was taken in, in words."""

    text: str
    is_refused: bool = False


def show(request: Request, who: Who) -> Response:
    """The form, and what came of the file that was handed in with it just now."""
    shown = page(request, "bundles.html", who, told=sent_on.taken(request, Taken))
    return sent_on.said(shown, request)


async def take_in(request: Request, who: Who, server: Server) -> Response:
    """Takes a bundle in, of a device that who asks may see; says what came of it.

    The body is read here, behind the gate, and goes to the disk in parts.
    """
    voice = Voice(server.texts, language_of(request), "bundle")
    async with request.form(max_files=1, max_fields=4) as form:
        csrf, file = form.get("csrf"), form.get("file")
        check_form(who, csrf if isinstance(csrf, str) else "")
        if isinstance(file, UploadFile) and file.filename:
            told = await run_in_threadpool(
                carried.import_stream,
                server.engine,
                server.config,
                file.file,
                file.filename[:100],
                voice,
                scope=who.scope,
                actor=who.name,
            )
        else:
            told = Told(voice("refused.no_file"), is_refused=True)
    if told.is_refused:
        return page(request, "bundles.html", who, 422, at="/bundles", told=told)
    sent = sent_on.sent_on(request, "/bundles", Taken(told.text))
    return sent or page(request, "bundles.html", who, at="/bundles", told=told)


ROUTES = (
    Route("GET", "/bundles", show, "enrol"),
    Route("POST", "/bundles/import", take_in, "enrol"),
)
