"""The page of forms: one is looked through, then filled as it was seen; only from reports that one sees."""

import io
import re

import httpx
from docx import Document
from openpyxl import Workbook, load_workbook

from schoolwatch_server.scope import Scope
from shared import shared_site, shared_tree
from tree import Tree
from website import RunningSite, csrf

tree, site = shared_tree, shared_site


def frozen(client: httpx.Client, code: str, level: str = "school", kind: str = "monthly") -> str:
    data = {"csrf": csrf(client), "level": level, "code": code, "kind": kind}
    return str(client.post("/reports", data=data).headers["location"]).rpartition("/")[2]


def look(
    client: httpx.Client, report: str, data: bytes, name: str = "biểu.xlsx", **more: str
) -> httpx.Response:
    form = {"csrf": csrf(client), "report": report, **more}
    return client.post("/forms/look", data=form, files={"file": (name, data)})


def take(client: httpx.Client, seen: httpx.Response) -> httpx.Response:
    """Presses the button of what was looked through."""
    form = seen.text[seen.text.index('action="/forms/fill"') :].partition("</form>")[0]
    return client.post("/forms/fill", data=dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)))


def xlsx(**cells: object) -> bytes:
    book = Workbook()
    for place, value in cells.items():
        book.active[place] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_form_is_seen_before_it_is_filled_and_filled_as_it_was_seen(tree: Tree, site: RunningSite) -> None:
    school = tree.schools[0]
    head = site.somebody("school_head", Scope("school", school.id))
    report = frozen(head, school.code)
    assert f"/reports/{report}/form" in head.get(f"/reports/{report}").text
    assert "{{I-17.value}}" in head.get(f"/reports/{report}/form").text
    seen = look(head, report, xlsx(B2="{{school.code}}", B3="{{I-17.value}}"))
    assert (seen.status_code, "Đã tìm thấy 2 chỗ cần điền" in seen.text) == (200, True)
    assert "Sheet!B3" in seen.text
    filled = take(head, seen)
    assert filled.status_code == 200
    assert re.search(r'filename="schoolwatch-[\w-]+-form\.xlsx"', filled.headers["content-disposition"])
    book = load_workbook(io.BytesIO(filled.content)).active
    assert (book["B2"].value, book["B3"].value) == (school.code, "chưa đủ dữ liệu")
    document = Document()
    document.add_paragraph("{{place.code}}")
    out = io.BytesIO()
    document.save(out)
    letter = take(head, look(head, report, out.getvalue(), "biểu.docx"))
    assert [one.text for one in Document(io.BytesIO(letter.content)).paragraphs] == [school.code]


def test_what_is_wrong_is_named_in_words_and_nothing_is_filled(tree: Tree, site: RunningSite) -> None:
    school = tree.schools[1]
    head = site.somebody("school_head", Scope("school", school.id))
    report = frozen(head, school.code)
    seen = look(head, report, xlsx(B5="{{I-99.value}}<b>"))
    assert seen.status_code == 422
    assert "Sheet!B5: không có số liệu tên {{I-99.value}}" in seen.text
    assert "/forms/fill" not in seen.text
    assert "Tệp không phải XLSX hoặc DOCX" in look(head, report, b"%PDF").text
    for strange in ("", "x\0", "../x", "0" * 64):
        assert look(head, strange, xlsx(A1="{{school.name}}")).status_code == 404
    data = {"csrf": csrf(head), "report": report, "kept": "0" * 64}
    gone = head.post("/forms/fill", data=data)
    assert (gone.status_code, "không còn được giữ" in gone.text) == (422, True)
    assert head.post("/forms/copy", data={**data, "csrf": "x", "questions": "a"}).status_code == 403


def test_nobody_fills_from_a_report_that_they_do_not_see(tree: Tree, site: RunningSite) -> None:
    school, other = tree.schools[2], tree.schools[4]
    report = frozen(site.somebody("so_admin"), school.code)
    away = site.somebody("school_head", Scope("school", other.id))
    assert away.get(f"/reports/{report}/form").status_code == 404
    assert look(away, report, xlsx(A1="{{school.name}}")).status_code == 404
    data = {"csrf": csrf(away), "report": report, "questions": "x | school.name"}
    assert away.post("/forms/copy", data=data).status_code == 404


def test_a_table_is_filled_by_school_code_and_a_copy_sheet_has_the_forms_order(
    tree: Tree, site: RunningSite
) -> None:
    so = site.somebody("so_admin")
    report = frozen(so, "MarkC00X", "commune")
    code = tree.schools[0].code
    table = xlsx(A1="Mã", A2=code, A3="99999999")
    seen = look(so, report, table, code="a", first="2", asked="B = school.name\nC = {{I-17.status}}")
    assert "Sẽ điền 1 dòng theo mã trường" in seen.text
    assert "dòng 3: 99999999" in seen.text
    book = load_workbook(io.BytesIO(take(so, seen).content)).active
    assert (book["B2"].value, book["C2"].value) == (f"Trường {tree.schools[0].mark}", "chưa đủ dữ liệu")
    data = {"csrf": csrf(so), "report": report, "questions": "Mã đơn vị | place.code\nNgười lập"}
    assert "tự điền" in so.post("/forms/copy", data=data).text
    sheet = so.post("/forms/copy", data={**data, "file": "csv"}).content.decode("utf-16")
    assert sheet.splitlines()[1:] == ['"1"\t"Mã đơn vị"\t"MarkC00X"', '"2"\t"Người lập"\t""']
