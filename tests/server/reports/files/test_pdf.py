"""The evidence pack: complete, checkable, the same each time; what schools write is text and nothing else."""

import hashlib
import re
import subprocess
import unicodedata
from pathlib import Path

import msgspec
import pytest
import time_machine
from msgspec.structs import replace

from parts.frozen import of_province, of_school, of_self_assessment, value_of
from schoolwatch_server import texts
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import IndicatorValue, OfStage
from schoolwatch_server.reports import content
from schoolwatch_server.reports.content import Content
from schoolwatch_server.reports.files import paper
from schoolwatch_server.reports.files.as_pdf import PDF, TEMPLATE
from schoolwatch_server.reports.files.evidence import evidence
from schoolwatch_server.reports.files.trend import trend

WORDS = texts.load()
ADDRESS = "https://giamsat.vi.du/verify/1"
SIGNS = "ẵ ỗ ữ đ Đ Ỷ ặ"
HOSTILE = '#read("/etc/passwd") $x^2$ *b* _i_ <l> @r `c` // /* \\ #{panic()} "q" ]] )) %'


def made(of: Content, **more) -> bytes:
    return PDF.render(paper(content.encode(of), WORDS, **more))


READERS = ("read", "eval", "plugin", "csv", "yaml", "toml", "xml", "cbor", "bibliography")


@pytest.fixture(scope="module")
def hostile() -> Content:
    """Names that a template language, a page and a font could stumble over."""
    of = of_school(60)
    first = msgspec.structs.replace(of.devices[0], label=HOSTILE, room="x" * 300)
    decomposed = unicodedata.normalize("NFD", f"Trường {SIGNS} {HOSTILE}")
    unknown = replace(
        value_of(of), value=None, status="not_enough_data", reason="coverage_below_floor", coverage=0.4,
        declared=0.85, declared_state="approved",
    )  # fmt: skip
    return msgspec.structs.replace(
        of, name=decomposed, devices=(first, *of.devices[1:]), values=(unknown, *of.values[2:])
    )


