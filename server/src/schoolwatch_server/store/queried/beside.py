"""Names of places beside their ids, as tags that no series is kept with: what they say is today's."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from schoolwatch_server.influxql.condition import ANY, Both, Condition, Either, Match, allowed
from schoolwatch_server.influxql.patience import Patience
from schoolwatch_server.store.names import NAMED

GEOHASH: Final = "geohash"
"""The tag that says where a school stands."""

BESIDE: Final = (*NAMED, GEOHASH)
"""All that stand beside an id."""

_FEW: Final = 200
"""Ids that are looked for instead of a name."""


class Names:
    """Names of places by what kind and internal id they are, and where schools stand, by id."""

    def __init__(
        self, of: Mapping[str, Mapping[str, str]], geohashes: Mapping[str, str] | None = None
    ) -> None:
        self.of, self.geohashes = of, geohashes or {}

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

    def column(self, tags: Sequence[Mapping[str, str]], key: str) -> list[str]:
        """What `beside` adds to each under one of its tags, empty for nothing."""
        kind, of = ("school", self.geohashes) if key == GEOHASH else (NAMED[key], self.of[NAMED[key]])
        return [of.get(its.get(kind, ""), "") for its in tags]

    def beside(self, tags: Mapping[str, str]) -> dict[str, str]:
        """The tags with `school_name` beside `school`; a place that is no more has none.

        A school whose position is known has its geohash too, for maps.
        """
        told = ((key, self.one(tags, key)) for key in BESIDE)
        return {**tags, **{key: text for key, text in told if text is not None}}

    def without(self, where: Condition, patience: Patience) -> tuple[Condition, bool]:
        """A condition on ids for one on names, and whether both mean the same; else it lets more through.

        Raises `QueryError` as `Patience.check`.
        """
        patience.check()
        match where:
            case Match(tag) if tag in BESIDE:
                found = None if tag == GEOHASH else self._of_ids(where)
                return (ANY, False) if found is None else (found, True)
            case Both(left, right):
                (first, is_first), (second, is_second) = (
                    self.without(left, patience),
                    self.without(right, patience),
                )
                both = second if first == ANY else first if second == ANY else Both(first, second)
                return both, is_first and is_second
            case Either(left, right):
                (first, is_first), (second, is_second) = (
                    self.without(left, patience),
                    self.without(right, patience),
                )
                return ANY if ANY in (first, second) else Either(first, second), is_first and is_second
        return where, True

    def _of_ids(self, named: Match) -> Match | None:
        """The ids of what has such a name; None where they are many or none, or places without a name do."""
        kind, is_one = NAMED[named.tag], named.test()
        if is_one(""):
            return None
        texts = allowed(named, named.tag)
        if texts is None:
            ids = [id_ for id_, name in self.of[kind].items() if is_one(name)]
        else:
            ids = [id_ for text in texts for id_ in self._ids[kind].get(text, ())]
        return Match(kind, "=~", f"^({'|'.join(ids)})$") if 0 < len(ids) <= _FEW else None

    @cached_property
    def _ids(self) -> Mapping[str, Mapping[str, list[str]]]:
        found: dict[str, defaultdict[str, list[str]]] = {kind: defaultdict(list) for kind in self.of}
        for kind, its in self.of.items():
            for id_, name in its.items():
                found[kind][name].append(id_)
        return found


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
