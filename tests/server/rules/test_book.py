"""Which version of a rule holds when: files, the console's, ends, what was taken back."""

from pathlib import Path

import pytest

from schoolwatch_server import rules
from schoolwatch_server.rules import Book, Stored
from schoolwatch_server.rules.load import SHIPPED, read
from schoolwatch_server.strict_yaml import SheetError

T = 1_800_000_000.0
FILES = rules.of_files()
TEXT = (SHIPPED / "antivirus_off.yaml").read_text(encoding="utf-8")


def saved(version: int, since: float, severity: str = "low", **more) -> Stored:
    text = TEXT.replace("severity: high", f"severity: {severity}").replace(
        "version: 1", f"version: {version}"
    )
    return Stored("antivirus_off", version, since, text, T, "sở", **more)


def names(book: Book, *at: float) -> list[str]:
    return [next(rule.name for rule in book.at(one) if rule.id == "antivirus_off") for one in at]


def test_each_version_holds_from_its_instant_on() -> None:
    book = rules.put_together(FILES, [saved(1001, T + 60), saved(1002, T + 120, "critical")])
    assert names(book, T, T + 59.9, T + 60, T + 119.9, T + 120, T + 9999) == [
        "antivirus_off@1", "antivirus_off@1", *["antivirus_off@1001"] * 2, *["antivirus_off@1002"] * 2,
    ]  # fmt: skip
    (now,) = (one for one in book.held(T + 200) if one.rule.id == "antivirus_off")
    assert (now.since, now.origin) == (T + 120, "console")
    assert {one.origin for one in book.held(T)} == {"shipped"}


def test_what_ends_gives_way_to_what_came_with_the_program() -> None:
    end = Stored("antivirus_off", 1002, T + 120, "", T, "sở", is_end=True)
    assert names(rules.put_together(FILES, [saved(1001, T), end]), T + 60, T + 120) == [
        "antivirus_off@1001", "antivirus_off@1",
    ]  # fmt: skip


def test_what_was_taken_back_never_holds() -> None:
    book = rules.put_together(FILES, [saved(1001, T), saved(1002, T + 60, is_back=True)])
    assert names(book, T + 90) == ["antivirus_off@1001"]


def test_a_file_stands_before_the_console_only_with_a_higher_version(tmp_path: Path) -> None:
    for version, holds in (("2", "antivirus_off@1001"), ("1002", "antivirus_off@1002")):
        text = TEXT.replace("version: 1", f"version: {version}")
        (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
        assert names(rules.put_together(rules.of_files(tmp_path), [saved(1001, T)]), T) == [holds]


def test_a_version_that_can_not_be_used_is_said_and_what_held_before_it_holds() -> None:
    bad = Stored("antivirus_off", 1002, T + 60, TEXT.replace("scope: device", "scope: galaxy"), T, "sở")
    book = rules.put_together(FILES, [saved(1001, T), bad])
    assert names(book, T + 90) == ["antivirus_off@1001"]
    assert len(book.faults) == 1
    assert "antivirus_off@1002" in book.faults[0]
    assert "scope" in book.faults[0]


def test_a_rule_about_no_school_is_not_restricted_to_some() -> None:
    text = (SHIPPED / "server_deaf.yaml").read_text(encoding="utf-8") + "only: {levels: [TH]}\n"
    with pytest.raises(SheetError, match="only: a rule about the server") as caught:
        read(text.encode(), Path("-"), "file")
    assert caught.value.where == "$.only"
