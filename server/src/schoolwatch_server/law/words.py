"""What roles, permissions, topics and probes are called, in Vietnamese and English."""

from schoolwatch_contract.topics import Leaf
from schoolwatch_server.access import Permission, Role
from schoolwatch_server.texts import Language

Both = dict[Language, str]

ROLES: dict[Role, Both] = {
    "so_admin": {"vi": "quản trị của Sở", "en": "administrators of the department"},
    "so_viewer": {"vi": "cán bộ theo dõi của Sở", "en": "staff of the department"},
    "commune": {"vi": "cán bộ cấp xã", "en": "staff of the commune"},
    "school_head": {"vi": "hiệu trưởng", "en": "the head of the school"},
    "technician": {"vi": "cán bộ kỹ thuật", "en": "the school's technician"},
    "auditor": {"vi": "kiểm tra, thanh tra (chỉ xem)", "en": "inspectors (reading only)"},
}

PERMISSIONS: dict[Permission, str] = {
    "self": "tài khoản của mình",
    "people": "cấp và khóa tài khoản trong phạm vi của mình",
    "tokens": "cấp và thu hồi mã truy cập API trong phạm vi của mình",
    "audit": "xem nhật ký thao tác",
    "read": "xem số liệu",
    "declare": "khai báo số liệu, phòng",
    "enrol": "đăng ký thiết bị, nhập báo cáo từ USB",
    "system": "xem trang máy chủ",
    "erase": "xóa vĩnh viễn dữ liệu của máy, của trường",
    "rotate": "yêu cầu đổi khóa và mật khẩu của máy",
    "registry": "nhập danh sách trường, sửa tên, cấp học, xã của trường, đặt lịch báo cáo",
    "freeze": "chốt báo cáo trong phạm vi của mình",
    "hand_in": "nộp báo cáo của chính đơn vị mình",
    "accept": "duyệt, trả lại báo cáo, khai báo của đơn vị mình trực tiếp quản lý",
    "claim": "khai báo nội dung không đo được, kèm minh chứng",
    "approve": "phê duyệt khai báo của trường trước khi gửi",
    "recognise": "công nhận khai báo đã được chấp nhận",
    "evidence": "xem khai báo và minh chứng",
    "handle": "nhận xử lý, giao, ghi chú, đóng sự cố trong phạm vi của mình",
    "alert": "gửi cảnh báo của Grafana đến",
    "report_incidents": "bỏ đánh dấu sự cố nghiêm trọng, lập và ghi nhận gửi báo cáo sự cố",
    "duty": "đặt kênh thông báo, lịch trực, tổ chức diễn tập",
    "packs": "nhập, sửa bộ tiêu chí và chỉ tiêu kế hoạch",
    "calendar": "ghi ngày nghỉ, giờ học, lịch bảo trì trong phạm vi của mình",
    "rules": "sửa quy tắc cảnh báo, chạy thử trên dữ liệu cũ",
    "speedtest": "đo tốc độ đường truyền",
    "standing": "hỏi máy đã được duyệt chưa",
    "renew": "đổi khóa và mật khẩu của máy",
}

TOPICS: dict[Leaf, str] = {
    "report": "báo cáo của thiết bị: số đo, thông tin, chữ ký",
    "ack": "đã nhận đến báo cáo nào (giữ lại trên kênh)",
    "settings": "đích đo, lịch đo (giữ lại trên kênh); không có lệnh nào",
    "presence": "máy cổng còn kết nối hay không (chưa dùng)",
    "relay": "báo cáo của thiết bị khác, chuyển nguyên vẹn (chưa dùng)",
}

PROBES: dict[str, tuple[str, str]] = {
    "processor": ("Bộ xử lý", "Processor"),
    "memory": ("bộ nhớ", "memory"),
    "disk": ("Dung lượng ổ đĩa", "Space on disks"),
    "uptime": ("Thời gian chạy", "Time since the start"),
    "use": ("Thời gian bật, có người dùng", "Time on and in use"),
    "system": ("Hệ điều hành", "Operating system"),
    "hardware": ("Hãng, kiểu máy", "Maker and model"),
    "identity": ("Bản băm có khóa của mã phần cứng, tên máy", "Keyed digests of hardware numbers and name"),
    "links": ("Card mạng", "Network cards"),
    "wifi": ("Sóng Wi-Fi", "Wi-Fi signal"),
    "addresses": ("Số lượng địa chỉ IP", "Number of IP addresses"),
    "routes": ("Địa chỉ cổng mạng", "Address of the gateway"),
    "resolvers": ("máy chủ tên miền", "name servers"),
    "ipv6": ("Phép thử IPv6", "Tests of IPv6"),
    "quality": ("Độ trễ mạng", "Latency of the network"),
    "antivirus": ("Phần mềm diệt vi-rút", "Antivirus"),
    "firewall": ("Tường lửa", "Firewall"),
    "updates": ("Bản cập nhật", "Updates"),
    "activation": ("Kích hoạt Windows, Office", "Activation of Windows and Office"),
    "autorun": ("Cài đặt tự chạy", "Settings of AutoRun"),
    "accounts": ("Quy định về tài khoản", "Rules of accounts"),
    "remote_access": ("Truy cập từ xa", "Remote access"),
    "encryption": ("Mã hóa ổ đĩa", "Encryption of disks"),
    "backup": ("Lần sao lưu", "Backups"),
    "disk_health": ("Tuổi thọ ổ đĩa", "Health of disks"),
    "bandwidth": ("Tốc độ đường truyền (một máy mỗi trường)", "Speed of the line (one computer a school)"),
    "bandwidth_ledger": ("Dữ liệu đã dùng để đo tốc độ", "Data used for speed tests"),
    "sensors": (
        "Mạng trong trường, nghe từ máy cổng",
        "The school's own network, as its gateway hears it",
    ),
    "": ("Hoạt động của phần mềm đo", "How the program itself works"),
}
"""Probe to what it reads, as a person without a technical trade calls it."""


def count(number: int, language: Language = "vi") -> str:
    """`1.095` in Vietnamese, `1,095` in English."""
    return f"{number:,}".replace(",", "." if language == "vi" else ",")
