"""The API's own description (OpenAPI), and the page at /docs that shows it with the vendored Swagger UI."""

from collections.abc import Mapping, Sequence

from fastapi import Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, JSONResponse

from schoolwatch_contract import slot
from schoolwatch_server import __version__, proofs
from schoolwatch_server.api import ndjson
from schoolwatch_server.api.route import Route

OPENAPI = "/api/v1/openapi.json"

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}

_METRICS = ("text/plain", "application/openmetrics-text")

_OTHER: Mapping[str, tuple[Sequence[str], str]] = {
    "/metrics": (_METRICS, "string"),
    "/metrics/indicators": (_METRICS, "string"),
    "/ca.pem": (("application/x-pem-file",), "string"),
    "/api/v1/catalog": (("application/ld+json",), "object"),
}
"""Route whose answer is no plain JSON → its media types, and what it is to a program."""

_DESCRIPTION = """Reads what SchoolWatch knows. Send `Authorization: Bearer <token>`; the page `/tokens` and
the command `schoolwatch-server token` make one. It sees the places of its scope, and 1,200 requests of it
are answered in a minute (else 429, with `Retry-After`). Every list has `limit` and `cursor`; a table of all
schools is sent as CSV while it is made. `/api/v1/catalog` says what data there is (DCAT). Errors are problem
details (RFC 9457). `null` is unknown: never 0, never good, never bad."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>SchoolWatch API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/vendor/swagger-ui-5.35.0/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/static/vendor/swagger-ui-5.35.0/swagger-ui-bundle.js"></script>
<script src="/static/docs.js"></script></body></html>
"""


def openapi(request: Request) -> JSONResponse:
    """The description of every route that has a summary."""
    if request.app.openapi_schema is None:
        request.app.openapi_schema = _describe(request)
    return JSONResponse(request.app.openapi_schema)


def docs() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE)


def _describe(request: Request) -> dict[str, object]:
    schema = get_openapi(
        title="SchoolWatch", version=__version__, description=_DESCRIPTION, routes=request.app.routes
    )
    parts = schema.setdefault("components", {})
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "device": {"type": "http", "scheme": slot.SCHEME, "description": "Answers the challenge of a 401"},
    }
    parts["schemas"] = {
        **{n: s for n, s in parts.get("schemas", {}).items() if "ValidationError" not in n},
        "Problem": _PROBLEM,
    }
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            if path.endswith((".csv", ".{format}")):
                operation["responses"]["200"]["content"] = {"text/csv": {"schema": {"type": "string"}}}
            elif path.endswith(".ndjson"):
                stream = {ndjson.MEDIA_TYPE: {"schema": {"type": "string"}}}
                operation["responses"]["200"]["content"] = stream
            elif path in _OTHER:
                media, kind = _OTHER[path]
                operation["responses"]["200"]["content"] = {one: {"schema": {"type": kind}} for one in media}
            operation["responses"]["default"] = {"description": "A problem"}
            for status, response in operation["responses"].items():
                if not status.startswith("2"):
                    response["content"] = problem
            if "401" in operation["responses"]:
                operation["security"] = [{"device" if path in proofs.PATHS else "token": []}]
    return schema


ROUTES = (
    Route("GET", OPENAPI, openapi, "public"),
    Route("GET", "/docs", docs, "public"),
)
