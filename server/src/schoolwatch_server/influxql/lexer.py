"""A query as tokens."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from schoolwatch_server.influxql.errors import QueryError

Kind = Literal["name", "quoted", "string", "regex", "number", "duration", "sign", "end"]

QUERY_MAX: Final = 20_000
"""Characters of a query: a panel's with a list of 500 schools has less."""

DIGITS_MAX: Final = 400
"""Characters of a number: no smaller or larger one is told apart by more."""

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<duration>\d+(?:ns|us|u|µs|µ|ms|s|m|h|d|w)(?![A-Za-z0-9_]))
    | (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | "(?P<quoted>(?:[^"\\\n]|\\.)*)"
    | '(?P<string>(?:[^'\\\n]|\\.)*)'
    | (?P<sign>=~|!~|!=|<>|<=|>=|[-+*/%=<>(),.;:])
    """,
    re.VERBOSE | re.ASCII,  # in other scripts' digits and spaces nothing is written, as in InfluxDB
)
_REGEX: Final = re.compile(r"\s*/((?:[^/\\\n]|\\.)*)/", re.ASCII)
_ESCAPED: Final = re.compile(r"\\(.)")


class Token(NamedTuple):
    """A word or sign of a query, without its quotes, and the column where it begins (from 1)."""

    kind: Kind
    text: str
    at: int

    def says(self, *words: str) -> bool:
        """Whether it is one of these keywords or signs; keywords are written as one likes."""
        return self.kind in ("name", "sign") and self.text.upper() in words


def tokens(query: str) -> Iterator[Token]:
    """The tokens, the last of which is an `end`. Raises `QueryError` for what is none."""
    if len(query) > QUERY_MAX:
        raise QueryError(f"a query has at most {QUERY_MAX} characters, this one has {len(query)}")
    if (at := query.find("\0")) >= 0:  # no database takes it
        raise QueryError("found '\\x00', which begins nothing", at + 1)
    position, is_after_match = 0, False
    while position < len(query):
        if is_after_match and (found := _REGEX.match(query, position)):
            yield Token("regex", found[1].replace("\\/", "/"), found.start(1))
            position, is_after_match = found.end(), False
            continue
        found = _TOKEN.match(query, position)
        if found is None and query[position] == "$":
            raise QueryError("$… stands for what Grafana puts there: ask without", position + 1)
        if found is None:
            raise QueryError(f"found {query[position]!r}, which begins nothing", position + 1)
        position = found.end()
        kind = found.lastgroup
        if kind != "space":
            token = _token(found, kind)
            is_after_match = token.says("=~", "!~", "FROM")
            yield token
    yield Token("end", "", len(query) + 1)


def _token(found: re.Match[str], kind: str | None) -> Token:
    text, at = found[kind or 0], found.start() + 1
    match kind:
        case "quoted" | "string":
            return Token("quoted" if kind == "quoted" else "string", _unescaped(text), at)
        case "duration" | "number" if len(text) > DIGITS_MAX:
            raise QueryError(f"{text[:20]}… is too long a number", at)
        case "duration" | "number" | "name":
            return Token(kind, text, at)
    return Token("sign", text, at)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], text)
