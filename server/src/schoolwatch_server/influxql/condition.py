"""Which series a query asks for: conditions on their tags."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from schoolwatch_server.influxql.errors import QueryError, shown

Sign = Literal["=", "!=", "=~", "!~"]

REGEX_MAX: Final = 10_000
"""Characters of a regular expression: a variable of Grafana with all of a commune's schools has fewer."""

WAYS_MAX: Final = 20_000
"""Ways in which a regular expression may be tried at one place of a text: a variable of Grafana with all of a
commune's schools has one for each."""

_REPEATED: Final = 64
"""Ways of what is repeated or may be left out: as many as a long name has characters."""

_LITERAL: Final = re.compile(r"(?:[^\\.+*?()|\[\]{}^$]|\\[^A-Za-z0-9])*")
_ATOM: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
"""What stands for one character."""

_ANYTHING_LAST: Final = re.compile(r"\.\*\$?\Z")
_NOT_OURS: Final = re.compile(r"\\[1-9]|\(\?(?!:|i\))|\[:")
"""What Python's expressions have and RE2's have not, and the other way round."""


@dataclass(frozen=True, slots=True)
class Match:
    """A tag compared with a text or a regular expression; a series without the tag has an empty one."""

    tag: str
    sign: Sign
    text: str

    def holds(self, value: str) -> bool:
        """Whether a value of the tag is one of those meant."""
        return self.test()(value)

    def test(self) -> Callable[[str], bool]:
        """The same for many values."""
        match self.sign:
            case "=":
                return self.text.__eq__
            case "!=":
                return self.text.__ne__
            case "=~":
                search = compiled(self.text).search
                return lambda value: search(value) is not None
            case "!~":
                search = compiled(self.text).search
                return lambda value: search(value) is None


@dataclass(frozen=True, slots=True)
class Both:
    """Two conditions of which both must hold."""

    left: "Condition"
    right: "Condition"


@dataclass(frozen=True, slots=True)
class Either:
    """Two conditions of which one is enough."""

    left: "Condition"
    right: "Condition"


@dataclass(frozen=True, slots=True)
class Anything:
    """No condition."""


Condition = Match | Both | Either | Anything
ANY: Final = Anything()


Tags = Mapping[str, str]


def meant(condition: Condition) -> Callable[[Tags], bool]:
    """Says of the tags of a series whether it is asked for: the condition is looked through once for all."""
    match condition:
        case Match(tag):
            is_one = condition.test()
            return lambda tags: is_one(tags.get(tag, ""))
        case Both(left, right):
            first, second = meant(left), meant(right)
            return lambda tags: first(tags) and second(tags)
        case Either(left, right):
            first, second = meant(left), meant(right)
            return lambda tags: first(tags) or second(tags)
    return lambda _: True


def parts(condition: Condition) -> tuple[Condition, ...]:
    """What must all hold."""
    match condition:
        case Both(left, right):
            return (*parts(left), *parts(right))
        case Anything():
            return ()
    return (condition,)


def allowed(condition: Condition, tag: str) -> frozenset[str] | None:
    """The only values of a tag that can be asked for; None when the condition names no such list."""
    return lists(condition).get(tag)


def lists(condition: Condition) -> Mapping[str, frozenset[str]]:
    """The same of all tags of which it names such lists."""
    match condition:
        case Match(tag, "=", text):
            return {tag: frozenset({text})}
        case Match(tag, "=~", text):
            values = _listed(text)
            return {} if values is None else {tag: values}
        case Both(left, right):
            first, second = lists(left), lists(right)
            both = {tag: first[tag] & second[tag] for tag in first.keys() & second.keys()}
            return {**first, **second, **both}
        case Either(left, right):
            first, second = lists(left), lists(right)
            return {tag: first[tag] | second[tag] for tag in first.keys() & second.keys()}
    return {}


@lru_cache(256)
def _listed(regex: str) -> frozenset[str] | None:
    """The texts of `^(a|b)$`, as Grafana writes a variable with several values."""
    found = re.fullmatch(r"\^\(?(.*?)\)?\$", regex, re.DOTALL)
    if found is None or regex.startswith("^(") != regex.endswith(")$"):
        return None
    parts = found[1].split("|")
    if len(parts) > 1 and not regex.startswith("^("):
        return None
    if not all(_LITERAL.fullmatch(part) for part in parts):
        return None
    return frozenset(re.sub(r"\\(.)", r"\1", part) for part in parts)


@lru_cache(256)
def compiled(text: str) -> re.Pattern[str]:
    """A regular expression that can't take long. Raises `QueryError` for one that might, or that is none.

    InfluxDB's (RE2) never takes long; Python's does when what is repeated is repeated again.
    """
    if len(text) > REGEX_MAX:
        raise QueryError(f"a regular expression has at most {REGEX_MAX} characters, this one has {len(text)}")
    if _NOT_OURS.search(text) or _ways(text) > WAYS_MAX:
        raise QueryError(f"/{shown(text)}/: too much for one regular expression")
    try:
        # as in RE2 \d, \w, \s and \b know ASCII alone, while (?i) knows all letters
        return re.compile(text, 0 if "(?i)" in text else re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise QueryError(f"/{shown(text)}/: not a regular expression: {error}") from None


def _ways(regex: str) -> int:
    """Of what stands in a row the ways multiply, of what stands beside `|` they add up.

    At the end `.*` takes what is left, whatever that is. Raises `QueryError` where a group is repeated.
    """
    plain = _ATOM.sub("x", regex).replace("(?i)", "").replace("(?:", "(")
    if re.search(r"\)[*+?{]", plain):
        raise QueryError(f"/{shown(regex)}/: a group is not repeated here")
    plain = re.sub(r"([*+?]|\{[\d,]+\})[?+]", r"\1", _ANYTHING_LAST.sub("", plain))
    rows = [[0, 1]]  # of each group that is open: its alternatives until now, and the one that is read
    for char in plain:
        if char == "(":
            rows.append([0, 1])
        elif char == ")" and len(rows) > 1:
            rows[-2][1] *= sum(rows.pop())
        elif char == "|":
            rows[-1] = [sum(rows[-1]), 1]
        elif char in "*+?{":
            rows[-1][1] *= _REPEATED
        if rows[-1][1] > WAYS_MAX:
            return rows[-1][1]
    return sum(map(sum, rows))
