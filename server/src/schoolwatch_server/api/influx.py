"""/influx/query: the series of the embedded store in InfluxQL, so that Grafana needs no database beside us.

Request and answer are those of InfluxDB 1.8's `/query`:
https://docs.influxdata.com/influxdb/v1/tools/api/#query-http-endpoint
"""

import json
import time
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import Body, Query, Request
from starlette.responses import Response

from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.influxql.answer import EPOCHS, answer, as_csv, as_json
from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.influxql.lexer import QUERY_MAX
from schoolwatch_server.influxql.parser import parse
from schoolwatch_server.store.queried import Queried

Text = Annotated[str, Query(max_length=QUERY_MAX)]
Epoch = Annotated[
    str, Query(max_length=2, description=f"Unit of instants: {', '.join(EPOCHS)}; RFC 3339 without")
]
Form = Annotated[bytes, Body(media_type="application/x-www-form-urlencoded", max_length=4 * QUERY_MAX)]

SECONDS: Final = 20.0
"""What all statements of one request may take together; Grafana waits 30 s."""


def query(who: Who, server: Server, request: Request, q: Text = "", epoch: Epoch = "") -> Response:
    """Answers `q`; of series about places and devices only those that who asks may see."""
    return _answer(who, server, request, q, epoch)


def posted(
    who: Who, server: Server, request: Request, form: Form = b"", q: Text = "", epoch: Epoch = ""
) -> Response:
    """The same with `q` in a form, as Grafana sends what is long; nothing is written by it."""
    try:
        said = parse_qs(form.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return _refused("the body is no form: send q=… as application/x-www-form-urlencoded")
    return _answer(who, server, request, said.get("q", [q])[-1], said.get("epoch", [epoch])[-1])


def _answer(who: Principal, server: Context, request: Request, q: str, epoch: str) -> Response:
    if epoch and epoch not in EPOCHS:
        return _refused(f"epoch: {', '.join(EPOCHS)}")
    now = time.time()
    try:
        statements = parse(q, int(now * 1_000_000_000))
    except QueryError as error:
        return _refused(str(error))
    with begin_read(server.engine) as conn:
        results = answer(
            statements, Queried(conn, server.judged_index, who.scope, now, time.monotonic() + SECONDS)
        )
    if "application/csv" in request.headers.get("accept", ""):
        return Response(as_csv(results, epoch), media_type="text/csv; charset=utf-8")
    return Response(as_json(results, epoch), media_type="application/json")


def _refused(text: str) -> Response:
    """As InfluxDB says it: Grafana shows `error` below the panel."""
    return Response(json.dumps({"error": text}, ensure_ascii=False), 400, media_type="application/json")


_WEIGHT: Final = 0.04
"""30,000 questions a minute: all who look at a Grafana ask by one token, a hundred for a large dashboard."""

ROUTES = (
    Route("GET", "/influx/query", query, "read", weight=_WEIGHT),
    Route("POST", "/influx/query", posted, "read", weight=_WEIGHT),
)
