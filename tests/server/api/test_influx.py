"""/influx/query: as InfluxDB's, for whoever holds a token, of what that one may see."""

import base64
import gzip
import math
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx
import msgspec
import pytest
from sqlalchemy import event, func, select, update

from schoolwatch_server import packs, rosters, rules
from schoolwatch_server.api import influx, squeezed
from schoolwatch_server.api.bounds import BODY_MAX
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.database import judged, judged_queries, tables
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.indicators.current import count_all
from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.line_history import SpeedTest
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.standings import posture
from schoolwatch_server.standings.keeping import Standings
from schoolwatch_server.store import names
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store.queried import names as held_names
from schoolwatch_server.store.queried.names import NamesHeld
from schoolwatch_server.store.series import Judged
from tree import Tree
from website import RunningSite

Ask = Callable[..., httpx.Client]

PLACES = ("province", "commune", "school")


@pytest.fixture(scope="module")
def judged_tree(tree: Tree) -> Tree:
    """With an indicator of each place, three hours of it."""
    rows = []
    for school in tree.schools:
        ids = {"province": school.province, "commune": school.commune, "school": school.id}
        for depth, level in enumerate(PLACES, 1):
            tags = {"indicator": "studio", "level": level} | {kind: str(ids[kind]) for kind in PLACES[:depth]}
            rows += [
                Judged("indicator", tags, tree.now - back * 3600, 0.5 + back / 10, 1, 2) for back in range(3)
            ]
    with begin_write(tree.engine) as conn:
        judged.write(conn, rows)
        judged.write(conn, list(posture.rows(count_all(conn, packs.load(), tree.now), tree.now)))
    standings = Standings(tree.engine)
    standings.note_open(rules.load(), tree.now, 300.0)
    standings.note_hour(tree.now + 7200)  # the hour in which they opened is over
    standings.note_marks(rules.load(), tree.now)
    standings.note_server(tree.now, 300.0)
    with begin_write(tree.engine) as conn:
        contracts = [{"school_id": s.id, "isp": "VNPT", "subscriber": s.mark} for s in tree.schools]
        conn.execute(tables.line_contract.insert(), [one | {"download_mbps": 100.0} for one in contracts])
        testers = [{"school_id": s.id, "device_id": s.devices[0].id} for s in tree.schools]
        conn.execute(tables.line_tester.insert(), testers)
        kept = msgspec.msgpack.encode([SpeedTest(tree.now, 9e7, 9e7)])
        conn.execute(tables.state.update().values(line_tests=kept))
    standings.note_lines(rules.load(), packs.load(), tree.now)
    return tree


def say(client: httpx.Client, query: str, **more: str) -> httpx.Response:
    return client.get("/influx/query", params={"db": "schoolwatch", "q": query, **more})


def series(client: httpx.Client, query: str) -> list[dict[str, object]]:
    (result,) = say(client, query).json()["results"]
    found: list[dict[str, object]] = result.get("series", [])
    return found


def test_a_panel(ask: Ask, judged_tree: Tree) -> None:
    """The names of places are tags beside their ids."""
    school = judged_tree.schools[0]
    query = (
        "SELECT last(value) FROM indicator WHERE indicator = 'studio' AND level = 'school' AND "
        f"school = '{school.id}' AND time > now() - 1d GROUP BY school_name, commune_name"
    )
    (found,) = series(ask(), query)
    assert found["tags"] == {
        "school_name": f"Trường {school.mark}",
        "commune_name": f"Xã MarkC{school.mark[4:6]}X",
    }
    assert found["columns"] == ["time", "last"]
    assert [row[1] for row in found["values"]] == [0.5]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "measurement",
    [
        "indicator", "school_info", "device_info", names.POSTURE, names.ROLLOUT, names.LINE,
        names.LINE_TEST, *names.OF_INCIDENTS,
    ],
)  # fmt: skip
def test_nobody_reads_of_elsewhere(ask: Ask, judged_tree: Tree, measurement: str) -> None:
    """Neither rows nor names, whichever way they are asked for."""
    queries = [
        f"SELECT last(value) FROM {measurement} GROUP BY *",
        f"SELECT value FROM {measurement}",
        f"SHOW TAG VALUES FROM {measurement} WITH KEY =~ /./",
    ]
    for scope in judged_tree.scopes:
        for query in queries:
            text = say(ask(scope), query).text
            assert not {mark for mark in judged_tree.hidden(scope) if mark in text}, (scope, query)
    ids = {str(school.id) for school in judged_tree.schools}
    query = f"SELECT last(value) FROM {measurement} GROUP BY school"
    for school in judged_tree.schools:
        own = series(ask(Scope("school", school.id)), query)
        assert {one["tags"]["school"] for one in own} == {str(school.id)}  # type: ignore[index]
    everything = series(ask(EVERYTHING), query)
    assert {one["tags"]["school"] for one in everything} >= ids  # type: ignore[index]


