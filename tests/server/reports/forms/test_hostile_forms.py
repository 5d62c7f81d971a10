"""Files that are no form, hostile ones and unusual ones: filled or refused in words, and soon."""

import contextlib
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from openpyxl import load_workbook

from others_forms import sheet, xlsx
from schoolwatch_server.reports import forms
from schoolwatch_server.reports.forms import FormError
from schoolwatch_server.reports.forms.answers import Answer
from schoolwatch_server.reports.forms.package import outside, unpack
from schoolwatch_server.reports.forms.runs import fill_runs


def active(data: bytes):
    return load_workbook(io.BytesIO(data)).active


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in parts.items():
            target.writestr(name.replace("__", "/"), data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        (b"", "not_a_form"),
        (b"PK\x03\x04 no more", "not_a_form"),
        (b"%PDF-1.7", "not_a_form"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old_format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"\0" * (9 << 20), "too_large"),
        (zipped(other=b"x"), "not_a_form"),
        (zipped(**{"word__document.xml": b"<w", "word__vbaProject.bin": b"x"}), "macros"),
        (zipped(**{"word__document.xml": b"<a>{{x}}"}), "broken"),
        (zipped(**{"word__document.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>{{x}}&b;</a>'}), "broken"),
        (zipped(**{"word__document.xml": b"{" + b" " * (25 << 20)}), "too_large"),
        (
            zipped(**{"xl__workbook.xml": b"x", **{f"xl__{n}.xml": b" " * (9 << 20) for n in range(3)}}),
            "too_large",
        ),
        (zipped(**{"word__document.xml": b"x", "word__big": b"\0" * (97 << 20)}), "too_large"),
        (zipped(**{f"word__{n}": b"" for n in range(2100)}), "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_form_is_refused(data: bytes, trouble: str) -> None:
    with pytest.raises(FormError) as caught:
        forms.fill(data, sheet())
    assert caught.value.problems[0].trouble == trouble


def changed(form: bytes, part: str, old: bytes, new: bytes, **more: bytes) -> bytes:
    """The form with something else in one of its parts, and with further parts."""
    archive = zipfile.ZipFile(io.BytesIO(form))
    parts = {name.replace("/", "__"): archive.read(name) for name in archive.namelist()}
    part = part.replace("/", "__")
    assert old in parts[part]
    return zipped(**parts | more | {part: parts[part].replace(old, new)})


SHEET = "xl/worksheets/sheet1.xml"
TYPES = "[Content_Types].xml"


def test_macros_are_known_by_what_they_are_whatever_they_are_called() -> None:
    form = xlsx({"A1": "{{school.name}}"})
    kind = b"spreadsheetml.sheet.main+xml"
    links = b"<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>%s</Relationships>"
    link = links % b"<Relationship Id='r' Type='http://x/vbaProject' Target='x.bin'/>"
    for hidden in (
        changed(form, TYPES, kind, b"spreadsheetml.template.macroEnabled.main+xml"),
        changed(form, TYPES, kind, kind, **{"xl__worksheets___rels__sheet9.xml.rels": link}),
    ):
        with pytest.raises(FormError, match="macros"):
            forms.fill(hidden, sheet())


def test_what_a_form_fetches_from_elsewhere_is_named_and_links_to_click_are_not() -> None:
    form = xlsx({"A1": "{{school.name}}"})
    links = (
        "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
        "<Relationship Id='a' Type='http://x/hyperlink' Target='https://moet.gov.vn' TargetMode='External'/>"
        "<Relationship Id='b' Type='http://x/attachedTemplate' Target='\\\\x\\y.dotm' TargetMode='External'/>"
        "</Relationships>"
    )
    more = {"xl___rels__x.xml.rels": links.encode(), "xl__externalLinks__1.xml": b"<a><ddeLink/></a>"}
    package = unpack(changed(form, TYPES, b"<", b"<", **more))
    assert outside(package) == ("\\\\x\\y.dotm", "xl/externalLinks/1.xml")
    assert outside(unpack(form)) == ()


@pytest.mark.parametrize("name", ["..__..__etc__x", "xl__..__x", "xl\\x", "__etc__x"])
def test_a_part_that_would_be_unpacked_elsewhere_makes_no_form(name: str) -> None:
    form = changed(xlsx({"A1": "{{school.name}}"}), TYPES, b"<", b"<", **{name: b"x"})
    with pytest.raises(FormError, match="not_a_form"):
        forms.fill(form, sheet())


def test_rows_and_cells_without_their_place_stand_where_they_follow() -> None:
    form = xlsx({"A1": "x", "B1": "{{school.code}}", "A2": "{{school.name}}"})
    for old, new in ((b'r="B1"', b""), (b'r="A2"', b""), (b'<row r="2"', b"<row")):
        form = changed(form, SHEET, old, new)
    filled = active(forms.fill(form, sheet()).data)
    assert (filled["B1"].value, filled["A2"].value) == ("01000702", "Trường Đỗ & Ẵ")


@pytest.mark.parametrize("row", [b"x", b"0", b"-1", b"9999999", "\u0662".encode()])
def test_a_row_that_can_not_be_is_told_with_its_sheet(row: bytes) -> None:
    form = changed(xlsx({"A1": "{{school.name}}"}), SHEET, b'<row r="1"', b'<row r="%s"' % row)
    with pytest.raises(FormError, match=r"broken xl/worksheets/sheet1\.xml, row"):
        forms.fill(form, sheet())


def test_a_form_of_a_hundred_thousand_placeholders_is_none() -> None:
    cell = b'<c t="inlineStr"><is><t>{{school.name}}</t></is></c>'
    form = changed(
        xlsx({"A1": "{{school.name}}"}), SHEET, b"</row>", b"</row><row>%s</row>" % (cell * 100_000)
    )
    with pytest.raises(FormError, match="too_many"):
        forms.fill(form, sheet())


def test_paragraphs_within_paragraphs_are_read_once_each() -> None:
    space = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    inside = b"<w:r><w:t>{{school.code}}</w:t></w:r>"
    deep = b"<w:p>" * 100 + inside * 200 + b"</w:p>" * 100
    body = b"<w:document %s><w:body>%s</w:body></w:document>" % (space, deep)
    filled = forms.fill(zipped(**{"word__document.xml": body}), sheet())
    assert len(filled.found) == 200
    assert filled.found[0].where == "document:100"


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["{", "{{", "a}}", "}}", "school.code", "x", ""]), max_size=12))
def test_runs_read_together_what_they_would_in_one(pieces: list[str]) -> None:
    whole = "".join(pieces)
    answers = {"a": Answer("12345"), "school.code": Answer("")}
    try:
        said = "".join(find_and_fill([whole], answers))
    except FormError:
        with pytest.raises(FormError):
            find_and_fill(pieces, answers)
    else:
        assert "".join(find_and_fill(pieces, answers)) == said


def find_and_fill(pieces: list[str], answers: dict[str, Answer]) -> list[str]:
    runs = [etree.Element("t") for _ in pieces]
    for run, text in zip(runs, pieces, strict=True):
        run.text = text
    fill_runs(runs, answers.get, "here")
    return [run.text or "" for run in runs]


@settings(max_examples=15)
@given(st.integers(0, 6000), st.binary(min_size=1, max_size=20))
def test_a_damaged_form_is_filled_or_refused_and_nothing_else(place: int, damage: bytes) -> None:
    form = xlsx({"A1": "{{school.name}}"})
    place = min(place, len(form))
    with contextlib.suppress(FormError):
        forms.fill(form[:place] + damage + form[place + len(damage) :], sheet())


XML = ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels")


@settings(max_examples=15)
@given(st.sampled_from(XML), st.floats(0, 1), st.binary(max_size=9))
def test_xml_that_says_something_else_is_filled_or_refused_too(part: str, place: float, other: bytes) -> None:
    archive = zipfile.ZipFile(io.BytesIO(xlsx({"A1": "{{school.name}}", "B7": 3})))
    parts = {name.replace("/", "__"): archive.read(name) for name in archive.namelist()}
    whole = parts[part.replace("/", "__")]
    at = int(place * len(whole))
    parts[part.replace("/", "__")] = whole[:at] + other + whole[at + len(other) :]
    with contextlib.suppress(FormError):
        forms.fill(zipped(**parts), sheet())
