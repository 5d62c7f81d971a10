"""Names of places beside their ids, as tags that no series is kept with: what they say is today's."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schoolwatch_server.influxql.condition import ANY, Both, Condition, Either, Match
from schoolwatch_server.influxql.errors import in_time
from schoolwatch_server.store.names import NAMED

GEOHASH: Final = "geohash"
"""The tag that says where a school stands."""

BESIDE: Final = (*NAMED, GEOHASH)
"""All that stand beside an id."""

_FEW: Final = 200
"""Ids that are looked for instead of a name."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of places by what kind and internal id they are, and where schools stand, by id."""

    of: Mapping[str, Mapping[str, str]]
    geohashes: Mapping[str, str] = field(default_factory=dict)

    def keys(self, keys: Collection[str]) -> list[str]:
        """The tags that these have beside them."""
        named = [beside for beside, kind in NAMED.items() if kind in keys]
        return [*named, GEOHASH] if "school" in keys and self.geohashes else named

    def one(self, tags: Mapping[str, str], key: str) -> str | None:
        """What `beside` adds under one of its tags, None for nothing."""
        if key == GEOHASH:
            return self.geohashes.get(tags.get("school", ""))
        kind = NAMED[key]
        return self.of[kind].get(tags.get(kind, ""))

    def beside(self, tags: Mapping[str, str]) -> dict[str, str]:
        """The tags with `school_name` beside `school`; a place that is no more has none.

        A school whose position is known has its geohash too, for maps.
        """
        told = ((key, self.one(tags, key)) for key in BESIDE)
        return {**tags, **{key: text for key, text in told if text is not None}}

    def without(self, where: Condition, until: float) -> Condition:
        """A condition on ids for one on names: it lets through whatever the whole does, or more.

        Raises `QueryError` when it is later than `until`.
        """
        in_time(until)
        match where:
            case Match(tag) if tag in BESIDE:
                return ANY if tag == GEOHASH else self._of_ids(where)
            case Both(left, right):
                first, second = self.without(left, until), self.without(right, until)
                if first is left and second is right:
                    return where
                return second if first == ANY else first if second == ANY else Both(first, second)
            case Either(left, right):
                first, second = self.without(left, until), self.without(right, until)
                if first is left and second is right:
                    return where
                return ANY if ANY in (first, second) else Either(first, second)
        return where

    def _of_ids(self, named: Match) -> Condition:
        """The ids of what has such a name; no condition where they are many, or places without a name do."""
        kind = NAMED[named.tag]
        ids = [id_ for id_, name in self.of[kind].items() if named.holds(name)]
        return ANY if named.holds("") or len(ids) > _FEW else Match(kind, "=~", f"^({'|'.join(ids)})$")


def names_any(where: Condition) -> bool:
    """Whether a condition is on a name, or on where a school stands."""
    match where:
        case Match(tag):
            return tag in BESIDE
        case Both(left, right) | Either(left, right):
            return names_any(left) or names_any(right)
    return False


class Named(Mapping[str, str]):
    """Tags and what stands beside them. Names are read when one is asked for, which few graphs do."""

    __slots__ = ("_names", "_tags")

    def __init__(self, tags: Mapping[str, str], names: Callable[[], Names]) -> None:
        self._tags, self._names = tags, names

    def get(self, key: str, default: Any = None) -> Any:
        """A tag's text."""
        found = self._names().one(self._tags, key) if key in BESIDE else self._tags.get(key)
        return default if found is None else found

    def __getitem__(self, key: str) -> str:
        found: str | None = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names().beside(self._tags))

    def __len__(self) -> int:
        return len(self._names().beside(self._tags))
