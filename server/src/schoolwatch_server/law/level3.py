"""The checklist for the level-3 dossier: per requirement what the program does, and what it does not."""

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from schoolwatch_server.law.basis import LEVEL, SURE, Sure
from schoolwatch_server.law.document import Document, Section

SHEET = Path(__file__).with_name("level3.toml")

MET: dict[str, str] = {
    "yes": "Đáp ứng, theo nội dung đã đọc",
    "part": "Đáp ứng một phần",
    "no": "Chưa đáp ứng",
    "own": "Việc của cơ quan chủ quản",
}
"""How far a requirement is met by the program alone."""


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement; `shown` are commands, pages, settings and docs where it can be seen."""

    topic: str
    clause: str
    sure: Sure
    needs: str
    met: Literal["yes", "part", "no", "own"]
    own: str
    product: str = ""
    shown: tuple[str, ...] = ()
    missing: str = ""


class _Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    item: tuple[Item, ...]


@cache
def items() -> tuple[Item, ...]:
    """Every requirement, in the order of the dossier."""
    return msgspec.convert(tomllib.loads(SHEET.read_text(encoding="utf-8")), _Sheet).item


def checklist(state: Iterable[tuple[str, str]] = ()) -> Document:
    """The checklist; `state` is the server's real condition, and without it where to get it."""
    told = tuple(state)
    return Document(
        "Danh mục đối chiếu cho hồ sơ đề xuất cấp độ 3",
        (
            "Hệ thống: máy chủ trung tâm của Sở theo dõi hạ tầng công nghệ thông tin của các trường.",
            (
                "Phần mềm không tự chứng nhận: mỗi yêu cầu ghi rõ phần nào do phần mềm, phần nào do cơ quan "
                "chủ quản, "
                "phần nào chưa có, và yêu cầu được đọc từ đâu."
            ),
            (
                "TCVN 14423:2026 và Nghị định 331/2026/NĐ-CP chưa được đối chiếu với bản gốc: mua tiêu chuẩn "
                "và rà soát "
                "trước khi nộp."
            ),
        ),
        (
            Section(
                "Trạng thái thực tế của máy chủ",
                () if told else ("Chạy `schoolwatch-server dossier` trên máy chủ để điền phần này.",),
                head=("Nội dung", "Trạng thái") if told else (),
                rows=told,
            ),
            Section(
                "Tổng hợp",
                head=("Mức đáp ứng", "Yêu cầu"),
                rows=tuple(
                    (name, "; ".join(item.topic for item in items() if item.met == met) or "không có")
                    for met, name in MET.items()
                ),
            ),
            *(_section(number, item) for number, item in enumerate(items(), 1)),
            Section(
                "Căn cứ và mức độ kiểm chứng",
                head=("Nội dung", "Văn bản", "Mức độ kiểm chứng"),
                rows=tuple((each.vi, each.source, SURE[each.sure]) for each in LEVEL),
            ),
        ),
    )


def _section(number: int, item: Item) -> Section:
    rows = (
        ("Yêu cầu", item.needs),
        ("Căn cứ", f"{item.clause} ({SURE[item.sure]})"),
        ("Mức đáp ứng của phần mềm", MET[item.met]),
        ("Phần mềm làm", item.product or "–"),
        ("Xem ở", "; ".join(map(_where, item.shown)) or "–"),
        ("Cơ quan chủ quản làm", item.own),
        ("Chưa có trong phần mềm", item.missing or "–"),
    )
    return Section(f"{number}. {item.topic}", head=("Mục", "Nội dung"), rows=rows)


_KINDS = {"GET": "trang", "POST": "trang", "server.toml": "cài đặt"}


def _where(shown: str) -> str:
    """Where to look, in words: a command, a page, a setting or a document."""
    kind, _, rest = shown.partition(" ")
    if kind in _KINDS:
        return f"{_KINDS[kind]} {rest}"
    return f"{'lệnh' if rest else 'tài liệu'} {shown}"
