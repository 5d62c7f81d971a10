"""A page as data: sections of sentences and a table. Who shows it makes Markdown or HTML of it."""

from collections.abc import Sequence
from dataclasses import dataclass

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences (one a line), a list, and a table when `head` is not empty."""

    title: str
    text: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A whole page."""

    title: str
    text: tuple[str, ...]
    sections: tuple[Section, ...]
