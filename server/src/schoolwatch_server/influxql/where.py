"""WHERE: between which instants, and of which series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Final

from schoolwatch_server.influxql import instant
from schoolwatch_server.influxql.condition import (
    ANY,
    Anything,
    Both,
    Condition,
    Either,
    Match,
    Sign,
    compiled,
)
from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.influxql.query import Span
from schoolwatch_server.influxql.reader import Reader

DEPTH_MAX: Final = 30
"""Parentheses within parentheses."""

_SIGNS: Final[dict[str, Sign]] = {"=": "=", "!=": "!=", "<>": "!=", "=~": "=~", "!~": "!~"}
_TURNED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}


@dataclass(frozen=True, slots=True)
class Limit:
    """`time` compared with an instant (nanoseconds), or with a text that a zone turns into one.

    `place` is where in the query a duration stands for the instant (from 1), 0 where another word does.
    """

    sign: str
    at: int | str
    plus: int = 0
    place: int = 0
    is_now: bool = False

    def span(self, zone: tzinfo, said: int | str) -> Span:
        """The instants that are meant, where this is said for `at`."""
        at = (instant.instant(said, zone) if isinstance(said, str) else said) + self.plus
        at = max(min(at, instant.LATEST - 1), instant.EARLIEST)
        match self.sign:
            case ">":
                return Span(start=at + 1)
            case ">=":
                return Span(start=at)
            case "<":
                return Span(end=at)
            case "<=":
                return Span(end=at + 1)
        return Span(at, at + 1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What WHERE says of time, and of tags."""

    times: tuple[Limit, ...] = ()
    tags: Condition = field(default=ANY)

    def both(self, other: "Bounds") -> "Bounds":
        """Both of them."""
        if isinstance(self.tags, Anything) or isinstance(other.tags, Anything):
            tags = other.tags if isinstance(self.tags, Anything) else self.tags
        else:
            tags = Both(self.tags, other.tags)
        return Bounds((*self.times, *other.times), tags)


def span(times: Sequence[Limit], zone: tzinfo, instants: Mapping[int, int]) -> Span:
    """The instants that all limits leave; `instants` stand for those of their places."""
    spans = [limit.span(zone, instants.get(limit.place, limit.at)) for limit in times]
    start = max((span.start for span in spans), default=instant.EARLIEST)
    return Span(start, max(start, min((span.end for span in spans), default=instant.LATEST)))


def where(reader: Reader, now: int) -> Bounds:
    """All that stands after WHERE."""
    found = _all_of(reader, now)
    while reader.joins("OR"):
        at = reader.step().at
        other = _all_of(reader, now)
        if found.times or other.times:
            raise QueryError("time stands beside AND alone, not beside OR", at)
        found = Bounds((), Either(found.tags, other.tags))
    return found


def _all_of(reader: Reader, now: int) -> Bounds:
    found = _one(reader, now)
    while reader.joins("AND"):
        reader.step()
        found = found.both(_one(reader, now))
    return found


def _one(reader: Reader, now: int) -> Bounds:
    if reader.took("("):
        reader.depth += 1
        if reader.depth > DEPTH_MAX:
            raise QueryError("too many parentheses", reader.next.at)
        found = where(reader, now)
        reader.take(")")
        reader.depth -= 1
        return found
    if reader.next.kind in ("name", "quoted"):
        token = reader.step()
        if token.text.lower() == "time":
            return Bounds((_limit(reader, now),))
        if not (token.kind == "name" and token.text.lower() == "now"):
            reader.cast()
            return Bounds((), _match(reader, token.text))
        raise reader.unexpected(token, "a tag or time")
    return Bounds((_turned(reader, now),))


def _limit(reader: Reader, now: int) -> Limit:
    sign = reader.step()
    if sign.kind != "sign" or sign.text not in _TURNED:
        raise reader.unexpected(sign, "=, <, <=, >, >= after time")
    return _moment(reader, now, sign.text)


def _turned(reader: Reader, now: int) -> Limit:
    """`1700000000s <= time`."""
    limit = _moment(reader, now, "=")
    sign = reader.step()
    if sign.text not in _TURNED or not reader.took("TIME"):
        raise reader.unexpected(sign, "a comparison with time")
    return replace(limit, sign=_TURNED[sign.text])


def _moment(reader: Reader, now: int, compared: str) -> Limit:
    sign = -1 if reader.took("-") else 1  # before 1970, as Grafana asks for it
    token = reader.step()
    at: int | str
    if token.kind == "duration":
        at = sign * instant.duration(token.text)
    elif token.kind == "number" and token.text.isdecimal():
        at = sign * int(token.text)
    elif sign < 0:
        raise reader.unexpected(token, "a duration or a number of ns after -")
    elif token.kind == "string":
        at = token.text
    elif token.says("NOW"):
        reader.take("(")
        reader.take(")")
        at = now
    else:
        raise reader.unexpected(token, "now(), a time as '2026-11-29T07:00:00Z', a number of ns")
    plus = 0
    while reader.says("+", "-"):
        sign = 1 if reader.step().text == "+" else -1
        plus += sign * instant.duration(reader.expect("duration").text)
    place = token.at if token.kind == "duration" else 0
    return Limit(compared, at, plus, place, token.says("NOW"))


def _match(reader: Reader, tag: str) -> Match:
    sign = reader.step()
    if sign.text not in _SIGNS or sign.kind != "sign":
        raise reader.unexpected(sign, "=, !=, =~, !~: tags are compared with texts, fields with nothing here")
    if _SIGNS[sign.text] in ("=~", "!~"):
        token = reader.expect("regex")
        compiled(token.text)
        return Match(tag, _SIGNS[sign.text], token.text)
    token = reader.next
    if token.kind != "string":
        raise reader.unexpected(token, "a text in single quotes: fields are compared with nothing here")
    return Match(tag, _SIGNS[sign.text], reader.step().text)
