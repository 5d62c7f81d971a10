"""Renders a page: template, language, who is logged in, and the words to write with."""

import hmac
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Form, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from schoolwatch_server import __version__
from schoolwatch_server.access import ForbiddenError, Principal, may
from schoolwatch_server.api import cookies
from schoolwatch_server.api.route import context_of
from schoolwatch_server.console import menu
from schoolwatch_server.console.in_grafana import links
from schoolwatch_server.console.words import Words
from schoolwatch_server.texts import Language, is_language

LANGUAGE_COOKIE = "schoolwatch_language"

Csrf = Annotated[str, Form(max_length=200)]
"""What every form of the console carries; see `check_form`."""

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def language_of(request: Request) -> Language:
    """The language chosen in this browser; Vietnamese otherwise."""
    chosen = cookies.get(request, LANGUAGE_COOKIE)
    return chosen if is_language(chosen) else "vi"


def words_of(request: Request) -> Words:
    """How to write for who asks."""
    return Words(language_of(request), context_of(request).texts)


def page(
    request: Request, template: str, who: Principal | None, status: int = 200, *, at: str = "", **values: Any
) -> HTMLResponse:
    """A whole page, or a part of one that refreshes by itself.

    `at` is where the page can be asked for again, when that is not where this request went.
    """
    words, now = words_of(request), time.time()
    html = _environment.get_template(template).render(
        t=words.text,
        words=words,
        language=words.language,
        path=at or request.url.path,
        who=who,
        in_grafana=links(context_of(request).config.grafana, who),
        simulated=context_of(request).simulated,
        waits=menu.counts(context_of(request), who),
        may=lambda permission, place=None: who is not None and may(who, permission, place),
        now=now,
        ago=lambda at: words.ago(at, now),
        iso=_iso,
        version=__version__,
        **values,
    )
    return HTMLResponse(html, status_code=status)


def check_form(who: Principal, csrf: str) -> None:
    """Raises `ForbiddenError` unless the form was one of ours, in this session."""
    if not who.csrf or not hmac.compare_digest(who.csrf.encode(), csrf.encode()):
        raise ForbiddenError("csrf")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
