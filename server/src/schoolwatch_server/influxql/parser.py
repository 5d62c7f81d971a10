"""A query's text as statements; what is not answered here is named, with what is."""

from datetime import UTC, tzinfo
from typing import Final, get_args

from schoolwatch_server.influxql import instant
from schoolwatch_server.influxql.condition import ANY, Match
from schoolwatch_server.influxql.errors import QueryError, shown
from schoolwatch_server.influxql.expression import columns
from schoolwatch_server.influxql.known import Text
from schoolwatch_server.influxql.query import Buckets, Fill, Filling, Show, Shown, Statement
from schoolwatch_server.influxql.reader import Reader
from schoolwatch_server.influxql.undated import Undated
from schoolwatch_server.influxql.where import Bounds, where

STATEMENTS_MAX: Final = 50
"""Statements of one query; a dashboard's panel sends a few."""

EVERY_MIN: Final = 1_000_000
"""Nanoseconds of the shortest interval."""


def parse(query: str, now: int) -> tuple[Statement, ...]:
    """The statements of a query that is asked at `now` (nanoseconds). Raises `QueryError`."""
    text = Text(query)
    if (known := text.known(now)) is not None:
        return known
    found = _parsed(query, now)
    dated = tuple(one if isinstance(one, Show) else one.dated(now) for one in found)
    text.keep(found)
    return dated


def _parsed(query: str, now: int) -> list[Undated | Show]:
    reader = Reader(query)
    found: list[Undated | Show] = []
    while not reader.is_at_end:
        if reader.took(";"):
            continue
        found.append(_statement(reader, now))
        if len(found) > STATEMENTS_MAX:
            raise QueryError(f"at most {STATEMENTS_MAX} statements in one query")
        if not reader.is_at_end:
            reader.take(";")
    if not found:
        raise QueryError("the query is empty")
    return found


def _statement(reader: Reader, now: int) -> Undated | Show:
    token = reader.next
    if reader.took("SELECT"):
        return _select(reader, now)
    if reader.took("SHOW"):
        return _show(reader, now)
    raise reader.unexpected(token, "SELECT, SHOW")


# --- SELECT -------------------------------------------------------------------------------------------


def _select(reader: Reader, now: int) -> Undated:
    wanted = columns(reader)
    if reader.says("INTO"):
        raise QueryError("SELECT … INTO: nothing is written by a query", reader.next.at)
    reader.take("FROM")
    measurement = _measurement(reader)
    bounds = where(reader, now) if reader.took("WHERE") else Bounds()
    tags, every, fill = _grouped(reader) if reader.took("GROUP") else ((), None, Fill())
    is_descending = _ordered(reader)
    limit, offset = _limited(reader)
    zone: tzinfo = UTC
    if reader.took("TZ"):
        zone = instant.zone_named(reader.argument("string").text)
    return Undated(
        wanted,
        measurement,
        bounds.tags,
        bounds.times,
        every,
        tags,
        fill,
        is_descending,
        limit,
        offset,
        zone,
    )


def _measurement(reader: Reader) -> str:
    """The last of `"database"."policy"."measurement"`: there is one database and one policy."""
    if reader.says("("):
        raise QueryError("a query within a query is not answered here: name a measurement", reader.next.at)
    if reader.next.kind == "regex":
        raise QueryError("FROM /…/ is not answered here: name one measurement", reader.next.at)
    name = reader.name("a measurement")
    while reader.took("."):
        if reader.says("."):
            continue
        name = reader.name("a measurement")
    if reader.says(","):
        raise QueryError("one measurement in FROM", reader.next.at)
    return name


def _grouped(reader: Reader) -> tuple[tuple[str, ...] | None, Buckets | None, Fill]:
    reader.take("BY")
    tags: list[str] = []
    is_all, every = False, None
    while True:
        if reader.took("*"):
            is_all = True
        elif reader.says("TIME") and reader.next.kind == "name":
            every = _every(reader)
        else:
            tags.append(reader.column("a tag, time(), *"))
        if not reader.took(","):
            break
    fill = _fill(reader) if reader.took("FILL") else Fill()
    return (None if is_all else tuple(dict.fromkeys(tags))), every, fill


