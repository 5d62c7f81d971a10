"""Nothing is forgotten in the list of indicators, and everything in it has its words."""

import importlib
from pathlib import Path
from typing import get_args

import pytest

from schoolwatch_server import indicators, texts
from schoolwatch_server.indicators.indicator import Indicator, Reason
from schoolwatch_server.packs import load

WORDS = texts.load()


def test_every_file_that_makes_an_indicator_is_in_the_list() -> None:
    folder = Path(indicators.__file__).parent
    made = [
        value
        for path in folder.glob("*.py")
        if "Indicator(" in path.read_text(encoding="utf-8")
        for value in vars(importlib.import_module(f"{indicators.__name__}.{path.stem}")).values()
        if isinstance(value, Indicator)
    ]
    assert sorted(one.id for one in made) == sorted(one.id for one in indicators.INDICATORS)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_indicator_and_reason_and_tag_has_its_words(language: texts.Language) -> None:
    keys = [f"indicator.{indicator.id}" for indicator in indicators.INDICATORS]
    keys += [f"report.unit.{indicator.unit}" for indicator in indicators.INDICATORS]
    keys += [f"reason.{reason}" for reason in get_args(Reason) if reason]
    keys += [f"confidence.{d.confidence}" for pack in load().packs for d in pack.indicators.values()]
    for key in keys:
        assert WORDS.get(language, key).strip()
