"""Packs load strictly, say exactly what is wrong, and are replaced by a higher version."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import packs
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.packs.load import SHIPPED
from schoolwatch_server.packs.pack import Pack
from schoolwatch_server.strict_yaml import SheetError, parse


def shipped(name: str) -> str:
    return (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_packs_define_every_indicator_once() -> None:
    loaded = packs.load()
    defined = [name for pack in loaded.packs for name in pack.indicators]
    assert sorted(defined) == sorted(indicator.id for indicator in INDICATORS)


def test_the_shipped_numbers_are_those_of_the_criteria() -> None:
    loaded = packs.load()
    assert {pack.coverage_floor.value for pack in loaded.packs} == {0.8}
    assert loaded.windows.working.value == 30
    assert (loaded.ipv6_slow.answer.value, loaded.ipv6_slow.behind.value) == (5, 0.25)
    links = loaded.of("wired_links_100").indicators
    assert links["wired_links_100"].threshold.value == 100e6
    assert links["wired_links_1000"].threshold.value == 1e9
    assert loaded.of("antivirus_coverage").indicators["antivirus_coverage"].target.value == 1.0
    lines = loaded.of("students_per_computer").indicators["students_per_computer"].references
    assert [(line.applies_to, line.value) for line in lines] == [
        (("TH",), 24.0),
        (("THCS",), 16.0),
        (("THPT",), 12.0),
    ]


def test_no_number_without_a_source_claims_to_be_official() -> None:
    for pack in packs.load().packs:
        numbers = [pack.coverage_floor]
        numbers += [pack.windows.working, pack.windows.heard] if pack.windows else []
        numbers += [pack.ipv6_slow.answer, pack.ipv6_slow.behind] if pack.ipv6_slow else []
        for definition in pack.indicators.values():
            numbers += [n for n in (definition.target, definition.threshold) if n is not None]
            numbers += definition.numbers.values()
        for number in numbers:
            ours = "xuất của SchoolWatch" in f"{number.document} {number.clause}"
            assert number.confidence == "P" or not ours, number


def test_a_higher_version_replaces_a_pack_as_a_whole(tmp_path: Path) -> None:
    text = shipped("security").replace("version: 1", "version: 2").replace("value: 0.8", "value: 0.5")
    write(tmp_path, "ours", text)
    loaded = packs.load(tmp_path)
    assert loaded.of("antivirus_coverage").name == "security@2"
    assert loaded.of("antivirus_coverage").coverage_floor.value == 0.5
    assert loaded.of("ipv6_ladder").name == "network@1"


def test_a_folder_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    assert packs.load(tmp_path / "none").held == packs.load().held


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("version: 1", "version: 1", "write version 2"),
        ("version: 1", "version: two", "$.version"),
        ("version: 1", "version: 2\ncolour: red", "unknown field `colour`"),
        ("version: 1", "version: 2\nversion: 3", "written twice"),
        ("confidence: V-seed", "confidence: sure", "confidence"),
        ("value: 0.8", "value: .nan", "coverage_floor.value"),
        ("value: 0.8", "value: 80", "coverage_floor.value"),
        ("value: 0.8", "value: 0", "coverage_floor.value"),
        ("antivirus_coverage:", "antivirus_covrage:", "no such indicator"),
        ("id: security", "id: [security", "is not YAML"),
        ("document:", "documnt:", "unknown field"),
    ],
)
def test_a_mistake_is_an_error_that_names_file_and_place(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    text = changed(shipped("security"), old, new)
    path = write(tmp_path, "ours", text if "version" in new else text.replace("version: 1", "version: 2"))
    with pytest.raises(SheetError) as caught:
        packs.load(tmp_path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


def test_a_link_indicator_needs_its_threshold(tmp_path: Path) -> None:
    data = yaml.safe_load(shipped("network")) | {"version": 2}
    del data["indicators"]["wired_links_100"]["threshold"]
    write(tmp_path, "ours", yaml.safe_dump(data, allow_unicode=True))
    with pytest.raises(SheetError, match=r"wired_links_100\.threshold"):
        packs.load(tmp_path)


def test_an_indicator_that_no_pack_defines_is_missed(tmp_path: Path) -> None:
    data = yaml.safe_load(shipped("network")) | {"version": 2}
    del data["indicators"]["ipv6_ladder"]
    write(tmp_path, "ours", yaml.safe_dump(data, allow_unicode=True))
    with pytest.raises(SheetError, match="ipv6_ladder must be defined"):
        packs.load(tmp_path)


def test_an_indicator_in_two_packs_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "ours", shipped("security").replace("id: security", "id: our_own"))
    with pytest.raises(SheetError, match="another pack defines it too"):
        packs.load(tmp_path)


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_bytes_are_a_pack_or_a_plain_error(raw: bytes) -> None:
    with pytest.raises(SheetError) as caught:
        parse(raw, Path("x.yaml"), Pack)
    assert "x.yaml" in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.dates(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_yaml_is_a_pack_or_a_plain_error(data: object) -> None:
    with pytest.raises(SheetError):
        parse(yaml.safe_dump(data, allow_unicode=True).encode("utf-8", "surrogatepass"), Path("x.yaml"), Pack)
