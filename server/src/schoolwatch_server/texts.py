"""Texts for people, Vietnamese first: read from TOML files, a key with `vi` and `en`, never from code."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol, TypeGuard, get_args

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
FOLDER = Path(__file__).with_name("texts")


class InBoth(Protocol):
    """What is written in both languages: a rule's title, an entry of the catalogue, a criterion."""

    @property
    def vi(self) -> str: ...  # noqa: D102  see `InBoth`
    @property
    def en(self) -> str: ...  # noqa: D102


def pick(both: InBoth, language: Language) -> str:
    """The text in one of them."""
    return both.vi if language == "vi" else both.en


@dataclass(frozen=True, slots=True)
class Texts:
    """Every text of a room by its dotted key, in both languages."""

    entries: dict[str, dict[Language, str]]

    def get(self, language: Language, key: str, /, **values: object) -> str:
        """The text with its `{places}` filled; raises `KeyError` for a key that is in no file."""
        text = self.entries[key][language]
        return text.format(**values) if values else text

    def either(self, language: Language, key: str, otherwise: str) -> str:
        """The text, or `otherwise` for a key that other parts may add (a new metric, a new reason)."""
        return self.entries[key][language] if key in self.entries else otherwise


@dataclass(frozen=True, slots=True)
class Voice:
    """The texts of one subject in one person's language: `voice("done")` is `<subject>.done`."""

    texts: Texts
    language: Language
    subject: str

    def __call__(self, key: str, /, **values: object) -> str:
        """A text of the subject."""
        return self.texts.get(self.language, f"{self.subject}.{key}", **values)


def is_language(text: str | None) -> TypeGuard[Language]:
    """Whether that is one of the two languages."""
    return text in LANGUAGES


@cache
def load(folder: Path = FOLDER) -> Texts:
    """All text files of a folder as one, read once a process.

    Raises `ValueError` for a key without both languages, or twice.
    """
    entries: dict[str, dict[Language, str]] = {}
    for path in sorted(folder.glob("*.toml")):
        for key, pair in _flat(tomllib.loads(path.read_text(encoding="utf-8"))):
            if key in entries:
                raise ValueError(f"{path.name}: {key} is in another file too")
            entries[key] = pair
    return Texts(entries)


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[Language, str]]]:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if not isinstance(value, dict):
            raise ValueError(f"{key} is not in a [table] with vi and en")  # noqa: TRY004  it is the file's value
        texts = {language: value[language] for language in LANGUAGES if isinstance(value.get(language), str)}
        rest = {k: v for k, v in value.items() if k not in texts}
        if len(texts) == len(LANGUAGES):
            yield key, texts
        elif texts or not rest:
            raise ValueError(f"{key} lacks {' or '.join(lang for lang in LANGUAGES if lang not in texts)}")
        yield from _flat(rest, f"{key}.")
