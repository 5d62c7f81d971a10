"""The list of rooms: what each is used for, its computers, its projection, whether it has Internet."""

from collections.abc import Mapping

from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.listing import Listing
from schoolwatch_server.workbooks.table import Field

COMPUTERS_MAX = 1000
"""Computers of a room: more is a slip of the finger."""

ROLES: Mapping[str, tuple[str, ...]] = {
    "student_lab": (
        "Phòng máy học sinh",
        "Phòng máy",
        "Phòng máy tính",
        "Phòng Tin học",
        "Phòng Tin",
        "Computer lab",
    ),
    "classroom": ("Phòng học", "Lớp học", "Phòng học bộ môn", "Classroom"),
    "office": ("Văn phòng", "Phòng làm việc", "Phòng hành chính", "Office"),
    "studio": ("Studio", "Phòng studio", "Phòng ghi hình", "Recording studio"),
}
PROJECTIONS: Mapping[str, tuple[str, ...]] = {
    "none": ("Không có", "Không", "None"),
    "projector": ("Máy chiếu", "Projector"),
    "tv": ("Tivi", "Ti vi", "Màn hình TV", "Màn hình", "TV"),
    "interactive": ("Màn hình tương tác", "Bảng tương tác", "Bảng thông minh", "Interactive board"),
}
"""What a room is used for, and how it shows things, as people write it; the first as our template does."""

LISTING = Listing(
    (
        Field("name", ("Tên phòng", "Phòng", "Room"), cells.text, True),
        Field(
            "role",
            ("Loại phòng", "Mục đích sử dụng", "Công năng", "Used for"),
            cells.one_of(ROLES),
            words=ROLES,
        ),
        Field(
            "declared",
            ("Số máy tính", "Số máy", "Máy tính", "Computers"),
            cells.up_to(COMPUTERS_MAX),
            format="0",
        ),
        Field("campus", ("Điểm trường", "Cơ sở", "Campus"), cells.text),
        Field(
            "in_use",
            ("Đang sử dụng", "Đang dùng", "Còn sử dụng", "In use"),
            cells.yes_no,
            words=cells.YES_NO,
        ),
        Field(
            "projection",
            ("Thiết bị trình chiếu", "Trình chiếu", "Projection"),
            cells.one_of(PROJECTIONS),
            words=PROJECTIONS,
        ),
        Field(
            "projection_ok",
            ("Trình chiếu dùng được", "Thiết bị trình chiếu hoạt động", "Projection works"),
            cells.yes_no,
            words=cells.YES_NO,
        ),
        Field(
            "internet_by_hand",
            ("Ngày xác nhận có Internet", "Xác nhận Internet", "Internet confirmed on"),
            cells.day,
            format="DD/MM/YYYY",
        ),
    ),
    key=("name",),
    needed=("role",),
    refers={"campus": "campus"},
    past=("internet_by_hand",),
    removable=False,
)
