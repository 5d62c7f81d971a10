"""Queries that are made up for tests, and whether two answers are the same."""

import json
import math
from typing import Any

from hypothesis import strategies as st

from schoolwatch_server.influxql.answer import answer, as_json
from schoolwatch_server.influxql.expression import FUNCTIONS
from schoolwatch_server.influxql.parser import parse
from schoolwatch_server.influxql.source import Source

SECOND = 1_000_000_000
START = 1_795_000_000 * SECOND
"""A day in November 2026."""


def asked(query: str, source: Source, epoch: str = "ns") -> dict[str, Any]:
    """What our own program answers from a source, as JSON."""
    found: dict[str, Any] = json.loads(as_json(answer(parse(query, START), source), epoch))
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
_raw_terms = st.sampled_from(
    ['"value"', "denominator", '"value" / denominator', '"value" * 2', '"value" + 0 * denominator']
)
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
        text += f" LIMIT {draw(st.sampled_from([1, 1, *range(2, 20)]))}"
        text += " OFFSET 2" if draw(st.booleans()) else ""
    if every and draw(st.booleans()):
        text += " tz('Asia/Ho_Chi_Minh')"
    return text
