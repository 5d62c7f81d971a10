"""Classes of columns, and what is said of a table: what it holds and why, and the class of each column."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from schoolwatch_contract.catalogue.classes import CLASSES
from schoolwatch_contract.catalogue.kinds import Privacy

Kind = Privacy | Literal["written", "personal", "login", "key"]


@dataclass(frozen=True, slots=True)
class KindWords:
    """A class of columns in words, and how the law sees it."""

    title_vi: str
    title_en: str
    law_vi: str
    law_en: str


KINDS: dict[Kind, KindWords] = {
    **{each.name: KindWords(each.title_vi, each.title_en, each.law_vi, each.law_en) for each in CLASSES},
    "written": KindWords(
        "do người nhập",
        "written by people",
        "Ô nhập tự do: có thể chứa tên người nếu người nhập ghi vào; hướng dẫn là ghi chức danh, tên phòng, "
        "số máy, không ghi tên người",
        "Free text: holds a person's name if somebody writes one; the instruction is to write functions, "
        "rooms and numbers instead",
    ),
    "personal": KindWords(
        "dữ liệu cá nhân cơ bản",
        "basic personal data",
        "Thông tin về tài khoản số của người dùng hệ thống; họ tên, điện thoại, thư công vụ của đầu mối CNTT"
        ": dữ liệu cá nhân cơ bản (Nghị định 356/2025/NĐ-CP, Điều 3)",
        "Of the digital account of somebody who uses the system; name, work phone and mail of IT contacts: "
        "basic personal data (Nghị định 356/2025/NĐ-CP, Điều 3)",
    ),
    "login": KindWords(
        "dữ liệu đăng nhập",
        "login data",
        "Dữ liệu đăng nhập của người dùng hệ thống: có thể là dữ liệu cá nhân nhạy cảm (Nghị định "
        "356/2025/NĐ-CP, Điều 4; chưa đối chiếu bản gốc), vì vậy được bảo vệ như dữ liệu nhạy cảm",
        "Login data of those who use the system: may be sensitive personal data (Nghị định 356/2025/NĐ-CP, "
        "Điều 4; not compared with its text), and is guarded as such",
    ),
    "key": KindWords(
        "bí mật kỹ thuật",
        "technical secret",
        "Khóa và bản băm của thiết bị, mã truy cập: không phải dữ liệu cá nhân, nhưng phải giữ kín",
        "Keys and hashes of devices and tokens: no personal data, but to be kept secret",
    ),
}
"""Class to its words, the least private first."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One table: what it holds and why, and the class of each column."""

    vi: str
    en: str
    columns: Mapping[str, Kind]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The classes that occur, the least private first."""
        return tuple(kind for kind in KINDS if kind in self.columns.values())


def of(vi: str, en: str, **columns: str) -> Holding:
    """`technical="id at"` gives both columns this class."""
    return Holding(vi, en, {name: kind for kind in KINDS for name in columns.get(kind, "").split()})
