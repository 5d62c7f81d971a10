"""The list of assets: things under the numbers of a school's books, where they are and who sees to them."""

from collections.abc import Mapping

from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.listing import Listing
from schoolwatch_server.workbooks.table import Field

KINDS: Mapping[str, tuple[str, ...]] = {
    "computer": ("Máy tính", "Máy tính để bàn", "Máy vi tính", "PC", "Computer"),
    "laptop": ("Máy tính xách tay", "Laptop", "Notebook"),
    "tablet": ("Máy tính bảng", "Tablet"),
    "server": ("Máy chủ", "Server"),
    "display": (
        "Máy chiếu, màn hình",
        "Máy chiếu",
        "Tivi",
        "TV",
        "Màn hình",
        "Bảng tương tác",
        "Projector, screen",
    ),
    "network": ("Thiết bị mạng", "Router", "Switch", "Bộ phát Wi-Fi", "Network device"),
    "printer": ("Máy in", "Máy quét", "Máy photocopy", "Printer"),
    "ups": ("Bộ lưu điện", "UPS"),
    "camera": ("Camera", "Webcam", "Thiết bị ghi hình", "Camera"),
    "software": ("Phần mềm", "Bản quyền phần mềm", "Software"),
    "other": ("Khác", "Thiết bị khác", "Other"),
}
STATUSES: Mapping[str, tuple[str, ...]] = {
    "in_use": ("Đang sử dụng", "Đang dùng", "Tốt", "Bình thường", "In use"),
    "in_store": ("Trong kho", "Chưa sử dụng", "Dự phòng", "In store"),
    "broken": ("Hỏng", "Không hoạt động", "Broken"),
    "in_repair": ("Đang sửa chữa", "Chờ sửa chữa", "Đang sửa", "In repair"),
    "disposed": ("Đã thanh lý", "Thanh lý", "Đã hủy", "Disposed"),
}
"""Kinds and conditions of things, as people write them; the first as our template does."""

LISTING = Listing(
    (
        Field(
            "tag",
            ("Mã tài sản", "Số hiệu tài sản", "Số thẻ tài sản", "Mã TS", "Asset tag"),
            cells.short(80),
            True,
        ),
        Field("name", ("Tên tài sản", "Tên thiết bị", "Tài sản", "Asset"), cells.text),
        Field(
            "kind",
            ("Loại", "Loại tài sản", "Loại thiết bị", "Kind"),
            cells.one_of(KINDS),
            words=KINDS,
        ),
        Field("room", ("Phòng", "Nơi đặt", "Vị trí", "Phòng sử dụng", "Room"), cells.text),
        Field("purpose", ("Công dụng", "Mục đích sử dụng", "Purpose"), cells.text),
        Field(
            "status",
            ("Tình trạng", "Trạng thái", "Status"),
            cells.one_of(STATUSES),
            words=STATUSES,
        ),
        Field(
            "has_serial",
            ("Có số sê-ri", "Có số serial", "Số sê-ri đã ghi sổ", "Has a serial number"),
            cells.yes_no,
            words=cells.YES_NO,
        ),
        Field(
            "support_ends",
            ("Hết hạn bảo hành", "Ngày hết bảo hành", "Bảo hành đến", "Hỗ trợ đến", "Support ends"),
            cells.until,
            format="DD/MM/YYYY",
        ),
        Field(
            "responsible",
            ("Chức danh phụ trách", "Chức danh người phụ trách", "Responsible (function)"),
            cells.text,
        ),
    ),
    key=("tag",),
    needed=("name",),
    refers={"room": "room"},
)
