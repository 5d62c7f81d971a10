"""Which feature is which commune: by code, else by name; nothing is guessed where two would fit."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schoolwatch_server.alphabet import plain
from schoolwatch_server.boundaries.geojson import Feature

_KIND = re.compile(r"^(xã|phường|đặc khu|thị trấn|thành phố|xa|phuong|dac khu|thi tran|thanh pho)\s+")


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune of the registry."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Matched:
    """Features of each commune by its id; the rest on either side, and by which properties it was found.

    `by_code` and `by_name` are names of properties, empty where none was of use.
    """

    found: Mapping[int, tuple[Feature, ...]]
    unmatched: tuple[Feature, ...]
    without: tuple[Commune, ...]
    by_code: str
    by_name: str

    def called(self, feature: Feature) -> str:
        """What a person would call a feature."""
        labels = feature.labels
        name = labels.get(self.by_name) or labels.get(self.by_code) or next(iter(labels.values()), "")
        return f"{name} ({feature.number})" if name else str(feature.number)


def match(features: Sequence[Feature], communes: Sequence[Commune]) -> Matched:
    """By the property that holds the most codes, and what is left by the one that holds the most names.

    A property counts for codes only when it finds at least half as many communes as names do: a number of
    people may happen to be somebody's code.
    """
    codes = _index({commune.id: _code(commune.code) for commune in communes})
    names = [_index({commune.id: written(commune.name) for commune in communes}) for written in _WRITTEN]
    by_code, of_code = _best(features, lambda text: codes.get(_code(text)))
    by_name, of_name = _best(features, lambda text: _by_name(text, names))
    if 2 * len(set(of_code.values())) < len(set(of_name.values())):
        by_code, of_code = "", {}
    of_feature = of_name | of_code
    found: defaultdict[int, list[Feature]] = defaultdict(list)
    for feature in features:
        if feature.number in of_feature:
            found[of_feature[feature.number]].append(feature)
    return Matched(
        {id_: tuple(those) for id_, those in found.items()},
        tuple(feature for feature in features if feature.number not in of_feature),
        tuple(commune for commune in communes if commune.id not in found),
        by_code,
        by_name,
    )


def _best(features: Sequence[Feature], find: Callable[[str], int | None]) -> tuple[str, dict[int, int]]:
    """The property by which the most communes are found, with the commune of each feature's number."""
    found: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for feature in features:
        for key, text in feature.labels.items():
            commune = find(text)
            if commune is not None:
                found[key][feature.number] = commune
    if not found:
        return "", {}
    key = max(found, key=lambda key: (len(set(found[key].values())), len(found[key])))
    return key, found[key]


def _index(texts: Mapping[int, str]) -> dict[str, int]:
    """What is written so, and of no other commune."""
    those: defaultdict[str, set[int]] = defaultdict(set)
    for id_, text in texts.items():
        those[text].add(id_)
    return {text: next(iter(ids)) for text, ids in those.items() if len(ids) == 1}


def _code(text: str) -> str:
    """Without the noughts that a spreadsheet takes away."""
    return text.strip().casefold().lstrip("0")


def _exact(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _loose(text: str) -> str:
    return " ".join(plain(unicodedata.normalize("NFC", text)).split())


def _bare(text: str) -> str:
    return _KIND.sub("", _exact(text))


def _bare_loose(text: str) -> str:
    return _KIND.sub("", _loose(text))


_WRITTEN = (_exact, _loose, _bare, _bare_loose)
"""Ways to write a name, from the strictest on: with its kind, without diacritics, without its kind."""


def _by_name(text: str, names: Sequence[Mapping[str, int]]) -> int | None:
    found = (index.get(written(text)) for written, index in zip(_WRITTEN, names, strict=True))
    return next((id_ for id_ in found if id_ is not None), None)
