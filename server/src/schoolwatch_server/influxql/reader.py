"""Reads a query's tokens one after the other."""

import math
from typing import Final

from schoolwatch_server.influxql.errors import QueryError, shown
from schoolwatch_server.influxql.lexer import Kind, Token, tokens

TERMS_MAX: Final = 200
"""What AND, OR and signs put together in one query; each is looked through within the others."""


class Reader:
    """Where one is in a query."""

    def __init__(self, query: str) -> None:
        self._tokens = list(tokens(query))
        self._position = 0
        self.depth = 0  # of parentheses in a condition or expression
        self._terms = 0

    @property
    def next(self) -> Token:
        """The token that comes; the last one again and again."""
        return self._tokens[self._position]

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return self.next.kind == "end"

    def says(self, *words: str) -> bool:
        """Whether one of these keywords or signs comes."""
        return self.next.says(*words)

    def step(self) -> Token:
        """Takes the token that comes, whatever it is."""
        token = self.next
        if token.kind != "end":
            self._position += 1
        return token

    def took(self, word: str) -> bool:
        """Takes this keyword or sign if it comes."""
        if not self.says(word):
            return False
        self.step()
        return True

    def joins(self, *words: str) -> bool:
        """Whether a word or sign comes that puts two together. Raises `QueryError` for too many."""
        if not self.says(*words):
            return False
        self._terms += 1
        if self._terms > TERMS_MAX:
            raise QueryError(f"at most {TERMS_MAX} of AND, OR, +, -, * and / in one query", self.next.at)
        return True

    def number(self) -> float:
        """Takes a number, which must come. Raises `QueryError` for one that is too large."""
        token = self.expect("number")
        if not math.isfinite(found := float(token.text)):
            raise QueryError(f"{token.text[:20]} is too large a number", token.at)
        return found

    def take(self, word: str) -> None:
        """Takes this keyword or sign, which must come."""
        if not self.took(word):
            raise self.unexpected(self.next, word)

    def expect(self, kind: Kind) -> Token:
        """Takes a token of this kind, which must come."""
        if self.next.kind != kind:
            raise self.unexpected(self.next, f"a {kind}")
        return self.step()

    def name(self, what: str) -> str:
        """Takes a name, in double quotes or without any."""
        if self.next.kind not in ("name", "quoted"):
            raise self.unexpected(self.next, what)
        return self.step().text

    def column(self, what: str) -> str:
        """Takes the name of a tag or field, and what Grafana writes behind it to tell them apart: `::tag`."""
        found = self.name(what)
        self.cast()
        return found

    def cast(self) -> None:
        """Takes `::tag` or `::field`, if it comes: no name here is both."""
        if self.took(":"):
            self.take(":")
            if not self.took("TAG"):
                self.take("FIELD")

    def argument(self, kind: Kind) -> Token:
        """Takes the one argument in parentheses."""
        self.take("(")
        token = self.expect(kind)
        self.take(")")
        return token

    def unexpected(self, token: Token, expected: str) -> QueryError:
        """What to say of a token that can't stand here."""
        found = shown(token.text) if token.kind != "end" else "the end"
        return QueryError(f"error parsing query: found {found}, expected {expected}", token.at)
