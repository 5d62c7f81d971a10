"""How long each class of data is kept: the one table that settings, retention and the record read.

Where the law gives a time, `source` names it; what it does not give is a choice of ours, and is called so.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Configured = Literal["journal", "hourly", "daily", "proof", "incident", "quarantine", "audit", "report"]
"""What `[retention]` of the settings sets, each as `<name>_days`, within its bounds."""

Fixed = Literal["use", "session", "slot", "generation", "retired", "copy"]
"""What the program's own working gives."""

Name = Configured | Fixed


@dataclass(frozen=True, slots=True)
class Term:
    """Days that a class of data is kept by default, and between which bounds the settings may set them."""

    days: int
    least: int
    most: int
    vi: str
    en: str
    why_vi: str
    why_en: str
    source: str = ""

    def within(self, days: float) -> bool:
        """Whether the settings may say so many days."""
        return self.least <= days <= self.most


TERMS: dict[Name, Term] = {
    "journal": Term(
        14, 7, 90,
        "Báo cáo thô của từng thiết bị",
        "Raw reports of each device",
        "Đủ để tính lại số liệu và xử lý sự cố; thiết bị giữ 7 ngày để gửi lại sau khi khôi phục máy chủ",
        "Enough to compute again and to look into an incident; devices keep 7 days to send again",
    ),
    "hourly": Term(
        730, 90, 1830,
        "Số liệu tổng hợp theo giờ của từng thiết bị",
        "Hourly summaries of each device",
        "So sánh hai năm học",
        "Two school years can be compared",
    ),
    "daily": Term(
        1830, 730, 3660,
        "Số liệu tổng hợp theo ngày; mức sử dụng phòng theo tuần",
        "Daily summaries; the use of rooms by week",
        "Theo dõi một kế hoạch 5 năm",
        "A plan of 5 years can be followed",
    ),
    "proof": Term(
        1830, 730, 3660,
        "Giá trị chỉ số và căn cứ của chúng: khai báo, mã trường, thông tin cũ của thiết bị",
        "Values of indicators and what they rest on: declarations, school codes, former facts of devices",
        "Chứng minh số liệu đã báo cáo, ít nhất hai năm sau",
        "What was reported can be proved, two years later at least",
    ),
    "incident": Term(
        1095, 365, 3660,
        "Sự cố đã đóng, diễn biến và thông báo của chúng",
        "Closed incidents, what happened in them and their notifications",
        "Đối chiếu với báo cáo sự cố, tổng kết các năm học",
        "Compared with reports of incidents, over school years",
    ),
    "quarantine": Term(
        90, 30, 365,
        "Báo cáo bị từ chối",
        "Refused reports",
        "Nhận lại sau khi sửa lỗi phần mềm; tìm nguồn tấn công",
        "Taken in again after a fix; the source of an attack is looked for",
    ),
    "audit": Term(
        730, 365, 3660,
        "Nhật ký thao tác của người dùng; tài khoản đã khóa và mã truy cập đã hết hạn",
        "The audit log; disabled accounts and tokens that ended",
        "Tra cứu ai đã làm gì; ít nhất 12 tháng",
        "Who did what can be looked up; 12 months at least",
        "TCVN 14423:2026; Nghị định 333",
    ),
    "report": Term(
        3660, 1830, 18300,
        "Báo cáo đã chốt: số liệu, căn cứ, mã băm, ai nộp, ai duyệt",
        "Frozen reports: numbers, what they rest on, digest, who handed in and accepted",
        "Mở lại đúng từng byte khi phải chứng minh số liệu; đề xuất của SchoolWatch, chưa tìm thấy thời hạn "
        "bảo quản trong các nguồn đã đọc: đặt theo quy định lưu trữ mà đơn vị áp dụng",
        "Opened again byte for byte when numbers must be proved; a proposal, as no source at hand gives a "
        "term: set it as the archive rules of the authority say",
    ),
    "use": Term(
        71,
        71,
        71,
        "Thời gian bật, có người dùng theo ngày của từng máy dùng chung",
        "How long each shared computer was on and in use a day",
        "Chỉ để cộng theo phòng và tuần, kể cả sau khi máy chủ ngừng 8 tuần; theo giờ: như báo cáo thô",
        "Only to be summed by room and week, also after 8 weeks of outage; by hour as long as raw reports",
    ),
    "session": Term(
        0, 0, 0,
        "Phiên đăng nhập đã hết hạn",
        "Sessions that ended",
        "Không còn cần",
        "Not needed any more",
    ),
    "slot": Term(
        7, 7, 7,
        "Lượt đo tốc độ",
        "Turns of the speed test",
        "Xem lại lượt đo gần đây",
        "The last tests can be looked at",
    ),
    "generation": Term(
        120, 120, 120,
        "Số thứ tự báo cáo của những lần khởi động cũ",
        "Numbers of the reports of former starts",
        "Không nhận trùng báo cáo, kể cả sau kỳ nghỉ hè",
        "No report is counted twice, also after a summer",
    ),
    "retired": Term(
        365,
        365,
        365,
        "Máy đã ngừng sử dụng: khóa, tình trạng cuối cùng, bản băm phần cứng; máy bị từ chối: mọi dữ liệu",
        "Retired devices: keys, last state, digests of hardware; devices that were turned away: all",
        "Trong một năm học có thể đưa máy trở lại; số liệu máy đã đo giữ theo loại của nó",
        "For a school year a device can be brought back; what it measured is kept as its class says",
    ),
    "copy": Term(
        30,
        30,
        30,
        "Bản sao cơ sở dữ liệu để lại khi nâng cấp hoặc quay lại bản cũ",
        "Copies of the database that an upgrade or a rollback leaves",
        "Quay lại bản cũ; sau đó dữ liệu đã xóa không còn nằm trong bản sao",
        "The way back; after that, what was deleted lies in no copy any more",
    ),
}  # fmt: skip
"""Name to its term."""

CONFIGURED: tuple[Configured, ...] = get_args(Configured)

OF_DEVICES: tuple[Name, ...] = tuple(name for name in TERMS if name != "report")
"""What may point to a device, which therefore stays as long; a frozen report points to nothing."""
