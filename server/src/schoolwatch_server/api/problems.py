"""Errors as problem details (RFC 9457): one shape for everything that goes wrong on the API."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

TITLES: Mapping[int, str] = {
    400: "Bad request",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Busy",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not understood",
    429: "Too many attempts",
    500: "Internal error",
    503: "Not ready",
}


class Problem(Exception):  # noqa: N818  the name is the standard's
    """Answered as problem details; `detail` is shown to the caller, so it holds no secret."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        told: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = tuple(errors)
        self.told = tuple(told)
        """For a page, in the words of who asks: a field as its form calls it, and what is right there."""


def not_found(what: str, name: str) -> Problem:
    """404 for a thing that is not there, or not in the caller's scope: the two must look alike."""
    return Problem(404, f"there is no {what} {name!r} that you may see")


def bad_field(field: str, detail: str, label: str = "") -> Problem:
    """422 for one parameter. With `label`, as its form calls it, `detail` is in the words of who asks."""
    told = [(label, detail)] if label else ()
    return Problem(422, f"{field}: {detail}", errors=[{"field": field, "detail": detail}], told=told)


def in_words(status: int, text: str) -> Problem:
    """One that is about no field, in the words of who asks."""
    return Problem(status, text, told=[("", text)])


def response(problem: Problem, path: str = "") -> JSONResponse:
    """The problem as `application/problem+json`; field errors are an extension member (RFC 9457 §3.2).

    Below `/influx/` its detail is in `error` too: of what an InfluxDB refuses Grafana shows that alone.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = list(problem.errors)
    if path.startswith("/influx/"):
        body["error"] = problem.detail
    return JSONResponse(
        body, status_code=problem.status, headers=problem.headers, media_type="application/problem+json"
    )


def of_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """422 that names each field of a request that was not understood; what was sent is not repeated."""
    fields = [
        {"field": ".".join(str(part) for part in error["loc"][1:]), "detail": str(error["msg"])}
        for error in errors
    ]
    text = "; ".join(f"{f['field'] or 'body'}: {f['detail']}" for f in fields)
    return Problem(422, text[:500], errors=fields)
