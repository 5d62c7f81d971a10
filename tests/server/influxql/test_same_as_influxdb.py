"""Queries of the subset give what a real InfluxDB gives: the same series, instants and values."""

import json
import math
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Peer
from influxdb import RunningInfluxDB
from schoolwatch_server.influxql.answer import answer, as_json
from schoolwatch_server.influxql.expression import FUNCTIONS
from schoolwatch_server.influxql.parser import parse
from series_memory import Memory

SECOND = 1_000_000_000
START = 1_795_000_000 * SECOND
"""A day in November 2026."""

MINUTES = 3 * 24 * 60


@pytest.fixture(scope="module")
def world() -> Memory:
    """Three days of series of two measurements, with gaps, and with some that lack a tag or a field."""
    chance = random.Random(7)
    memory = Memory()
    for school in ("1", "2", "3", "40"):
        for isp in ("", "viettel", "vnpt"):
            tags = {"school": school, "commune": str(len(school))} | ({"isp": isp} if isp else {})
            minute = chance.randrange(200)
            while minute < MINUTES:
                values = {"value": round(chance.uniform(-5, 100), 3)}
                if chance.random() < 0.8:
                    values["denominator"] = float(chance.randrange(4))
                memory.add("indicator", tags, START + minute * 60 * SECOND, **values)
                minute += chance.choice((1, 5, 5, 60, 700))
    for device in range(6):
        for minute in range(0, MINUTES, 15):
            at = START + (minute * 60 + device) * SECOND + 123_456_789
            memory.add("link_speed", {"device": f"d{device}", "nic": "eth0"}, at, value=1e9 / (1 + device))
    return memory


@pytest.fixture(scope="module")
def influxdb(
    peer: Peer, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int], world: Memory
) -> Iterator[RunningInfluxDB]:
    running = RunningInfluxDB(peer("influxd"), tmp_path_factory.mktemp("influxdb"), free_port(), free_port())
    try:
        running.start()
        running.write(world.lines())
        yield running
    finally:
        running.stop()


def ours(query: str, world: Memory, epoch: str = "ns") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(as_json(answer(parse(query, START), world), epoch))
    return found


def settled(found: dict[str, Any], *, is_descending: bool) -> dict[str, Any]:
    """With the points of one instant in one order: of several series InfluxDB gives them in any."""
    for result in found["results"]:
        for series in result.get("series", ()):
            series["values"].sort(key=str)
            series["values"].sort(key=lambda row: -row[0] if is_descending else row[0])
    return found


def same(ours: object, theirs: object) -> bool:
    """Equal, numbers to 1e-9."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, float | int) and isinstance(theirs, float | int):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)
    return ours == theirs


_calls = st.builds(
    "{}({})".format,
    st.sampled_from(FUNCTIONS),
    st.sampled_from(['"value"', "denominator"]),
)
_terms = st.one_of(
    _calls,
    st.builds(
        "{} {} {}".format,
        _calls,
        st.sampled_from("+-*/"),
        st.one_of(_calls, st.sampled_from(["2", "0.5", "100"])),
    ),
)
_raw_terms = st.sampled_from(['"value"', "denominator", '"value" / denominator', '"value" * 2'])
_tag_matches = st.sampled_from(
    [
        "\"school\" = '1'", "\"school\" != '1'", "school =~ /^(1|40)$/", "school !~ /^4/", "isp = ''",
        "isp != ''", "isp =~ /viet|^$/", "isp !~ /t$/", "commune = '2'", "school = 'none'", "isp =~ /.*/",
    ]
)  # fmt: skip
_conditions = st.recursive(
    _tag_matches,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner),
    max_leaves=4,
)
_EVERY = ("5m", "17m", "1h", "6h", "1d", "7h", "1d, 3h", "1h, -10m")


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A SELECT of the subset."""
    is_raw = draw(st.integers(0, 4)) == 0
    terms = draw(st.lists(_raw_terms if is_raw else _terms, min_size=1, max_size=3))
    named = [f'{term} AS "c{place}"' if draw(st.booleans()) else term for place, term in enumerate(terms)]
    start = START + draw(st.integers(-3600, 3 * 86400)) * SECOND
    end = start + draw(st.sampled_from([600, 3600, 20_000, 86_400, 200_000])) * SECOND
    sign = draw(st.sampled_from(["<", "<="]))
    where = f"time >= {start // 1_000_000}ms AND time {sign} {end // 1_000_000}ms"
    if draw(st.booleans()):
        where = f"{draw(_conditions)} AND {where}"
    text = f'SELECT {", ".join(named)} FROM "indicator" WHERE {where}'
    tags = draw(st.sampled_from([[], ["school"], ["isp"], ["isp", "school"], ["commune", "isp"], ["*"]]))
    every = [] if is_raw or draw(st.integers(0, 3)) == 0 else [f"time({draw(st.sampled_from(_EVERY))})"]
    if tags or every:
        text += f" GROUP BY {', '.join([*every, *tags])}"
    descending = draw(st.integers(0, 4)) == 0
    if every:
        fills = ["", " fill(null)", " fill(none)", " fill(0)", " fill(-1.5)"]
        text += draw(st.sampled_from(fills if descending else [*fills, " fill(previous)", " fill(linear)"]))
    if descending:
        text += " ORDER BY time DESC"
    # InfluxDB counts the rows of each function by itself, and ties of raw points in any order
    can_be_limited = tags == ["*"] if is_raw else "fill(none)" not in text
    if can_be_limited and draw(st.integers(0, 3)) == 0:
        text += f" LIMIT {draw(st.integers(1, 20))}" + (" OFFSET 2" if draw(st.booleans()) else "")
    if every and draw(st.booleans()):
        text += " tz('Asia/Ho_Chi_Minh')"
    return text


@settings(
    max_examples=int(os.environ.get("SCHOOLWATCH_QUERIES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(query=queries())
def test_generated_queries(query: str, world: Memory, influxdb: RunningInfluxDB) -> None:
    is_descending = "DESC" in query
    mine = settled(ours(query, world), is_descending=is_descending)
    theirs = settled(influxdb.ask(query), is_descending=is_descending)
    assert same(mine, theirs), f"{query}\nours   {mine}\ntheirs {theirs}"