def _every(reader: Reader) -> Buckets:
    reader.take("TIME")
    reader.take("(")
    every = instant.duration(reader.expect("duration").text)
    if every < EVERY_MIN:
        raise QueryError("time() needs a duration of at least 1ms", reader.next.at)
    offset = 0
    if reader.took(","):
        sign = -1 if reader.took("-") else 1
        offset = sign * instant.duration(reader.expect("duration").text)
    reader.take(")")
    return Buckets(every, offset)


def _fill(reader: Reader) -> Fill:
    reader.take("(")
    token = reader.next
    sign = -1.0 if reader.took("-") else 1.0
    if reader.next.kind == "number":
        fill = Fill("number", sign * reader.number())
    else:
        how = reader.name("null, none, previous, linear, a number").lower()
        if how not in get_args(Filling) or how == "number":
            raise reader.unexpected(token, "null, none, previous, linear, a number")
        fill = Fill(how)  # type: ignore[arg-type]
    reader.take(")")
    return fill


def _ordered(reader: Reader) -> bool:
    if not reader.took("ORDER"):
        return False
    reader.take("BY")
    if not reader.took("TIME"):
        raise reader.unexpected(reader.next, "time: nothing else is sorted by")
    if reader.took("DESC"):
        return True
    reader.took("ASC")
    return False


def _limited(reader: Reader) -> tuple[int, int]:
    """LIMIT and OFFSET. InfluxDB 3 has no SLIMIT, and 1.x counts series of other times by it."""
    if reader.says("SLIMIT", "SOFFSET"):
        raise QueryError(f"{reader.next.text} is not answered here: ask for fewer series", reader.next.at)
    limit = _count(reader) if reader.took("LIMIT") else 0
    return limit, _count(reader) if reader.took("OFFSET") else 0


def _count(reader: Reader) -> int:
    token = reader.expect("number")
    if not token.text.isdecimal() or len(token.text) > 9:
        raise QueryError(f"{shown(token.text)} is no count", token.at)
    return int(token.text)


# --- SHOW ---------------------------------------------------------------------------------------------


def _show(reader: Reader, now: int) -> Show:
    what = _shown(reader)
    if what in ("databases", "policies"):
        if what == "policies" and reader.took("ON"):
            reader.name("a database")
        return Show(what)
    if reader.took("ON"):
        reader.name("a database")
    named, measurement = None, ""
    if what == "measurements" and reader.took("WITH"):
        reader.take("MEASUREMENT")
        named = _match(reader, "measurement")
    elif what != "measurements" and reader.took("FROM"):
        if reader.next.kind == "regex":
            named = Match("measurement", "=~", reader.step().text)
        else:
            measurement = _measurement(reader)
    keys = _keys(reader) if what == "tag_values" else ()
    bounds = where(reader, now) if reader.took("WHERE") else Bounds()
    if what == "field_keys" and bounds.tags != ANY:
        raise QueryError("SHOW FIELD KEYS takes no WHERE")
    limit, offset = _limited(reader)
    return Show(what, measurement, named, keys, bounds.tags, limit, offset)


def _shown(reader: Reader) -> Shown:
    token = reader.next
    if reader.took("DATABASES"):
        return "databases"
    if reader.took("MEASUREMENTS"):
        return "measurements"
    for first, second, what in _TWO_WORDS:
        if reader.says(first):
            reader.take(first)
            if reader.took(second):
                return what
            if first != "TAG":
                break
            reader.take("VALUES")
            return "tag_values"
    raise reader.unexpected(
        token, "DATABASES, MEASUREMENTS, TAG KEYS, TAG VALUES, FIELD KEYS, RETENTION POLICIES after SHOW"
    )


_TWO_WORDS: Final[tuple[tuple[str, str, Shown], ...]] = (
    ("TAG", "KEYS", "tag_keys"),
    ("FIELD", "KEYS", "field_keys"),
    ("RETENTION", "POLICIES", "policies"),
)


def _match(reader: Reader, tag: str) -> Match:
    if reader.took("=~"):
        return Match(tag, "=~", reader.expect("regex").text)
    reader.take("=")
    return Match(tag, "=", reader.name("a name"))


def _keys(reader: Reader) -> tuple[Match, ...]:
    reader.take("WITH")
    reader.take("KEY")
    if not reader.took("IN"):
        return (_match(reader, "key"),)
    reader.take("(")
    found = [Match("key", "=", reader.name("a tag"))]
    while reader.took(","):
        found.append(Match("key", "=", reader.name("a tag")))
    reader.take(")")
    return tuple(found)