def test_schools_of_one_name_in_one_commune_are_told_apart(ask: Ask, judged_tree: Tree) -> None:
    """Else they share a line of the list of schools, and a dashboard: since communes were put together."""
    first, second, other = judged_tree.schools[:3]
    assert first.commune == second.commune != other.commune
    before = {one.code: f"Trường {one.mark}" for one in (second, other)}
    client = ask(EVERYTHING)
    try:
        rename(judged_tree, dict.fromkeys(before, f"Trường {first.mark}"))
        query = "SHOW TAG VALUES FROM {} WITH KEY = school_name WHERE school = '{}'"
        for one, name in (
            (first, f"Trường {first.mark} ({first.code})"),
            (second, f"Trường {first.mark} ({second.code})"),
            (other, f"Trường {first.mark}"),
        ):
            for measurement in ("school_info", "device_info", "indicator"):
                (found,) = series(client, query.format(measurement, one.id))
                assert found["values"] == [["school_name", name]], measurement
        name = rf"^Trường {first.mark} \({second.code}\)$"
        where = f"indicator = 'studio' AND level = 'school' AND school_name =~ /{name}/"
        (found,) = series(client, f"SELECT last(value) FROM indicator WHERE {where} GROUP BY school")
        assert found["tags"] == {"school": str(second.id)}
    finally:
        rename(judged_tree, before)


def rename(tree: Tree, names: Mapping[str, str]) -> None:
    """As the department does it, by a list of schools."""
    text = "Mã trường,Tên trường\n" + "".join(f"{code},{name}\n" for code, name in names.items())
    rosters.take_in(tree.engine, "school", text.encode(), EVERYTHING, by="lan", now=tree.now)


def test_the_servers_own_health_is_for_who_sees_everything(ask: Ask, judged_tree: Tree) -> None:
    """Nor does anybody else see which incidents the server itself has."""
    for measurement, where in ((names.SERVER, "what =~ /./"), (names.INCIDENTS, "level = 'server'")):
        query = f"SELECT last(value) FROM {measurement} WHERE {where} GROUP BY *"
        for scope in judged_tree.scopes:
            assert bool(series(ask(scope), query)) is (scope == EVERYTHING), (measurement, scope)


def test_what_a_device_measured(ask: Ask, judged_tree: Tree) -> None:
    school, other = judged_tree.schools[0], judged_tree.schools[1]
    device = school.devices[0].device
    query = f"SELECT max(value) FROM link_speed WHERE device = '{device}' AND time > now() - 2h GROUP BY nic"
    (found,) = series(ask(Scope("school", school.id)), query)
    assert found["tags"] == {"nic": school.mark}
    assert [row[1] for row in found["values"]] == [1e9]  # type: ignore[attr-defined]
    assert series(ask(Scope("school", other.id)), query) == []
    refused = say(ask(), "SELECT max(value) FROM link_speed").json()["results"][0]
    assert refused["error"] == "link_speed is measured by devices: name some, WHERE device = '…'"


