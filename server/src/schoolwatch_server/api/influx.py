"""/influx/query: the series of the embedded store in InfluxQL, so that Grafana needs no database beside us.

Request and answer are those of InfluxDB 1.8's `/query`:
https://docs.influxdata.com/influxdb/v1/tools/api/#query-http-endpoint
"""

import contextlib
import json
import threading
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from schoolwatch_server.access import Principal
from schoolwatch_server.api.bounds import is_gone
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import Route
from schoolwatch_server.api.squeezed import squeezed
from schoolwatch_server.database import api_tokens
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.influxql.answer import EPOCHS, answer, as_csv, as_json
from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.influxql.parser import parse
from schoolwatch_server.influxql.patience import Patience
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store.queried.names import SCOPES_MAX

SECONDS: Final = 20.0
"""What all statements of one request may take together; Grafana waits 30 s."""

_FIELDS: Final = 20
"""In a form; InfluxDB knows eight."""

_NO_FORM: Final = "this is no form: send q=… as application/x-www-form-urlencoded"


def query(who: Principal, server: Context, request: Request, body: bytes, conn: Connection) -> Response:
    """Answers `q`; of series about places and devices only those that who asks may see.

    Grafana sends what is long in a form; nothing is written by it.
    """
    try:
        said = _fields(request.scope["query_string"]) | _fields(body)
    except ValueError:
        return _refused(_NO_FORM)
    if body and "q" not in said:
        return _refused(_NO_FORM)
    return _answer(who, server, request, conn, said)


def _fields(form: bytes) -> dict[str, str]:
    """A form's fields. Raises ValueError."""
    said = parse_qsl(form.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    return dict(said)


def ping() -> Response:
    """As InfluxDB's `/ping`: that somebody is there, and whose language it speaks; its clients ask first."""
    return Response(
        status_code=204, headers={"X-Influxdb-Version": "1.8.10", "X-Influxdb-Build": "SchoolWatch"}
    )


def _answer(
    who: Principal, server: Context, request: Request, conn: Connection, asked: Mapping[str, str]
) -> Response:
    q, epoch = asked.get("q", ""), asked.get("epoch", "")
    if epoch and epoch not in EPOCHS:
        return _refused(f"epoch: {', '.join(EPOCHS)}")
    now = time.time()
    try:
        statements = parse(q, int(now * 1_000_000_000))
    except QueryError as error:
        return _refused(str(error))
    patience = Patience(time.monotonic() + SECONDS, lambda: is_gone(request), server.room)
    index, reports, names = server.judged_index, server.reports, server.names
    source = Queried(conn, index, who.scope, now, patience, reports=reports, names=names)
    try:
        results = answer(statements, source)
        if _wants_csv(request.headers.get("accept", "")):
            answered = Response(as_csv(results, epoch), media_type="text/csv; charset=utf-8")
        else:
            answered = Response(_told(as_json(results, epoch), asked), media_type="application/json")
    finally:
        patience.end()
    return squeezed(request, answered)


def _wants_csv(accepted: str) -> bool:
    return "application/csv" in accepted or "text/csv" in accepted


def _told(json_: bytes, asked: Mapping[str, str]) -> bytes:
    """With `pretty=true` for people's eyes, as InfluxDB indents it."""
    return msgspec.json.format(json_, indent=4) + b"\n" if asked.get("pretty") == "true" else json_


def _refused(text: str) -> Response:
    """As InfluxDB says it: Grafana shows `error` below the panel."""
    return Response(json.dumps({"error": text}, ensure_ascii=False), 400, media_type="application/json")


_ASKS: Final = 7 * 86_400.0
"""Seconds since a token was used: who asked in the last week asks again."""


def warm(server: Context) -> threading.Thread:
    """Reads in a thread what the first question after a start would wait for, where anybody asks by a token.

    These are the names of all series and places, 0.6 s of a processor of a province's. Elsewhere nobody
    needs the memory that they take.
    """
    made = threading.Thread(target=_warm, args=(server,), name="warm", daemon=True)
    made.start()
    return made


def _warm(server: Context) -> None:
    now = time.time()
    # who asks is told of a database that can't be used
    with contextlib.suppress(SQLAlchemyError), begin_read(server.engine) as conn:
        for scope in api_tokens.scopes_used(conn, now - _ASKS, now)[:SCOPES_MAX]:
            server.judged_index.now(conn)
            server.names.now(conn, scope)


_WEIGHT: Final = 0.04
"""30,000 questions a minute: all who look at a Grafana ask by one token, a hundred for a large dashboard."""

ROUTES = (
    Route("GET", "/influx/ping", ping, "public"),
    Route("GET", "/influx/query", query, "read", weight=_WEIGHT, is_plain=True),
    Route("POST", "/influx/query", query, "read", weight=_WEIGHT, is_plain=True),
)
