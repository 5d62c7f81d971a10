"""What is not answered is refused with a reason; nothing that is written breaks it."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolwatch_server.influxql import known
from schoolwatch_server.influxql.condition import Both, Either, Match, allowed, compiled
from schoolwatch_server.influxql.errors import SHOWN_MAX, TEXT_MAX, QueryError
from schoolwatch_server.influxql.known import LONGEST
from schoolwatch_server.influxql.parser import parse
from schoolwatch_server.influxql.query import Buckets, Fill, Select, Show, Span

SECOND = 1_000_000_000
NOW = 1_795_000_000 * SECOND


def test_a_panels_query() -> None:
    """As Grafana writes it."""
    (query,) = parse(
        'SELECT last("value") AS "Giá trị" FROM "autogen"."indicator" WHERE ("school" =~ /^(1|2)$/) AND '
        'time >= 1795000000000ms and time <= 1795003600000ms GROUP BY time(5m), "school" fill(previous) '
        "ORDER BY time ASC LIMIT 10 tz('Asia/Ho_Chi_Minh')",
        NOW,
    )
    assert isinstance(query, Select)
    assert query.measurement == "indicator"
    assert query.columns[0].name == "Giá trị"
    assert query.span == Span(NOW, NOW + 3600 * SECOND + 1)
    assert query.buckets == Buckets(300 * SECOND, -7 * 3600 * SECOND)
    assert query.fill == Fill("previous")
    assert query.tags == ("school",)
    assert query.where == Match("school", "=~", "^(1|2)$")
    assert allowed(query.where, "school") == {"1", "2"}


def test_shown() -> None:
    statements = parse(
        'SHOW TAG VALUES ON "schoolwatch" FROM indicator WITH KEY IN ("school", "commune") '
        "WHERE level = 'x' LIMIT 5; show measurements with measurement =~ /^ind/; SHOW DATABASES",
        NOW,
    )
    keys = (Match("key", "=", "school"), Match("key", "=", "commune"))
    assert statements[0] == Show("tag_values", "indicator", None, keys, Match("level", "=", "x"), 5)
    assert statements[1] == Show("measurements", named=Match("measurement", "=~", "^ind"))
    assert statements[2] == Show("databases")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "the query is empty"),
        ("DROP DATABASE x", "expected SELECT, SHOW"),
        ("DELETE FROM x", "expected SELECT, SHOW"),
        ("SELECT value INTO y FROM x", "nothing is written"),
        ("SELECT * FROM x", "name the fields"),
        ("SELECT mode(value) FROM x", "mode() is not answered here; these are: count, sum"),
        ("SELECT last(value), value FROM x", "mixing aggregate and non-aggregate"),
        ("SELECT value FROM (SELECT value FROM x)", "a query within a query"),
        ("SELECT value FROM x, y", "one measurement"),
        ("SELECT value FROM x WHERE value > 1", "fields with nothing here"),
        ("SELECT value FROM x WHERE time > 1 OR time < 2", "not beside OR"),
        ("SELECT mean(value) FROM x GROUP BY time(5m)", "needs a beginning"),
        ("SELECT value FROM x WHERE time > 0 GROUP BY time(5m)", "at least one aggregate"),
        ("SELECT mean(value) FROM x WHERE time > 0 GROUP BY time(0s)", "at least 1ms"),
        ("SELECT mean(value) FROM x WHERE time > 0 GROUP BY time(1h) fill(zero)", "expected null, none"),
        ("SELECT value FROM x tz('Mars/Olympus')", "unable to find time zone"),
        (
            "SELECT mean(value) FROM x WHERE time > 0 GROUP BY time(1d) tz('Europe/Paris')",
            "without summer time",
        ),
        ("SELECT value FROM x WHERE time > 'yesterday'", "'yesterday' is no time"),
        ("SELECT value FROM x WHERE t =~ /(a+)+$/", "a group is not repeated"),
        ("SELECT value FROM x WHERE t =~ /[/", "not a regular expression"),
        ("SELECT value FROM x SLIMIT 5", "SLIMIT is not answered here"),
        ("SELECT value FROM x LIMIT 1.5", "1.5 is no count"),
        ("SHOW SERIES", "after SHOW"),
        ("SELECT value FROM x WHERE time > now() - ٣h", "found '٣', which begins nothing at char 42"),
        ("SELECT value FROM x LIMIT １０", "found '１', which begins nothing at char 27"),
        ("SELECT value FROM x WHERE time > '２０２６-11-29'", "is no time"),
        ("SELECT value FROM x WHERE time > '2026-11-29T٠٧:00:00Z'", "is no time"),
        ("SELECT value FROM\u00a0x", "which begins nothing"),
        ("SELECT value FROM /x/", "name one measurement"),
        ("SELECT count(distinct(value)) FROM m", "a function within count() is not answered here"),
        ("SELECT mean(*) FROM m", "mean() of all fields is not answered here"),
        ("SELECT mean(/x/) FROM m", "mean() of all fields is not answered here"),
        ("SELECT value FROM m WHERE $timeFilter", "$… stands for what Grafana puts there"),
        ("SELECT value FROM x WHERE \"a\"::float = 'b'", "expected FIELD"),
        ("SELECT value FROM x; ; SELECT", "a field or a function"),
        ("SELECT value FROM x WHERE " + "(" * 40, "too many parentheses"),
        ("SELECT value FROM x" + "; SELECT value FROM x" * 60, "at most 50 statements"),
        ("SELECT value FROM x WHERE t = 'a" + "a" * 30_000, "at most 20000 characters"),
        ("SELECT value ~ FROM x", "'~', which begins nothing at char 14"),
        ("SELECT value FROM x WHERE t = '\0'", "'\\x00', which begins nothing at char 32"),
        ("SELECT value FROM x WHERE t =~ /" + ".?" * 40 + r"\d/", "too much for one"),
        ("SELECT value FROM x WHERE t =~ /" + "(a|a)" * 40 + r"\d/", "too much for one"),
        (r"SELECT value FROM x WHERE t =~ /^(a|a|\\)+$/", "a group is not repeated"),
        (r"SELECT value FROM x WHERE t =~ /.*.*.*\d/", "too much for one"),
        ("SELECT value FROM x WHERE t =~ /" + "}?" * 40 + r"\d/", "too much for one"),
        ("SELECT value FROM x WHERE t =~ /[[:alpha:]]/", "too much for one"),
        ("SELECT value FROM x WHERE time > -'2020-01-01'", "a duration or a number"),
        ("SELECT last(value)" + "+1" * 5000 + " FROM x", "at most 200 of AND, OR, +"),
        ("SELECT last(value)" + "*1" * 5000 + " FROM x", "at most 200 of AND, OR, +"),
        ("SELECT value FROM x WHERE t = ''" + " AND t = ''" * 1500, "at most 200 of AND, OR, +"),
        ("SELECT value FROM x WHERE t = ''" + " OR t = ''" * 1500, "at most 200 of AND, OR, +"),
        ("SELECT value FROM x WHERE time > " + "9" * 6000, "is too long a number"),
        ("SELECT value FROM x WHERE time > now() - " + "9" * 6000 + "s", "is too long a number"),
        ("SELECT value FROM x WHERE time > now() - 99999w", "is longer than all of time"),
        ("SELECT mean(value) FROM x WHERE time > 0 GROUP BY time(9999999w)", "is longer than all of time"),
        ("SELECT mean(value) FROM x WHERE time > 0 GROUP BY time(1h, 9999999w)", "is longer than all"),
        ("SELECT mean(value) FROM x WHERE time > 0 GROUP BY time(1h) fill(1e999)", "too large a number"),
        ("SELECT mean(value) * 1e999 FROM x", "too large a number"),
    ],
)
def test_what_is_refused(query: str, says: str) -> None:
    with pytest.raises(QueryError, match=re.escape(says)):
        parse(query, NOW)


def test_a_range_before_1970() -> None:
    (query,) = parse("SELECT value FROM x WHERE time >= -3600000ms AND time <= -1ms", NOW)
    assert isinstance(query, Select)
    assert query.span == Span(-3600 * SECOND, -999_999)


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parse(text, NOW)
    except QueryError as error:
        told = str(error)
    else:
        told = "parsed"
    assert told


_WORDS = [
    "SELECT",
    "FROM",
    "WHERE",
    "time",
    ">",
    ">=",
    "=",
    "=~",
    "/^a|b$/",
    "'x'",
    '"y"',
    "now()",
    "-",
    "1h",
    "AND",
    "OR",
    "(",
    ")",
    "mean",
    "value",
    ",",
    "GROUP",
    "BY",
    "time(5m)",
    "fill(null)",
    "LIMIT",
    "3",
    "SHOW",
    "TAG",
    "VALUES",
    "WITH",
    "KEY",
    ";",
    "tz('UTC')",
    ".",
    "*",
    "1e999",
    "9999999999999999999",
    "0s",
]


@given(st.lists(st.sampled_from(_WORDS), max_size=30))
def test_any_words_are_parsed_or_refused(words: list[str]) -> None:
    try:
        parse(" ".join(words), NOW)
    except QueryError as error:
        told = str(error)
    else:
        told = "parsed"
    assert told


def test_what_a_condition_leaves_of_a_tag() -> None:
    one, two = Match("a", "=", "1"), Match("a", "=~", "^(1|2\\.5)$")
    assert allowed(Both(one, two), "a") == {"1"}
    assert allowed(Either(one, two), "a") == {"1", "2.5"}
    assert allowed(Either(one, Match("b", "=", "1")), "a") is None
    for regex in ("^1|2$", "1", "^(1|.)$", "^(a)|(b)$", "^(1|2)", "(?i)^(a|b)$"):
        assert allowed(Match("a", "=~", regex), "a") is None, regex


@pytest.mark.parametrize(
    "regex",
    [
        "^(" + "|".join(f"Trường THPT {number}" for number in range(500)) + ")$", ".*", "^.*$", "THPT.*Hoa.*",
        r"^Trường \(cơ sở 2\)$", "^(THPT|THCS) .*[0-9]+$", "(?i)th?pt", "viet|^$", "^a.*b|^c.*d|^e.*f",
    ],
)  # fmt: skip
def test_what_people_and_grafana_write_is_a_regular_expression(regex: str) -> None:
    assert compiled(regex).pattern == regex


@given(st.text(alphabet="ab|()*?+.\\[]x{1,}$^", max_size=40))
@settings(deadline=None)
@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")  # of Python, about [[ and || in a class
def test_no_regular_expression_takes_long(regex: str) -> None:
    try:
        found = compiled(regex)
    except QueryError:
        return
    began = time.process_time()
    found.search("ab" * 40 + "!")
    assert time.process_time() - began < 1.0


LONG = "A" * 9000


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT value FROM x tz('{LONG}')",
        f"SELECT {LONG}(value) FROM x",
        f"SELECT value FROM x WHERE time > '{LONG}'",
        f"SELECT value FROM x GROUP BY time({'1' * 390}d)",
        f"SELECT value FROM x LIMIT {'1' * 390}",
        f"SELECT value FROM x WHERE a =~ /{LONG}(/",
        f"SELECT value FROM x WHERE a =~ /({LONG})*/",
        f"SELECT value FROM x WHERE a > '{LONG}'",
        f"SELECT value FROM x {LONG}",
        f"{LONG} value",
        f"SELECT '{LONG}' FROM x",
        f"SHOW {LONG}",
        f'SHOW "{LONG}"',
        f"SELECT value FROM x fill({LONG})",
    ],
)
def test_an_error_repeats_little_of_what_was_typed(query: str) -> None:
    with pytest.raises(QueryError) as found:
        parse(query, 0)
    assert len(str(found.value)) <= TEXT_MAX + 20
    assert max(map(len, re.findall("[A1]+", str(found.value))), default=0) <= SHOWN_MAX


def test_what_grafanas_editor_writes_behind_names() -> None:
    text = 'SELECT mean("value"{}) FROM "x" WHERE ("a"{} =~ /^b$/) AND time > 0 GROUP BY time(1h), "c"{}'
    assert parse(text.format("::field", "::tag", "::tag"), 0) == parse(text.format("", "", ""), 0)
    assert parse('SELECT "value"::field FROM x', 0) == parse('SELECT "value" FROM x', 0)


def test_classes_of_a_regular_expression_are_those_of_influxdb() -> None:
    """RE2 knows digits and letters of ASCII alone behind a backslash, and all letters where case is none."""
    assert not compiled(r"^\d$").search("٣")
    assert not compiled(r"^\w$").search("đ")
    assert compiled("(?i)đống").search("ĐỐNG ĐA")


ONE, TWO = 1_700_000_000_000, 1_800_000_000_000


@pytest.mark.parametrize(
    "query",
    [
        "SELECT last(value) FROM x WHERE time >= {}ms and time <= {}ms GROUP BY time(1m) tz('Etc/GMT-7')",
        "SELECT value FROM x WHERE time >= {}ms; SELECT value FROM y WHERE a = '1' AND time <= {}ms - 1h",
        "SELECT value FROM x WHERE a = 'time >= {}ms' AND time >= {}ms",
        "SELECT value FROM x WHERE a =~ /time >= {}ms/ AND time <= {}ms",
        "SELECT value FROM \"time >= {}ms\" WHERE time >= {}ms AND time <= '2026-11-29' tz('Etc/GMT-7')",
        "SHOW TAG VALUES FROM x WITH KEY = a WHERE time >= {}ms AND time <= {}ms",
        "SELECT value FROM x WHERE time >= -{}ms AND {}ms >= time AND time <= now()",
    ],
)
def test_a_query_that_comes_again_is_of_its_own_times(query: str) -> None:
    """Whatever was kept of it."""
    for first, second in ((ONE, TWO), (5, TWO), (TWO, ONE), (ONE, ONE)):
        text = query.format(first, second)
        for now in (NOW, NOW + 1):
            anew = parse(f"{text};" + ";" * LONGEST, now)  # too long to be kept
            assert parse(text, now) == anew == parse(text, now)


@pytest.mark.parametrize("instant", ["0", "9" * 18])
def test_a_query_that_comes_again_is_refused_for_its_own_times(instant: str) -> None:
    query = "SELECT last(value) FROM x WHERE time >= {}ms GROUP BY time(1m), again tz('Asia/Ho_Chi_Minh')"
    assert parse(query.format(ONE), NOW) == parse(query.format(ONE), NOW)
    for text in (query.format(instant), query.format(instant) + ";" * LONGEST):
        if instant == "0":
            parse(text, NOW)
        else:
            with pytest.raises(QueryError, match="longer than all of time"):
                parse(text, NOW)


def test_few_queries_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "TEXTS_MAX", 3)
    for n in range(10):
        parse(f"SELECT value FROM kept{n} WHERE time >= 1ms", NOW)
    assert len(known._known) <= 3
