"""LibreOffice opens the workbook and the letter, and all that they say is on the pages that it prints."""

import subprocess
import unicodedata
from pathlib import Path

import msgspec
import pytest

from parts.frozen import of_school
from schoolwatch_server import texts
from schoolwatch_server.reports import content
from schoolwatch_server.reports.files import paper
from schoolwatch_server.reports.files.as_docx import DOCX
from schoolwatch_server.reports.files.as_xlsx import XLSX

SIGNS = "ẵ ỗ ữ đ Ỷ ặ"


@pytest.fixture(scope="module")
def printed(peer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each file says when printed; LibreOffice starts for seconds, so all are asked for at once."""
    folder: Path = tmp_path_factory.mktemp("office")
    of = msgspec.structs.replace(of_school(2), name=unicodedata.normalize("NFD", f"Trường {SIGNS} =1+1"))
    made = paper(content.encode(of), texts.load())
    files = {one.id: one.render(made) for one in (XLSX, DOCX)}
    files["broken.docx"] = files["docx"][: len(files["docx"]) // 2]
    for name, data in files.items():
        (folder / f"{name.partition('.')[0]}.{name.rpartition('.')[2]}").write_bytes(data)
    home = f"-env:UserInstallation=file://{folder}/home"
    names = [str(path) for path in sorted(folder.iterdir())]
    command = [peer("soffice"), home, "--headless", "--convert-to", "pdf", "--outdir", folder / "out", *names]
    subprocess.run(command, check=False, capture_output=True, timeout=120)
    reader = peer("pdftotext")
    return {
        path.stem: subprocess.run([reader, path, "-"], check=True, capture_output=True, text=True).stdout
        for path in (folder / "out").glob("*.pdf")
    }


def test_both_open_and_a_broken_one_does_not(printed: dict[str, str]) -> None:
    assert set(printed) == {"xlsx", "docx"}


@pytest.mark.parametrize("kind", ["xlsx", "docx"])
def test_vietnamese_survives_also_decomposed(printed: dict[str, str], kind: str) -> None:
    flat = " ".join(printed[kind].split())
    name = f"Trường {SIGNS} =1+1"
    assert (name if kind == "xlsx" else name.upper()) in flat
    assert "DỮ LIỆU MÔ PHỎNG, KHÔNG PHẢI SỐ LIỆU THẬT" in flat
    broken = flat.replace("- ", "-")  # a line may end at the hyphen, as the fonts of a machine have it
    assert "Tỉ lệ máy tính có phần mềm diệt vi-rút do UBND tỉnh cấp" in broken
    assert unicodedata.is_normalized("NFC", flat)
