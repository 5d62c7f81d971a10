"""Evidence is what its content says, under a harmless name, or it is refused with the reason."""

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.claims.evidence import BYTES_MAX, NAME_MAX, EvidenceError, accept

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20 + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 50 + b"\xff\xd9"


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return out.getvalue()


DOCX = zipped("[Content_Types].xml", "word/document.xml")
XLSX = zipped("[Content_Types].xml", "xl/workbook.xml")


def refusal(name: str, body: bytes) -> str:
    with pytest.raises(EvidenceError) as error:
        accept(name, body)
    return error.value.refusal


@pytest.mark.parametrize(
    ("body", "ending", "media_type"),
    [
        (PDF, "pdf", "application/pdf"),
        (PNG, "png", "image/png"),
        (JPEG, "jpg", "image/jpeg"),
        (DOCX, "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (XLSX, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_the_content_says_what_a_file_is(body: bytes, ending: str, media_type: str) -> None:
    kept = accept("hợp đồng.exe", body)
    assert (kept.name, kept.media_type, kept.body) == (f"hợp đồng.exe.{ending}", media_type, body)


def test_what_is_none_of_these_is_refused_whatever_it_is_called() -> None:
    assert refusal("a.pdf", b"") == "empty"
    assert refusal("a.pdf", b"MZ\x90\0") == "unknown"
    assert refusal("a.pdf", b"<html><script>alert(1)</script></html>") == "unknown"
    assert refusal("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "unknown"
    assert refusal("a.docx", zipped("readme.txt")) == "unknown"
    assert refusal("a.jar", zipped("META-INF/MANIFEST.MF", "[Content_Types].xml")) == "unknown"
    assert refusal("a.docx", DOCX[:-10]) == "damaged"
    assert refusal("a.pdf", PDF[:-8]) == "damaged", "a download that broke off"
    assert refusal("a.png", PNG[:20]) == "damaged"
    assert refusal("a.jpg", JPEG[:20]) == "damaged"
    macros = zipped("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin")
    assert refusal("a.xlsx", macros) == "macro"


def test_a_file_has_a_largest_size() -> None:
    whole = PDF[:9] + b"\0" * (BYTES_MAX - len(PDF)) + PDF[9:]
    assert len(accept("a.pdf", whole).body) == BYTES_MAX
    assert refusal("a.pdf", whole[:9] + b"\0" + whole[9:]) == "large"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Hợp đồng VNPT.pdf", "Hợp đồng VNPT.pdf"),
        ("Ho\u031b\u0323p đo\u0302\u0300ng.PDF", "Hợp đồng.pdf"),
        ("C:\\Users\\lan\\quyết định.pdf", "quyết định.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ('a"\r\nX: y.pdf', "a X y.pdf"),
        ("\u202egnp.exe", "gnp.exe.pdf"),
        (".pdf", "minh-chung.pdf"),
        ("", "minh-chung.pdf"),
    ],
)
def test_names_are_made_harmless_and_stay_readable(name: str, kept: str) -> None:
    assert accept(name, PDF).name == kept


@given(st.text(max_size=300), st.sampled_from((PDF, PNG, JPEG, DOCX)))
def test_no_name_leaves_its_place(name: str, body: bytes) -> None:
    kept = accept(name, body).name
    assert len(kept) <= NAME_MAX
    assert kept.isprintable()
    assert not set(kept) & set('/\\"<>:|?*\r\n')
    assert accept(kept, body).name == kept


@given(st.binary(max_size=400))
def test_whatever_comes_is_kept_or_refused(body: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"%PDF-", b"\xff\xd8\xff"):
        with suppress(EvidenceError):
            assert accept("x", start + body).body == start + body
