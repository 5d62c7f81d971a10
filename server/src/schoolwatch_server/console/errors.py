"""Errors as pages for people: what happened, and the way back."""

from urllib.parse import quote

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.api.problems import Problem
from schoolwatch_server.console.page import page

_KNOWN = {400, 403, 404, 409, 413, 422, 429}

_FIELDS = {
    "students": "count",
    "devices": "count",
    "line_mbps": "speed",
    "student_devices": "part",
    "name": "name",
    "label": "label",
    "asset_tag": "label",
    "role": "choice",
    "room": "choice",
    "device": "choice",
    "account_name": "account_name",
    "person_role": "person_role",
    "place": "place",
    "token_days": "token_days",  # nosec B105 # the name of a field
    "from": "day",
    "to": "day",
    "days": "days",
    "uses": "uses",
    "oidc_subject": "oidc_subject",
    "declared": "room_count",
    "digest": "digest",
    "note": "remark",
    "remark": "remark",
    "period": "period",
    "code": "code",
    "phone": "phone",
    "email": "email",
    "into": "into",
    "confirm": "confirm",
    "new": "new_school",
    "split_room": "split_room",
    "working": "working",
    "day": "past_day",
}
"""Field of a form → what is right there: `error_right.…`; its name is `error_field.…`."""


def wants_page(request: Request) -> bool:
    """Whether a browser's page asks, not a program: those get problem details."""
    path = request.url.path
    if path.startswith(("/api/", "/static/", "/metrics", "/healthz", "/readyz")):
        return False
    return "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers


_UNKEPT = frozenset({"password", "old", "new", "again", "address", "url"})
"""Fields that a browser shows as dots, or that hold a password: they stay out of every answer."""

_KEPT_MAX = 65_536
_SHOWN_FROM = 20


def _kept(request: Request) -> tuple[tuple[str, str, bool], ...]:
    """Name, value and whether to show it of what a form held; () when it can't be kept."""
    # asked for anew, a body that has come already would be waited for
    form: FormData | None = getattr(request, "_form", None)
    path = request.url.path
    if form is None or path.startswith(("//", "/login", "/me")):
        return ()
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if len(fields) < len(form.multi_items()) or _UNKEPT & {name for name, _ in fields}:
        return ()
    if sum(len(value) for _, value in fields) > _KEPT_MAX:
        return ()
    return tuple((name, value, name != "csrf" and len(value) > _SHOWN_FROM) for name, value in fields)


def page_of(request: Request, problem: Problem, kind: str = "", *, is_stored: bool = True) -> Response:
    """The error's page; `kind` names its words where the status alone does not.

    Of a form of which nothing could be stored (`is_stored`) it holds what was typed, to be sent again.
    """
    status = problem.status
    named = dict.fromkeys(error["field"] for error in problem.errors)
    answer = page(
        request,
        "error.html",
        None,
        status,
        unsent=not is_stored and request.method == "POST",
        kept=() if is_stored else _kept(request),
        kind=kind or (str(status) if status in _KNOWN else "other"),
        told=problem.told,
        fields=[(field, _FIELDS[field]) for field in named if field in _FIELDS and not problem.told],
    )
    answer.headers.update(problem.headers)
    return answer


def to_own_account(request: Request) -> Response:
    """To one's own page, which says what has to be done before anything else."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": "/me"})
    return RedirectResponse("/me", 303)


def to_login(request: Request) -> Response:
    """To the login page, and back afterwards; a part of a page takes the whole page there."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": "/login"})
    back = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"/login?next={quote(back)}" if back != "/" else "/login", 303)
