"""What each privacy class means, and how the law sees it."""

from dataclasses import dataclass

from schoolwatch_contract.catalogue.kinds import Privacy


@dataclass(frozen=True, slots=True)
class Class:
    """A privacy class in words, and its place in the law on personal data."""

    name: Privacy
    title_vi: str
    title_en: str
    vi: str
    en: str
    law_vi: str
    law_en: str


CLASSES: tuple[Class, ...] = (
    Class(
        "technical",
        "kỹ thuật",
        "technical",
        "Nói về máy, không nói về người hay nơi",
        "Says something of a machine, nothing of a person or a place",
        "Không phải dữ liệu cá nhân: không xác định và không giúp xác định một con người cụ thể "
        "(Luật 91/2025/QH15, Điều 2)",
        "No personal data: it neither identifies a person nor helps to (Luật 91/2025/QH15, Điều 2)",
    ),
    Class(
        "organisational",
        "của tổ chức",
        "organisational",
        "Cho biết mạng của nhà trường này khác mạng của trường khác; không gắn với một con người",
        "Tells a school's network from another's; belongs to no one person",
        "Dữ liệu của tổ chức; địa chỉ IP không nằm trong danh mục dữ liệu cá nhân của "
        "Nghị định 356/2025/NĐ-CP, Điều 3",
        "Data of an organisation; IP addresses are not in the list of personal data of "
        "Nghị định 356/2025/NĐ-CP, Điều 3",
    ),
    Class(
        "pseudonymised",
        "thay cho danh tính",
        "pseudonymised",
        "Thay cho một thiết bị hoặc người mà danh tính ở lại nhà trường",
        "Stands for a device or person whose identity stayed at the school",
        "Có thể là dữ liệu cá nhân cơ bản khi máy gắn với một người (mục mở của Nghị định 356/2025/NĐ-CP, "
        "Điều 3: các thông tin khác gắn liền với một con người cụ thể); vì thế chỉ gửi bản băm có khóa",
        "May be basic personal data where a machine is one person's (the open item of "
        "Nghị định 356/2025/NĐ-CP, Điều 3: other information tied to a certain person); "
        "that is why only a keyed digest is sent",
    ),
    Class(
        "aggregated",
        "chỉ xem theo phòng",
        "of rooms alone",
        "Chỉ đo ở phòng máy và phòng học, chỉ hiển thị tổng theo tuần của phòng có đủ số máy, cộng một lần "
        "rồi không thay đổi; không hiển thị theo máy hay theo người",
        "Measured in labs and classrooms alone, shown as a sum of a week in rooms with enough computers, "
        "made once and never changed; never shown by computer or person",
        "Máy dùng chung không gắn với một người; số liệu theo phòng không xác định được ai "
        "(Luật 91/2025/QH15, Điều 2)",
        "A shared computer is no one person's; a room's sum identifies nobody (Luật 91/2025/QH15, Điều 2)",
    ),
)

LAW_VI = """\
Phân loại theo Luật Bảo vệ dữ liệu cá nhân (Luật 91/2025/QH15) và Nghị định 356/2025/NĐ-CP, cùng có hiệu lực \
từ ngày 01/01/2026.
Nội dung hai văn bản này được đọc qua nguồn thứ cấp, chưa đối chiếu với bản gốc.
Đọc ở văn bản gốc: dữ liệu về người học và nhà giáo chỉ được dùng trong phạm vi chức năng, nhiệm vụ \
được giao (Nghị định 88/2026/NĐ-CP, khoản 3 Điều 4).
Đây là cách phần mềm được làm ra, không phải tư vấn pháp lý; đơn vị vận hành tự quyết định với luật sư \
của mình về việc đánh giá tác động."""

LAW_EN = """\
The classes follow Vietnam's Law on Personal Data Protection (Luật 91/2025/QH15) with \
Nghị định 356/2025/NĐ-CP, both in force since 1 January 2026.
What is said here of these two was read in secondary sources and not yet compared with their text.
Read in the text itself: data of learners and teachers may only be used within the functions and duties that \
were assigned (Nghị định 88/2026/NĐ-CP, Điều 4.3).
This is how the software was built, not legal advice: whoever runs it decides with their own lawyer whether \
an impact assessment is due."""

NEVER: tuple[tuple[str, str], ...] = (
    ("tên đăng nhập, họ tên, thư điện tử", "user names, full names, e-mail addresses"),
    (
        "tên máy (chỉ gửi bản băm có khóa riêng của nhà trường)",
        "the machine's name (only a digest under the school's own key)",
    ),
    (
        (
            "số sê-ri, địa chỉ MAC (chỉ gửi bản băm có khóa; tên card mạng theo MAC, thiết bị bị máy cổng "
            "phát hiện chỉ giữ nửa của hãng)"
        ),
        (
            "serial numbers, MAC addresses (only keyed digests; an adapter's name and what a gateway sees of "
            "a strange device keep the maker's half)"
        ),
    ),
    (
        (
            "phần định danh của địa chỉ IPv6; địa chỉ IP của máy (trừ máy tự nhận là bộ định tuyến hoặc máy "
            "cấp địa chỉ)"
        ),
        (
            "IPv6 interface identifiers; a machine's own IP addresses (but for one that acts as router or "
            "DHCP server)"
        ),
    ),
    (
        "lịch sử truy cập, tệp, màn hình, chương trình người dùng mở",
        "browsing, files, what is on the screen, which programs somebody uses",
    ),
)
"""What no part of the agent sends, in Vietnamese and English."""
