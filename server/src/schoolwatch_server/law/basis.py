"""What the law says, as far as it was read, and how sure each statement is."""

from dataclasses import dataclass
from typing import Literal

Sure = Literal["original", "secondary", "unverified"]

SURE: dict[Sure, str] = {
    "original": "đọc ở văn bản gốc",
    "secondary": "đọc qua nguồn thứ cấp, chưa đối chiếu với bản gốc",
    "unverified": "chưa kiểm chứng",
}
"""How sure a statement is, as it is printed beside it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a text of law says, in which place of it, and how it was read."""

    vi: str
    source: str
    sure: Sure


DATA: tuple[Statement, ...] = (
    Statement(
        "Dữ liệu cá nhân là dữ liệu xác định hoặc giúp xác định một con người cụ thể",
        "Luật 91/2025/QH15, Điều 2",
        "secondary",
    ),
    Statement(
        "Thông tin về tài khoản số của cá nhân là dữ liệu cá nhân cơ bản; địa chỉ IP và MAC không được nêu "
        "tên, thuộc mục mở khi thiết bị gắn với một người",
        "Nghị định 356/2025/NĐ-CP, Điều 3",
        "secondary",
    ),
    Statement(
        "Lịch sử hoạt động trên mạng, dữ liệu theo dõi hành vi và dữ liệu đăng nhập định danh số là dữ "
        "liệu cá "
        "nhân nhạy cảm",
        "Nghị định 356/2025/NĐ-CP, Điều 4",
        "secondary",
    ),
    Statement(
        "Dữ liệu của người học và nhà giáo chỉ được dùng trong phạm vi chức năng, nhiệm vụ được giao",
        "Nghị định 88/2026/NĐ-CP, khoản 3 Điều 4",
        "original",
    ),
    Statement(
        "Cơ sở giáo dục phải bảo đảm an toàn cơ sở dữ liệu và việc chia sẻ dữ liệu",
        "Nghị định 88/2026/NĐ-CP, khoản 4 Điều 22",
        "original",
    ),
    Statement(
        "Sở tổ chức, hướng dẫn, đôn đốc tự đánh giá mức độ chuyển đổi số, bảo đảm bảo mật thông tin cá "
        "nhân và "
        "an toàn dữ liệu",
        "Thông tư 45/2026, sửa đổi điểm i khoản 8 Điều 4",
        "original",
    ),
    Statement(
        "Hồ sơ đánh giá tác động xử lý dữ liệu cá nhân lập trong 60 ngày kể từ khi bắt đầu xử lý; các nguồn "
        "nêu điều khoản khác nhau",
        "Luật 91/2025/QH15, Nghị định 356/2025/NĐ-CP",
        "unverified",
    ),
)
"""Of personal data."""

LEVEL: tuple[Statement, ...] = (
    Statement(
        "Hệ thống cơ sở hạ tầng thông tin dùng chung của các cơ quan, tổ chức trong phạm vi một ngành, "
        "một tỉnh "
        "là hệ thống thông tin cấp độ 3",
        "Nghị định 85/2016/NĐ-CP, khoản 3 Điều 9",
        "original",
    ),
    Statement(
        "Hạ tầng thông tin cho cơ quan, tổ chức trong một bộ, ngành, tỉnh là cấp độ 3",
        "Nghị định 331/2026/NĐ-CP, khoản 3 Điều 13",
        "secondary",
    ),
    Statement(
        "Không được chia nhỏ phạm vi hệ thống chỉ để hạ cấp độ",
        "Nghị định 331/2026/NĐ-CP, khoản 3 Điều 8",
        "secondary",
    ),
    Statement(
        "Sự cố nghiêm trọng: báo cáo ban đầu trong 24 giờ kể từ khi phát hiện; báo cáo nguyên nhân, phạm vi, "
        "khắc phục trong 72 giờ; có dấu hiệu xâm phạm an ninh quốc gia thì báo ngay",
        "Nghị định 331/2026/NĐ-CP, điểm d khoản 2 Điều 31",
        "secondary",
    ),
    Statement(
        "Yêu cầu kỹ thuật theo cấp độ; phải mua và đối chiếu tiêu chuẩn trước khi nộp hồ sơ",
        "TCVN 14423:2026",
        "secondary",
    ),
)
"""Of the level of the central system."""