@pytest.fixture(scope="module")
def said(hostile: Content, peer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """All text of the pack, without the places where long words may break."""
    path: Path = tmp_path_factory.mktemp("pdf") / "minh-chung.pdf"
    path.write_bytes(made(hostile, verify=ADDRESS))
    ran = subprocess.run([peer("pdftotext"), path, "-"], check=True, capture_output=True, text=True)
    return ran.stdout.replace("\u200b", "")


def test_the_same_report_gives_the_same_bytes_on_another_day() -> None:
    of = of_school(3)
    with time_machine.travel("2027-01-01T00:00:00Z"):
        first = made(of, verify=ADDRESS)
    with time_machine.travel("2031-07-01T09:30:00Z"):
        assert made(of, verify=ADDRESS) == first
    assert made(msgspec.structs.replace(of, revision=2), verify=ADDRESS) != first


def test_it_says_that_it_is_pdf_a_and_carries_the_report_itself() -> None:
    of = of_school(0)
    pdf = made(of)
    assert pdf.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>3</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>U</pdfaid:conformance>" in pdf
    assert b"bao-cao.json" in pdf


def test_vietnamese_survives_also_decomposed(said: str) -> None:
    assert f"Trường {SIGNS}" in said
    assert "HỒ SƠ MINH CHỨNG" in said
    assert unicodedata.is_normalized("NFC", said)


def test_what_a_school_writes_is_never_code(said: str) -> None:
    flat = re.sub(r"\s+", "", said)
    assert re.sub(r"\s+", "", HOSTILE) in flat
    assert "root:" not in said


def test_each_criterion_has_its_value_formula_and_reason(said: str, hostile: Content) -> None:
    assert "chưa đủ dữ liệu" in said
    assert "Số liệu quan sát được chưa đủ so với số đã khai báo (dưới độ phủ tối thiểu)" in " ".join(
        said.split()
    )
    assert "85% (khai báo, chưa kiểm chứng; hiệu trưởng đã phê duyệt)" in " ".join(said.split())
    known = next(one for one in hostile.values if one.value and one.unit == "ratio")
    assert re.search(rf"{known.numerator:g} ÷ {known.denominator:g} = ", said)


def test_digest_address_pages_devices_and_documents_are_there(said: str, hostile: Content) -> None:
    assert hashlib.sha256(content.encode(hostile)).hexdigest() in said
    assert ADDRESS in said
    pages = re.findall(r"Trang (\d+)/(\d+)", said)
    assert [int(page) for page, _ in pages] == list(range(1, int(pages[0][1]) + 1))
    assert "Máy 59" in said
    assert all(one.name in " ".join(said.split()) for one in hostile.evidence)
    assert said.count("DỮ LIỆU MÔ PHỎNG") > len(pages)


def test_a_real_school_is_not_marked_and_without_an_address_there_is_no_code() -> None:
    told = evidence(paper(content.encode(msgspec.structs.replace(of_school(0), simulated=False)), WORDS))
    assert (told["mark"], told["qr"], told["verify"]) == ("", "", "")


def told(value: IndicatorValue) -> dict[str, str]:
    """What stands beside a criterion."""
    of = msgspec.structs.replace(of_school(0), values=(value,))
    (criterion,) = evidence(paper(content.encode(of), WORDS))["criteria"]
    return dict(criterion["told"])


def test_checks_and_steps_say_how_they_came_out_and_which_nobody_knows() -> None:
    of = value_of(of_school(0), "lan_standard")
    counted = (("L1_yes", 1), ("L1_no", 0), ("L2_yes", 0), ("L2_no", 1), ("L4_yes", 0), ("L4_no", 0))
    assert told(replace(of, parts=counted))["Chi tiết"] == (
        "L1 sơ đồ mạng còn mới: đạt; L2 tường lửa có chống xâm nhập: chưa đạt; "
        "L4 thiết bị mạng quản lý được: chưa rõ"
    )
    steps = value_of(of_school(0), "ipv6_transition")
    said = told(
        replace(steps, parts=(("V0", 0), ("V1", 1), ("V2", 0)), value=1.0, numerator=1, denominator=1)
    )
    assert said["Chi tiết"] == "V1 đường truyền có IPv6"
    assert said["Công thức"].endswith(" = bậc V1")


def test_numbers_that_make_no_value_are_told_as_what_they_are() -> None:
    of = replace(value_of(of_school(0)), value=None, numerator=3, denominator=4)
    assert told(of)["Công thức"].endswith("(hiện có: tử số 3, mẫu số 4)")


def test_a_school_of_several_stages_shows_each_with_its_numbers() -> None:
    stages = (
        OfStage("TH", 2.5, 40, 16, 2, meets=False),
        OfStage("THCS", 1.5, 30, 20, 2, meets=True),
        OfStage("THPT", None, 30, 0, 1, meets=None),
    )
    of = value_of(of_school(0), "students_per_computer_in_lesson")
    assert told(replace(of, stages=stages))["Theo cấp học"] == (
        "TH: 2,5 học sinh/máy (40 ÷ 16; chưa đạt); THCS: 1,5 học sinh/máy (30 ÷ 20; đạt); "
        "THPT: chưa rõ (30 ÷ 0)"
    )


def test_every_indicator_has_a_formula_of_its_own() -> None:
    assert [one.id for one in INDICATORS if f"file.formula.{one.id}" not in WORDS.entries] == []


def test_the_template_reads_nothing_and_takes_no_text_for_code() -> None:
    words = TEMPLATE.decode()
    for forbidden in ("#import", "#include", "@preview", *(f"{name}(" for name in READERS)):
        assert forbidden not in words
    assert re.findall(r"json\([^)]*\)?", words) == ["json(bytes(sys.inputs.data)"]
    assert set(re.findall(r"image\((\w+)", words)) == {"bytes"}


def test_a_province_has_a_summary_of_its_communes_and_carries_no_report_that_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from schoolwatch_server.reports.files import evidence as pack

    of = paper(content.encode(of_province(5, 2)), WORDS)
    told = evidence(of)
    titles = [table["title"] for table in told["asked"]]
    assert titles == ["Kế hoạch 27/KH-SGDĐT", "Tổng hợp theo số trường", "Từng xã, phường"]
    assert [row[0] for row in told["asked"][-1]["rows"]] == ["Xã Mẫu 0 (00000)", "Xã Mẫu 1 (00001)"]
    counted = [int(cell) for cell in told["asked"][-1]["rows"][0][1:]]
    assert sum(counted) == len(of.content.values), "every indicator stands somehow"
    assert told["labels"]["title"] == "BÁO CÁO TỔNG HỢP, MINH CHỨNG"
    assert told["devices"]["rows"] == []
    assert b"bao-cao.json" in PDF.render(of)
    monkeypatch.setattr(pack, "BODY_MOST", 1000)
    apart = PDF.render(of)
    assert b"bao-cao.json" not in apart
    assert "tệp JSON tải ở trang của báo cáo" in evidence(of)["labels"]["how"]


def test_the_year_before_is_drawn_with_its_gap_and_the_target() -> None:
    of = of_self_assessment()
    drawn = trend(paper(content.encode(of), WORDS), value_of(of))
    assert drawn is not None
    first, second = drawn["lines"]
    assert (len(first), len(second)) == (20, 26), "six weeks of which nobody knows break the line"
    assert first[0] == (0.0, 1.0)
    assert second[-1] == (1.0, round(1 - 51 / 60, 4))
    assert (drawn["first"], drawn["last"]) == ("20/11/2025", "12/11/2026")
    assert drawn["top"] == "100%"
    nothing = value_of(of, "studio")
    assert trend(paper(content.encode(of), WORDS), nothing) is None, "it never had a value"


def test_computers_behind_a_number_are_named() -> None:
    of = of_school(3)
    value = value_of(of)
    counted = [{value.indicator: True}, {value.indicator: False}, {}]
    devices = tuple(
        msgspec.structs.replace(one, counted=how) for one, how in zip(of.devices, counted, strict=True)
    )
    (criterion,) = evidence(
        paper(content.encode(msgspec.structs.replace(of, values=(value,), devices=devices)), WORDS)
    )["criteria"]
    said = dict(criterion["told"])
    assert (said["Máy được tính"], said["Máy đã rõ, không tính"]) == ("1: Máy 00", "1: Máy 01")