def test_in_a_form_as_csv_with_influxdbs_scheme(site: RunningSite, ask: Ask, judged_tree: Tree) -> None:
    token = ask().headers["authorization"].removeprefix("Bearer ")
    client = site.anyone(headers={"Authorization": f"Token {token}", "Accept": "application/csv"})
    school = judged_tree.schools[0].id
    query = f"SELECT last(value) AS v FROM indicator WHERE school = '{school}' GROUP BY school"
    answer = client.post("/influx/query", data={"q": query, "epoch": "s"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    head, row = answer.text.splitlines()
    assert head == "name,tags,time,v"
    assert row == f"indicator,school={school},{int(judged_tree.now)},0.5"


@pytest.mark.parametrize(
    ("params", "says"),
    [
        (
            {"q": "DROP MEASUREMENT indicator"},
            "error parsing query: found DROP, expected SELECT, SHOW at char 1",
        ),
        ({"q": ""}, "the query is empty"),
        ({"q": "SHOW DATABASES", "epoch": "d"}, "epoch: ns, u, µ, ms, s, m, h"),
    ],
)
def test_what_is_wrong_is_said(ask: Ask, params: dict[str, str], says: str) -> None:
    answer = ask().get("/influx/query", params=params)
    assert answer.status_code == 400
    assert answer.json() == {"error": says}


def test_grafana_finds_in_error_why_nobody_gets_in(site: RunningSite, ask: Ask) -> None:
    for headers in ({}, {"Authorization": "Token"}, {"Authorization": f"Token sw_{'x' * 43}"}):
        answer = site.anyone(headers=headers).get("/influx/query", params={"q": "SHOW DATABASES"})
        assert (answer.status_code, answer.json()["error"]) == (401, answer.json()["detail"])
        assert answer.json()["error"].startswith("send a valid token")
    tells_alone = site.ask(permission="alert").get("/influx/query", params={"q": "SHOW DATABASES"})
    assert (tells_alone.status_code, tells_alone.json()["error"]) == (403, tells_alone.json()["detail"])
    too_long = ask().post("/influx/query", data={"q": "x" * BODY_MAX})
    assert (too_long.status_code, too_long.json()["error"]) == (413, "the body is too large")


@pytest.mark.parametrize(
    "body",
    [b"q=\xff", b"q=%ff", b"q=1" + 20 * b"&a=b", b"SHOW DATABASES", b"--x\r\nContent-Disposition: form-data"],
)
def test_a_body_that_is_no_form(ask: Ask, body: bytes) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = ask().post("/influx/query", content=body, headers=kind)
    assert answer.status_code == 400
    assert "is no form" in answer.json()["error"]


@pytest.mark.parametrize(
    "write", ["Basic {basic}", "basic {basic}", "Token grafana:{token}", "Bearer {token}"]
)
def test_a_token_is_the_password_of_any_user(site: RunningSite, ask: Ask, write: str) -> None:
    """As Grafana, curl, Excel and the client of InfluxDB send a user and a password."""
    token = ask().headers["authorization"].removeprefix("Bearer ")
    basic = base64.b64encode(f"grafana:{token}".encode()).decode()
    client = site.anyone(headers={"Authorization": write.format(basic=basic, token=token)})
    assert client.get("/influx/query", params={"q": "SHOW DATABASES"}).status_code == 200


@pytest.mark.parametrize("said", ["Basic", "Basic x", "Basic eA==", "Basic //8=", "Basic Og==", "Token a:"])
def test_what_is_no_password_is_none(site: RunningSite, said: str) -> None:
    client = site.anyone(headers={"Authorization": said})
    assert client.get("/influx/query", params={"q": "SHOW DATABASES"}).status_code == 401


def test_a_password_opens_nothing_else(site: RunningSite, ask: Ask) -> None:
    """A browser sends what somebody once typed by itself, wherever a strange page leads it."""
    token = ask().headers["authorization"].removeprefix("Bearer ")
    client = site.anyone(auth=("grafana", token))
    assert client.get("/influx/query", params={"q": "SHOW DATABASES"}).status_code == 200
    assert client.get("/api/v1/schools").status_code == 401
    assert client.get("/metrics").status_code == 401


def test_clients_of_influxdb_ask_first_who_is_there(site: RunningSite) -> None:
    answer = site.anyone().get("/influx/ping")
    assert (answer.status_code, answer.content, answer.headers["x-influxdb-version"]) == (204, b"", "1.8.10")


def test_an_answer_for_peoples_eyes(ask: Ask) -> None:
    plain = say(ask(), "SHOW DATABASES")
    pretty = say(ask(), "SHOW DATABASES", pretty="true")
    assert pretty.text.startswith('{\n    "results": [\n')
    assert pretty.json() == plain.json()


def test_one_who_hangs_up_is_answered_no_more(
    site: RunningSite, ask: Ask, judged_tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a dashboard does that somebody leaves: what it asked must not hold a processor until its time."""
    asked, ended = threading.Event(), threading.Event()
    said: list[str] = []

    def endless(query: object, source: Queried) -> None:
        asked.set()
        try:
            while True:
                source._parts[0]._patience.check()  # type: ignore[attr-defined]  # as each part of an answer does
                time.sleep(0.01)
        except QueryError as error:
            said.append(str(error))
            ended.set()
            raise

    monkeypatch.setattr("schoolwatch_server.influxql.answer.select", endless)
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        head = f"Host: x\r\nAuthorization: {ask().headers['authorization']}\r\n\r\n"
        client.sendall(f"GET /influx/query?q=SELECT+value+FROM+indicator HTTP/1.1\r\n{head}".encode())
        assert asked.wait(10)
        assert not ended.is_set()
    assert ended.wait(10)
    assert said == ["whoever asked has gone"]


def test_what_the_first_question_needs_is_read_at_the_start_where_anybody_asks(
    site: RunningSite, ask: Ask, judged_tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started() -> Context:
        context = replace(site.app.state.context, judged_index=JudgedIndex(), names=NamesHeld())
        influx.warm(context).join()
        return context

    with begin_write(judged_tree.engine) as conn:
        conn.execute(update(tables.api_token).values(used_at=None))
    assert not started().judged_index._known.held
    scope = Scope("commune", judged_tree.schools[0].commune)
    say(ask(scope), "SHOW DATABASES")
    context = started()
    assert "indicator" in context.judged_index._known.held
    monkeypatch.setattr(held_names, "_read", None)
    with begin_read(judged_tree.engine) as conn:
        assert str(judged_tree.schools[0].id) in context.names.now(conn, scope).of["school"]


def test_too_much_is_refused(ask: Ask, judged_tree: Tree) -> None:
    query = "SELECT mean(value) FROM indicator WHERE time > now() - 90d GROUP BY time(10s), school"
    (result,) = say(ask(), query).json()["results"]
    said = r"7776\d\d intervals of \d+ series are more than 500000 values: ask for longer intervals, .*"
    assert re.fullmatch(said, result["error"])


def test_of_no_series_there_is_nothing_too_much(ask: Ask, judged_tree: Tree) -> None:
    where = "indicator = 'there is none' AND time > now() - 90d"
    query = f"SELECT mean(value) FROM indicator WHERE {where} GROUP BY time(10s), school"
    assert say(ask(), query).json() == {"results": [{"statement_id": 0}]}


@pytest.mark.parametrize(
    ("accepted", "is_squeezed"),
    [
        ("gzip", True), ("br;q=1.0, GZIP;q=0.5", True), ("identity", False), ("", False),
        ("gzip;q=0, identity", False), ("gzip; q=0.000", False), ("gzipped", False),
    ],
)  # fmt: skip
def test_a_long_answer_is_squeezed_for_whom_asks(
    ask: Ask, judged_tree: Tree, accepted: str, is_squeezed: bool
) -> None:
    query = (
        f"SELECT last(value) FROM indicator WHERE time > {int(judged_tree.now - 9e5)}s GROUP BY time(1h), *"
    )
    client = ask()
    plain = say(client, query, epoch="ms").content
    with client.stream(
        "GET", "/influx/query", params={"q": query, "epoch": "ms"}, headers={"Accept-Encoding": accepted}
    ) as answer:
        raw = b"".join(answer.iter_raw())
    assert len(plain) > squeezed.LEAST
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(raw)
    if is_squeezed:
        assert answer.headers["content-encoding"] == "gzip"
        assert len(raw) < len(plain) / 4
        assert gzip.decompress(raw) == plain
    else:
        assert "content-encoding" not in answer.headers
        assert raw == plain


def test_a_short_answer_is_sent_as_it_is(ask: Ask, judged_tree: Tree) -> None:
    answer = ask().get("/influx/query", params={"q": "SHOW DATABASES"}, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers


EACH = "SELECT last(value) FROM indicator WHERE time > now() - 1d GROUP BY time(1h), school fill(none)"


@pytest.mark.parametrize("query", [EACH, EACH.replace("last", "mean"), "SELECT value FROM indicator"])
def test_a_question_about_very_much_is_read_in_parts_and_ends_in_time(
    ask: Ask, judged_tree: Tree, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    client = ask(EVERYTHING)
    whole = series(client, query)
    assert whole
    for size in ("_READ", "_FOLDED"):
        monkeypatch.setattr(judged_queries, size, 1)
    assert series(client, query) == whole
    monkeypatch.setattr(influx, "SECONDS", -1.0)
    assert "takes too long" in say(client, query).json()["results"][0]["error"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT last(value) FROM link_speed WHERE device = '{device}' AND time > now() - 2h",
        "SELECT last(value) FROM indicator WHERE school_name =~ /.*x.*y/",
        "SHOW TAG VALUES FROM school_info WITH KEY = school_name WHERE school_name =~ /.*x.*y/",
        "SHOW TAG VALUES FROM indicator WITH KEY = indicator",
    ],
)
def test_a_question_about_devices_or_names_ends_in_time(
    ask: Ask, judged_tree: Tree, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    query = query.format(device=judged_tree.schools[0].devices[0].device)
    assert "error" not in say(ask(EVERYTHING), query).json()["results"][0]
    monkeypatch.setattr(influx, "SECONDS", -1.0)
    assert "takes too long" in say(ask(EVERYTHING), query).json()["results"][0]["error"]


def test_a_line_through_many_intervals_is_drawn_in_no_time(ask: Ask, judged_tree: Tree) -> None:
    """A quarter of a million intervals: once they were looked through for each of the points."""
    client, days = ask(EVERYTHING), 29
    with begin_write(judged_tree.engine) as conn:
        tags = {"indicator": "line", "level": "none"}
        rows = [Judged("indicator", tags, judged_tree.now - n * 600, float(n)) for n in range(days * 144)]
        judged.write(conn, rows)
    where = "indicator = 'line' AND time > now() - {}d GROUP BY time(10s) fill(linear)"
    query = f"SELECT mean(value) FROM indicator WHERE {where}"
    began = time.process_time()
    (found,) = series(client, query.format(days))
    assert len(found["values"]) == days * 8640 + 1  # type: ignore[arg-type]
    assert time.process_time() - began < 20


@pytest.mark.parametrize("number", ["1e300", "-1e300", "9.7"])
def test_counts_are_filled_with_any_number(ask: Ask, judged_tree: Tree, number: str) -> None:
    query = f"SELECT count(value) FROM indicator WHERE time > now() - 90d GROUP BY time(1d) fill({number})"
    values = [row[1] for row in series(ask(EVERYTHING), query)[0]["values"]]  # type: ignore[attr-defined]
    assert math.trunc(float(number)) in values


def test_points_as_they_are_have_a_bound(
    ask: Ask, judged_tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judged_queries, "POINTS_MAX", 2)
    answer = say(ask(EVERYTHING), "SELECT value FROM indicator").json()
    assert "more than 2 points" in answer["results"][0]["error"]


def test_a_school_that_came_later_is_found(ask: Ask, judged_tree: Tree) -> None:
    """What there is is held in memory, and looked at anew."""
    query = "SHOW TAG VALUES FROM indicator WITH KEY = level"
    before = series(ask(), query)[0]["values"]
    with begin_write(judged_tree.engine) as conn:
        judged.write(conn, [Judged("indicator", {"indicator": "x", "level": "new"}, judged_tree.now, 1.0)])
    assert series(ask(), query)[0]["values"] == sorted([*before, ["level", "new"]])  # type: ignore[misc]


def test_a_question_holds_one_connection_at_a_time(site: RunningSite, tree: Tree) -> None:
    """Else all who ask at once could wait for each other: a token's use is written down after it."""
    engine = site.app.state.context.engine
    held: Counter[int] = Counter()
    most: list[int] = []

    def out(*_: object) -> None:
        held[threading.get_ident()] += 1
        most.append(max(held.values()))

    def back(*_: object) -> None:
        held[threading.get_ident()] -= 1

    client, query, began = site.ask(EVERYTHING), "SHOW MEASUREMENTS", time.time()
    event.listen(engine, "checkout", out)
    event.listen(engine, "checkin", back)
    try:
        for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer sw_wrong"}):
            for cookie in ("", f"{SESSION_COOKIE}=wrong"):
                params = {"q": query}
                status = client.get(
                    "/influx/query", params=params, headers={**headers, "Cookie": cookie}
                ).status_code
                assert status == (401 if headers else 200)
    finally:
        event.remove(engine, "checkout", out)
        event.remove(engine, "checkin", back)
    assert max(most) == 1
    with begin_read(tree.engine) as conn:
        assert conn.scalar(select(func.max(tables.api_token.c.used_at))) >= began


def test_a_revoked_token_is_refused_at_once(site: RunningSite, tree: Tree) -> None:
    client = site.ask(EVERYTHING)
    assert say(client, "SHOW DATABASES").status_code == 200
    token = tables.api_token.c
    with begin_write(tree.engine) as conn:
        newest = select(func.max(token.id)).scalar_subquery()
        conn.execute(tables.api_token.update().where(token.id == newest).values(revoked_at=time.time()))
    assert say(client, "SHOW DATABASES").status_code == 401
