"""Everything that goes wrong is told as problem details, and tells nothing else."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import exc

from databases import make_database
from schoolwatch_server.api import answers, exports, places
from schoolwatch_server.api.bounds import BODY_MAX
from schoolwatch_server.api.headers import HEADERS
from schoolwatch_server.api.query import NAME
from schoolwatch_server.api.service import ROUTES
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.guard import Seldom
from tree import Tree
from website import RunningSite

API = sorted({route.path for route in ROUTES if route.path.startswith("/api/") and route.method == "GET"})
LEAKS = re.compile(
    r"Traceback|File \"|sqlalchemy|sqlite|SELECT |/src/|site-packages|pydantic|input_value", re.IGNORECASE
)
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_problem(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """The answer is problem details with all that RFC 9457 asks for, and with our headers."""
    assert not statuses or answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    body = answer.json()
    assert body["type"] == "about:blank"
    assert body["status"] == answer.status_code
    assert body["title"] != "Error"
    assert body["detail"]
    assert set(body) <= {"type", "title", "status", "detail", "errors"}
    assert not LEAKS.search(answer.text), answer.text
    return dict(body)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/api/v1/nothing", 404),
        ("/api/v1/schools/", 404),
        ("/static/nothing.css", 404),
        ("/static/", 404),
        ("/api/v1/devices?school=NOBODY", 404),
        ("/api/v1/indicators?school=NOBODY", 404),
        ("/api/v1/indicators?school=Mark000X&indicator=nothing", 404),
        ("/api/v1/facts?device=" + "0" * 32, 404),
        ("/api/v1/series?metric=processor.busy&device=" + "0" * 32, 404),
        ("/api/v1/series?metric=processor.nothing&device=" + "0" * 32, 404),
        ("/api/v1/incidents?school=NOBODY", 404),
        ("/api/v1/schools/NOBODY/indicators.csv", 404),
        ("/incidents/1%00", 404),
        ("/schools/%00", 404),
        ("/api/v1/indicators", 422),
        ("/api/v1/series", 422),
        ("/api/v1/schools?limit=0", 422),
        ("/api/v1/schools?limit=501", 422),
        ("/api/v1/schools?cursor=-1", 422),
        ("/api/v1/schools?cursor=99999999999999999999", 422),
        ("/api/v1/schools?nothing=1", 422),
        ("/api/v1/devices?school=%27%20OR%201=1", 422),
        ("/api/v1/facts?device=ABC", 422),
        ("/api/v1/incidents?state=maybe", 422),
        ("/api/v1/schools/Mark000X/indicators.csv?lang=fr", 422),
        ("/api/v1/schools/..%2f..%2fetc/indicators.csv", 404),
    ],
)
def test_what_is_not_there_or_not_understood_is_a_problem(ask, path: str, status: int) -> None:
    is_problem(ask().get(path), status)


@pytest.mark.parametrize(
    "times",
    [
        {"from": "yesterday"},
        {"to": "2026-11-23T03:04:05"},
        {"from": "2026-11-23T03:04:05Z", "to": "2026-11-22T03:04:05Z"},
        {"from": "1980-01-01T00:00:00Z"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"to": "1601-01-01T00:00:00Z"},
        {"to": "1970-01-01T00:00:00Z", "from": "1970-01-01T00:00:00Z"},
    ],
)
def test_times_that_are_none_are_a_problem(tree: Tree, ask, times: dict[str, str]) -> None:
    about = {"device": tree.schools[0].devices[0].device, "metric": "processor.busy"}
    (error,) = is_problem(ask().get("/api/v1/series", params={**about, **times}), 422)["errors"]
    assert error["field"] in {"from", "to"}


def test_several_wrong_parameters_are_named_each(ask) -> None:
    body = is_problem(ask().get("/api/v1/facts?device=x&limit=many&name=N"), 422)
    assert {error["field"] for error in body["errors"]} == {"device", "limit", "name"}


@pytest.mark.parametrize(
    ("body", "kind", "statuses"),
    [
        (b"", "application/json", (422,)),
        (b"{", "application/json", (422,)),
        (b"[]", "application/json", (422,)),
        (b"null", "application/json", (422,)),
        (b'{"token":"x","install_id":"01234567","more":1}', "application/json", (422,)),
        (b'{"token":"\\ud800","install_id":"01234567"}', "application/json", (403, 422)),
        (b'{"token":' + b"9" * 5000 + b',"install_id":"01234567"}', "application/json", (400, 422)),
        (b"[" * 30_000, "application/json", (400, 422)),
        (b"\xff\xfe\x00", "application/json", (400, 422)),
        (b'{"token":"x","install_id":"01234567"}', "text/plain", (422,)),
        (b"token=x&install_id=01234567", "application/x-www-form-urlencoded", (422,)),
        (b'{"token":"' + b"x" * BODY_MAX + b'"}', "application/json", (413,)),
    ],
)
def test_a_body_that_is_no_enrolment_is_a_problem(
    anyone: httpx.Client, body: bytes, kind: str, statuses: tuple[int, ...]
) -> None:
    answer = anyone.post("/api/v1/enrol", content=body, headers={"Content-Type": kind})
    is_problem(answer, *statuses)
    assert "xxxx" not in answer.text


def test_a_huge_body_in_pieces_is_cut_off(anyone: httpx.Client) -> None:
    pieces = (b" " * 16_384 for _ in range(1000))
    is_problem(anyone.post("/api/v1/enrol", content=pieces), 413)


def test_a_fault_in_here_says_only_that(
    site: RunningSite, ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("frame key 0123 of /data/schoolwatch.db")

    monkeypatch.setattr(places.registry, "schools", fails)
    answer = ask().get("/api/v1/schools", headers={"Connection": "close"})  # the server closes it too
    body = is_problem(answer, 500)
    assert "0123" not in json.dumps(body)
    assert "RuntimeError" in caplog.text  # whoever runs the server learns why


def test_a_database_that_is_away_is_said_so_and_asked_again_later(
    ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise exc.OperationalError("SELECT", {}, Exception("connection refused"))

    now = [0.0]
    monkeypatch.setattr(answers, "_away", Seldom(300.0, lambda: now[0]))
    monkeypatch.setattr(places.registry, "schools", fails)
    is_problem(ask().get("/api/v1/schools"), 503)
    answer = ask().get("/api/v1/schools")
    assert "database" in is_problem(answer, 503)["detail"]
    assert answer.headers["Retry-After"] == "30"
    assert "connection refused" not in answer.text
    assert caplog.text.count("connection refused") == 1, "whoever looks asks again and again"
    now[0] = 300.0
    is_problem(ask().get("/api/v1/schools"), 503)
    assert caplog.text.count("connection refused") == 2


@pytest.mark.database("sqlite")  # the file is spoilt
def test_a_database_that_is_gone_is_not_ready(tmp_path: Path) -> None:
    make_database(tmp_path)
    with RunningSite(ServerConfig(data=str(tmp_path))) as site:
        client = site.anyone()
        assert client.get("/readyz").status_code == 200
        (tmp_path / "schoolwatch.db").write_bytes(b"no database any more" * 1000)
        (tmp_path / "schoolwatch.db-wal").unlink(missing_ok=True)
        site.engine.dispose()
        is_problem(client.get("/readyz"), 503)
        assert client.get("/healthz").status_code == 200


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
WORD = st.one_of(
    TEXT,
    st.from_regex(NAME, fullmatch=True).filter(lambda text: len(text) < 60),
    st.sampled_from(
        ["Mark000X", "0" * 32, "processor.busy", "open", "true", "2026-11-23T03:04:05Z", "-1", "1e9", "NaN",
         "' OR '1'='1", "%", "\0", "\r\nSet-Cookie: a=b", "../../etc/passwd", "９"]
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
)  # fmt: skip
NAMES = st.sampled_from(
    ["school", "device", "name", "metric", "from", "to", "limit", "cursor", "state", "history", "indicator",
     "lang"]
)  # fmt: skip


@MANY
@given(
    path=st.sampled_from(API),
    code=st.one_of(WORD, st.just("Mark000X")),
    query=st.lists(st.tuples(st.one_of(NAMES, TEXT), WORD), max_size=6),
)
@example(path="/api/v1/series", code="", query=[("to", "9999-12-31T23:59:59Z")])
@example(path="/api/v1/series", code="", query=[("to", "0001-01-01T00:00:00+23:59")])
def test_no_parameters_break_an_endpoint(ask, path: str, code: str, query: list[tuple[str, str]]) -> None:
    path = path.replace("{code}", quote(code, safe="")).replace("{format}", "csv")
    answer = ask().get(path, params=query)
    assert answer.status_code < 500
    assert "set-cookie" not in answer.headers
    if answer.status_code >= 400:
        is_problem(answer)
    elif answer.headers["content-type"] == "application/json":
        assert isinstance(answer.json(), dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@MANY
@given(
    st.one_of(
        st.binary(max_size=300),
        JSON.map(lambda value: json.dumps(value).encode()),
        st.fixed_dictionaries(
            {"token": JSON, "install_id": JSON | st.just("0123456789")}, optional={"agent": JSON, "x": JSON}
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_no_body_breaks_enrolment(site: RunningSite, anyone: httpx.Client, body: bytes) -> None:
    site.app.state.context.attempts.__init__(most=10**9, seconds=60.0)
    answer = anyone.post("/api/v1/enrol", content=body, headers={"Content-Type": "application/json"})
    is_problem(answer, 400, 403, 422)


@MANY
@given(
    name=st.sampled_from(
        ["Authorization", "Cookie", "Accept", "Content-Type", "X-Forwarded-For", "HX-Request"]
    ),
    value=st.binary(max_size=80).map(lambda b: bytes(c for c in b if c >= 0x20 and c != 0x7F).strip()),
    start=st.sampled_from(
        [b"", b"Bearer ", b"Bearer sw_", b"schoolwatch_session=", b"schoolwatch_language="]
    ),
    path=st.sampled_from(["/api/v1/schools", "/healthz", "/api/v1/openapi.json", "/static/x"]),
)
def test_no_header_breaks_an_endpoint(
    anyone: httpx.Client, name: str, value: bytes, start: bytes, path: str
) -> None:
    answer = anyone.get(path, headers=[(name.encode(), (start + value).strip())])
    assert answer.status_code in (200, 303, 401, 404)


def test_names_of_files_come_from_the_formats() -> None:
    assert set(exports._FORMATS) == {chosen.id for chosen in exports.reports.FORMATS}
