"""Texts for technicians, Vietnamese first: each room's TOML file holds a key with `vi` and `en`."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

Language = Literal["vi", "en"]


class Texts:
    """The texts of one room (`texts/<room>.toml`) in one language."""

    def __init__(self, room: str, language: Language) -> None:
        self._room = room
        self.language: Language = language

    @cached_property
    def _texts(self) -> dict[str, dict[str, str]]:
        import tomllib  # a cycle as a rule says nothing, and need not know how

        file = Path(__file__).with_name("texts") / f"{self._room}.toml"
        return tomllib.loads(file.read_text("utf-8"))

    def __call__(self, key: str, /, **values: object) -> str:
        """The text of a key with its {places} filled; raises `KeyError` for a key that is not there."""
        return self._texts[key][self.language].format(**values)

    def room(self, name: str) -> "Texts":
        """Another room in the same language."""
        return Texts(name, self.language)

    def has(self, key: str) -> bool:
        """Whether the room has such a text."""
        return key in self._texts


def language(wish: str, environment: Mapping[str, str] = os.environ) -> Language:
    """The wish if it is one, else English where the machine says so (LC_ALL, LANG), else Vietnamese."""
    if wish == "vi":
        return "vi"
    said = wish or environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG", "")
    return "en" if said.lower().startswith("en") else "vi"
