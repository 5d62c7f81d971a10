"""The list of schools: its columns, what the registry knows, and what an import would change. Pure.

A row is one school by its code. What the registry knows already is compared; an empty cell changes nothing,
and a school that is not in the list stays as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from schoolwatch_server.levels import LEVELS
from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.table import Field, Problem

CODE = Field(
    "code", ("Mã trường", "Mã trường học", "Mã đơn vị", "Mã CSGD", "Mã", "School code"), cells.code, True
)
"""By which a row of any list names its school."""

MANAGERS: Mapping[str, tuple[str, ...]] = {
    "": ("Theo quy định", "Mặc định", "As the rule says"),
    "so": ("Sở GDĐT", "Sở", "Sở Giáo dục và Đào tạo", "Department"),
    "xa": ("UBND cấp xã", "UBND xã", "UBND phường", "Xã", "Phường", "UBND xã/phường", "Commune"),
}
SPECIALISED: Mapping[str, tuple[str, ...]] = {
    "no": ("Không", "0", "No"),
    "yes": ("Có", "Chuyên biệt", "Trường chuyên", "x", "Yes"),
    "boarding": ("Nội trú, bán trú", "Nội trú", "Bán trú", "PTDTNT", "PTDTBT", "Boarding"),
}
OWNED: Mapping[str, tuple[str, ...]] = {
    "public": ("Công lập", "Public"),
    "private": ("Ngoài công lập", "Tư thục", "Dân lập", "Private"),
}
"""Who decides about a school, as people write it; the first word as our template does."""

FIELDS = (
    CODE,
    Field(
        "name",
        ("Tên trường", "Tên trường học", "Tên đơn vị", "Trường", "School", "School name"),
        cells.text,
        True,
    ),
    Field(
        "level", ("Cấp học", "Loại hình trường", "Loại trường", "Cấp", "Level"), cells.level, choices=LEVELS
    ),
    Field(
        "commune",
        ("Mã xã", "Mã phường/xã", "Mã xã/phường", "Mã đơn vị hành chính", "Commune code"),
        cells.code,
    ),
    Field(
        "commune_name",
        ("Tên xã", "Tên xã/phường", "Tên phường/xã", "Xã/Phường", "Phường/Xã", "Xã", "Địa bàn", "Commune"),
        cells.text,
    ),
    Field("province", ("Mã tỉnh", "Mã tỉnh/thành phố", "Province code"), cells.code),
    Field("province_name", ("Tên tỉnh", "Tỉnh", "Tỉnh/Thành phố", "Province"), cells.text),
    Field(
        "students",
        ("Số học sinh", "Tổng số học sinh", "Số lượng học sinh", "Học sinh", "Sĩ số", "Students"),
        cells.count,
        format="0",
    ),
    Field(
        "devices",
        ("Số máy tính", "Tổng số máy tính", "Số lượng máy tính", "Máy tính", "Computers"),
        cells.count,
        format="0",
    ),
    Field(
        "student_devices",
        (
            "Số máy tính cho học sinh",
            "Máy tính cho học sinh",
            "Máy tính phục vụ học sinh",
            "Student computers",
        ),
        cells.count,
        format="0",
    ),
    Field("former_code", ("Mã trường cũ", "Mã cũ", "Former code"), cells.code),
    Field(
        "since",
        ("Áp dụng từ ngày", "Hiệu lực từ ngày", "Từ ngày", "Valid from"),
        cells.day,
        format="DD/MM/YYYY",
    ),
    Field(
        "manager",
        ("Cơ quan quản lý trực tiếp", "Cơ quan quản lý", "Đơn vị quản lý", "Managed by"),
        cells.one_of(MANAGERS),
        words=MANAGERS,
    ),
    Field(
        "specialised",
        ("Chuyên biệt", "Trường chuyên biệt", "Specialised"),
        cells.one_of(SPECIALISED),
        words=SPECIALISED,
    ),
    Field(
        "owned",
        ("Công lập/Ngoài công lập", "Hình thức sở hữu", "Loại hình sở hữu", "Public or private"),
        cells.one_of(OWNED),
        words=OWNED,
    ),
    Field(
        "former_place",
        ("Địa bàn trước 01/7/2025", "Tỉnh cũ", "Huyện cũ", "Địa bàn cũ", "Former place"),
        cells.text,
    ),
    Field(
        "position",
        ("Tọa độ (vĩ độ, kinh độ)", "Vị trí", "Position"),
        cells.position,
    ),
    Field(
        "website",
        (
            "Trang thông tin điện tử",
            "Địa chỉ trang web",
            "Địa chỉ website",
            "Trang web",
            "Website",
        ),
        cells.website,
    ),
)
"""In the order of the template."""

DECLARED = ("students", "devices", "student_devices")
STATUS = ("manager", "specialised", "owned", "former_place", "position")


@dataclass(frozen=True, slots=True)
class School:
    """A school as the registry has it now; `declared` by quantity, `code_since` the day its code began.

    `status` holds the fields of `STATUS`.
    """

    id: int
    code: str
    name: str
    level: str
    commune: str
    declared: Mapping[str, float]
    code_since: date = date.min
    status: Mapping[str, str] = field(default_factory=dict)
    website: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A commune or province by its code, with the code of what it is part of."""

    code: str
    name: str
    within: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What of the registry who imports may change.

    `ended` are codes of schools that are no more, or another's; `elsewhere` those of others' communes.
    """

    schools: Mapping[str, School] = field(default_factory=dict)
    ended: frozenset[str] = frozenset()
    communes: Mapping[str, Place] = field(default_factory=dict)
    provinces: Mapping[str, Place] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()
    may_add_province: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """What one row does: a new thing (`id` None), or other values of one; each as (before, after).

    Values in `private` are never shown.
    """

    row: int
    code: str
    name: str
    id: int | None
    values: Mapping[str, tuple[object, object]]
    since: date | None = None
    private: frozenset[str] = frozenset()

    @property
    def removes(self) -> bool:
        """Whether the thing is taken away."""
        return "remove" in self.values

    def after(self, name: str) -> object:
        """The new value; None when it stays."""
        return self.values[name][1] if name in self.values else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do. With a problem it does nothing."""

    changes: tuple[Change, ...]
    same: int
    communes: tuple[Place, ...]
    provinces: tuple[Place, ...]
    problems: tuple[Problem, ...]
