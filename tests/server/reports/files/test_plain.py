"""CSV and JSON of a frozen report: complete, checkable, the same each time."""

import csv
import hashlib
import io

import msgspec
import pytest
from msgspec.structs import replace

from parts.frozen import of_province, of_school
from schoolwatch_server import texts
from schoolwatch_server.reports import content, files
from schoolwatch_server.reports.content import Content
from schoolwatch_server.reports.files import FORMATS, Paper, file_name, paper

WORDS = texts.load()


def sheet(of: Content, **more) -> Paper:
    return paper(content.encode(of), WORDS, **more)


def rows(of: Content) -> list[dict[str, str]]:
    raw = files.as_csv.render(sheet(of)).decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(raw)))
    ids = [heading.rsplit("[", 1)[1].rstrip("]") for heading in table[0]]
    return [dict(zip(ids, row, strict=True)) for row in table[1:]]


def test_json_is_what_the_digest_is_of() -> None:
    mine = sheet(of_school())
    (chosen,) = [one for one in FORMATS if one.id == "json"]
    assert hashlib.sha256(chosen.render(mine)).hexdigest() == mine.sha256
    assert content.decode(chosen.render(mine)) == of_school()


def test_an_older_report_with_fewer_fields_keeps_its_bytes() -> None:
    body = content.encode(of_school(0)).replace(b',"evidence":[', b',"nothing":[')
    body = body[: body.index(b',"nothing"')] + b"}"
    assert paper(body, WORDS).content.evidence == ()
    assert files.as_json.render(paper(body, WORDS)) == body


def test_csv_has_every_value_of_every_place() -> None:
    of = of_province(schools=6, communes=2)
    found = rows(of)
    assert len(found) == len(of.values) * 9 + len(of.plan_lines)
    assert {row["report_sha256"] for row in found} == {content.digest(content.encode(of))}
    assert {row["simulated"] for row in found} == {"có"}
    school = [row for row in found if row["school_code"] == "00000003"]
    assert {row["commune"] for row in school} == {"Xã Mẫu 1"}
    assert {row["province"] for row in found} == {"Tỉnh Mẫu"}
    assert next(row["commune"] for row in found if row["place_level"] == "xã/phường") == "Xã Mẫu 0"


def test_what_is_unknown_is_said_in_words_and_a_claim_is_beside_it() -> None:
    of = of_school()
    unknown = msgspec.structs.replace(
        of,
        values=(replace(of.values[0], value=None, status="not_enough_data", reason="nothing_to_count",
                        declared=0.5, declared_state="approved"),),
    )  # fmt: skip
    (row,) = rows(unknown)
    assert row["value"] == "chưa đủ dữ liệu"
    assert row["declared"] == "0.5"
    assert row["declared_state"] == "hiệu trưởng đã phê duyệt"


def test_file_names_are_safe() -> None:
    of = msgspec.structs.replace(of_school(0), code="../Ă b", period="2026-Q4")
    assert file_name(of, files.as_csv.CSV) == "schoolwatch-_____b-2026-Q4-r1.csv"


def test_the_wide_csv_has_a_row_a_place_and_says_what_is_unknown_or_simulated() -> None:
    of = of_province(schools=6, communes=2)
    raw = files.as_wide_csv.render(sheet(of)).decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(raw)))
    ids = [heading.rsplit("[", 1)[1].rstrip("]") for heading in table[0]]
    found = [dict(zip(ids, row, strict=True)) for row in table[1:]]
    assert len(found) == 1 + 2 + 6
    assert [row["code"] for row in found[:4]] == ["01", "00000", "00001", "00000000"]
    assert {row["simulated"] for row in found} == {"có"}
    for row, part in zip(found[1:], of.parts, strict=True):
        for value in part.values:
            said = row[f"{value.indicator}.value"]
            assert (
                said == "chưa đủ dữ liệu"
                if value.value is None
                else float(said) == pytest.approx(value.value, abs=1e-6)
            )
    assert "I-17a" in table[0][ids.index("antivirus_coverage.value")]
    assert file_name(of, files.as_wide_csv.WIDE_CSV).endswith("-r1-wide.csv")
