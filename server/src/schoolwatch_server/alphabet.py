"""Vietnamese names in the order people look for them, and as they type them without diacritics."""

import re
import unicodedata
from functools import lru_cache

_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
"""The Vietnamese alphabet, with the four Latin letters it lacks where Vietnamese dictionaries put them."""

_TONES = "\u0300\u0309\u0303\u0301\u0323"
"""Huyền, hỏi, ngã, sắc, nặng: they decide only between names that are otherwise the same (CLDR, `vi`)."""

_PARTS = re.compile(r"\d{1,15}|\D")
"""A number counts as one, up to a length that no name reaches."""

_Place = tuple[int, int]
Order = tuple[tuple[_Place, ...], tuple[int, ...], str]


def order(name: str) -> Order:
    """What to sort a name by: `Lê Lợi 2` before `Lê Lợi 10`, `Dương` before `Đại`, `Lan` before `Lân`."""
    parts = _PARTS.findall(unicodedata.normalize("NFC", name.casefold()))
    placed = [_placed(part) for part in parts]
    return tuple(place for place, _ in placed), tuple(tone for _, tone in placed), name


@lru_cache(maxsize=20_000)
def plain(text: str) -> str:
    """In small letters without diacritics: `le loi` of `Lê Lợi`."""
    marked = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(char for char in marked if not unicodedata.combining(char))


@lru_cache(maxsize=4096)
def _placed(part: str) -> tuple[_Place, int]:
    """Where a letter or a number stands, and which tone it has; signs stand before numbers and letters."""
    if part[0].isdecimal():
        return (1, int(part)), 0
    marked = unicodedata.normalize("NFD", part)
    tone = next((_TONES.index(mark) + 1 for mark in marked if mark in _TONES), 0)
    letter = unicodedata.normalize("NFC", "".join(mark for mark in marked if mark not in _TONES))
    if not letter.isalpha():
        return (0, ord(part)), 0
    return ((2, _LETTERS.index(letter)) if letter in _LETTERS else (3, ord(letter[0]))), tone
