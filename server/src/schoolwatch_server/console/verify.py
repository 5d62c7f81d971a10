"""Whether a paper's digest is that of a report kept here: for anybody who holds the paper, without a login.

Nobody guesses 256 bits, so whoever asks has the paper, and it told them more than this page does: it names no
place and shows no number, only the kind of place, the period, the revision and when it was frozen.
"""

import time
from functools import lru_cache
from typing import Annotated

from fastapi import Path, Request
from sqlalchemy import Engine
from starlette.responses import Response

from schoolwatch_server.api.route import Route, Server
from schoolwatch_server.console.page import page, words_of
from schoolwatch_server.console.report_words import ReportWords
from schoolwatch_server.database import reports
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.reports import Kept


def show(
    request: Request,
    digest: Annotated[str, Path(pattern=r"^[0-9a-fA-F]{64}$")],
    server: Server,
) -> Response:
    """Yes or no; 404 for no, as for any other address with nothing there."""
    digest = digest.lower()
    kept = _kept(server.engine, digest, int(time.time() // _AGAIN))
    said = ReportWords(words_of(request))
    return page(request, "verify.html", None, 200 if kept else 404, digest=digest, kept=kept, said=said)


_AGAIN = 60.0
"""Seconds for which an answer holds: a province's report is 40 MB, and anybody may ask again and again."""


@lru_cache(maxsize=512)
def _kept(engine: Engine, digest: str, _minute: int) -> Kept | None:
    with begin_read(engine) as conn:
        return reports.kept(conn, digest)


ROUTES = (Route("GET", "/verify/{digest}", show, "public"),)
