"""Queries that were parsed before, whatever times they asked for: panels come again with each refresh."""

import itertools
import re
from collections.abc import Sequence
from typing import Final

from schoolwatch_server.influxql.instant import duration
from schoolwatch_server.influxql.query import Show, Statement
from schoolwatch_server.influxql.undated import Undated

TEXTS_MAX: Final = 1000
"""Queries that are kept: all dashboards have some 700."""

LONGEST: Final = 3000
"""Characters of a query that is kept, so that all together take a few megabytes."""

_TIMES: Final = re.compile(r"([0-9](?<=\btime [<>]= [0-9])[0-9]{0,17}ms)\b")
"""Instants as Grafana writes them. What stands before one is looked at where a digit is, not everywhere."""


class Text:
    """A query's text, taken apart into its instants and all the rest."""

    def __init__(self, query: str) -> None:
        self._parts = _TIMES.split(query) if len(query) <= LONGEST else []
        self._rest = tuple(self._parts[::2])

    def known(self, now: int) -> tuple[Statement, ...] | None:
        """Its statements, where it was there before with any instants. Raises `QueryError` for its own."""
        found = _known.get(self._rest)
        if found is None:
            return None
        statements, places = found
        instants = {place: duration(text) for place, text in zip(places, self._parts[1::2], strict=True)}
        return tuple(one if isinstance(one, Show) else one.dated(now, instants) for one in statements)

    def keep(self, statements: Sequence[Undated | Show]) -> None:
        """Keeps what it was parsed to, unless that is another with other instants, or at another moment.

        So it is where one of them is a part of a text between quotes.
        """
        times = [limit for one in statements if isinstance(one, Undated) for limit in one.times]
        begins = list(itertools.accumulate(map(len, self._parts), initial=1))[1:-1:2]
        if not self._parts or any(limit.is_now for limit in times):
            return
        if not {limit.place for limit in times}.issuperset(begins):
            return
        if len(_known) >= TEXTS_MAX:
            _known.clear()
        _known[self._rest] = tuple(statements), tuple(begins)


_known: dict[tuple[str, ...], tuple[tuple[Undated | Show, ...], tuple[int, ...]]] = {}
