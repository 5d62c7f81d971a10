"""The list of line contracts: which provider, how fast, until when, and whom to call."""

from collections.abc import Mapping
from datetime import date

from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.faults import Faults
from schoolwatch_server.workbooks.listing import Listing, Row
from schoolwatch_server.workbooks.table import Field

TECHNOLOGIES: Mapping[str, tuple[str, ...]] = {
    "fibre": ("Cáp quang", "FTTH", "Quang", "Internet cáp quang", "Fibre"),
    "leased": ("Kênh thuê riêng", "TSLCD", "Số liệu chuyên dùng", "Leased line"),
    "cable": ("Cáp đồng trục", "Truyền hình cáp", "Cable"),
    "dsl": ("ADSL", "Cáp đồng", "DSL"),
    "mobile": ("Di động", "3G/4G/5G", "4G", "5G", "3G", "Mobile"),
    "satellite": ("Vệ tinh", "Satellite"),
}


def _complete(row: Row, faults: Faults) -> None:
    starts, ends = row.now("starts"), row.now("ends")
    if isinstance(starts, date) and isinstance(ends, date) and ends < starts:
        faults.add(row.number, "ends", "ends_first", value=f"{ends:%d/%m/%Y}", starts=f"{starts:%d/%m/%Y}")


LISTING = Listing(
    (
        Field("isp", ("Nhà mạng", "Nhà cung cấp", "Nhà cung cấp dịch vụ", "ISP"), cells.short(80), True),
        Field(
            "subscriber",
            ("Mã thuê bao", "Số thuê bao", "Mã khách hàng", "Tên truy nhập", "Subscriber"),
            cells.short(80),
        ),
        Field(
            "technology",
            ("Loại đường truyền", "Công nghệ", "Technology"),
            cells.one_of(TECHNOLOGIES),
            words=TECHNOLOGIES,
        ),
        Field(
            "download_mbps",
            ("Tốc độ tải xuống (Mbps)", "Băng thông (Mbps)", "Tốc độ", "Download (Mbps)"),
            cells.mbps,
            format="0.##",
        ),
        Field("upload_mbps", ("Tốc độ tải lên (Mbps)", "Upload (Mbps)"), cells.mbps, format="0.##"),
        Field("hotline", ("Tổng đài hỗ trợ", "Tổng đài", "Điện thoại hỗ trợ", "Hotline"), cells.phone),
        Field(
            "starts",
            ("Ngày bắt đầu", "Hiệu lực từ", "Ngày ký", "Từ ngày", "Starts"),
            cells.since,
            format="DD/MM/YYYY",
        ),
        Field(
            "ends",
            ("Ngày hết hạn", "Hiệu lực đến", "Đến ngày", "Hết hạn", "Ends"),
            cells.until,
            format="DD/MM/YYYY",
        ),
    ),
    key=("isp", "subscriber"),
    complete=_complete,
)
