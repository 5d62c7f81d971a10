"""What guards the data, with the numbers that the code works with."""

from collections.abc import Iterator

import argon2

from schoolwatch_contract.frame import FRAME_MAX, KEY_BYTES
from schoolwatch_server import passwords, people, transport
from schoolwatch_server.access import as_role
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.law import words
from schoolwatch_server.sections import People
from schoolwatch_server.use import FEWEST


def measures(config: ServerConfig) -> Iterator[tuple[str, str]]:
    """What is guarded and how, as the settings have it."""
    yield from _of_computers()
    yield from _of_accounts(config.people)
    yield from _of_what_is_shown_and_taken(max(config.privacy.room_devices, FEWEST))
    yield from _of_secrets(config)


def _of_computers() -> Iterator[tuple[str, str]]:
    yield (
        "Nhận biết thiết bị",
        (
            f"mỗi thiết bị có mật khẩu và khóa {KEY_BYTES * 8} bit riêng; mỗi báo cáo có chữ ký HMAC-SHA-256"
            "; báo cáo giả, bị sửa hoặc gửi lại không được nhận"
        ),
    )
    yield (
        "Thu thập tối thiểu",
        (
            "không thu thập tên người, lịch sử truy cập, nội dung tệp, màn hình; "
            "số sê-ri, địa chỉ MAC, tên máy chỉ rời máy dưới dạng HMAC-SHA-256 với khóa riêng của trường, "
            "sinh ra từ một tệp ngoài cơ sở dữ liệu"
        ),
    )


def _of_accounts(settings: People) -> Iterator[tuple[str, str]]:
    hasher = argon2.PasswordHasher()
    yield (
        "Mật khẩu người dùng",
        (
            f"chỉ lưu bản băm argon2id ({hasher.memory_cost // 1024} MiB, {hasher.time_cost} lượt), "
            f"dài từ {passwords.PASSWORD_MIN} ký tự; "
            f"sai quá {people.FREE_FAILURES} lần thì tài khoản tạm nghỉ, "
            f"lâu nhất {people.LOCK_MAX_SECONDS / 60:.0f} phút"
        ),
    )
    yield (
        "Phiên đăng nhập",
        (
            f"hết hạn sau {settings.session_hours:g} giờ, "
            f"hoặc sau {settings.idle_minutes:g} phút không dùng; mã phiên chỉ lưu dưới dạng bản băm; "
            "biểu mẫu có mã chống giả mạo"
        ),
    )
    must = settings.second_factor_roles
    roles = ", ".join(words.ROLES[as_role(role)]["vi"] for role in must) or "không vai trò nào"
    yield (
        "Xác thực hai bước",
        (
            f"mã TOTP (RFC 6238) trên điện thoại, bắt buộc với: {roles}, "
            f"chậm nhất {settings.second_factor_days} ngày sau khi có vai trò; "
            "khóa được niêm phong bằng khóa chủ để ngoài cơ sở dữ liệu"
        ),
    )
    yield (
        "Tài khoản không dùng",
        f"tự khóa sau {settings.idle_days} ngày không đăng nhập",
    )
    yield (
        "Phân quyền",
        (
            "một chỗ duy nhất trong chương trình quyết định vai trò nào được làm gì, "
            "trong phạm vi tỉnh, xã hay trường của tài khoản; truy vấn được lọc theo phạm vi"
        ),
    )


def _of_what_is_shown_and_taken(fewest: int) -> Iterator[tuple[str, str]]:
    yield (
        "Mức sử dụng phòng máy",
        (
            "chỉ đo ở phòng máy, phòng học; "
            f"chỉ hiển thị tổng theo tuần của phòng có từ {fewest} máy có số liệu"
        ),
    )
    yield (
        "Chống lạm dụng",
        (
            f"báo cáo tối đa {FRAME_MAX // 1024} KiB; giới hạn số lần thử mật khẩu và kích thước yêu cầu; "
            "không có kênh ra lệnh từ xa tới máy của trường"
        ),
    )


def _of_secrets(config: ServerConfig) -> Iterator[tuple[str, str]]:
    yield "Mã hóa đường truyền", _transport(config)
    yield (
        "Bí mật trong cơ sở dữ liệu",
        (
            "khóa của thiết bị mã hóa AES-256-GCM bằng khóa chủ để ngoài cơ sở dữ liệu; "
            "mật khẩu, phiên, mã truy cập chỉ lưu bản băm"
        ),
    )
    yield (
        "Tệp bí mật",
        (
            "quyền 0600, trong thư mục 0700; "
            "không có bí mật trong tệp cài đặt, nhật ký chương trình hay đường dẫn"
        ),
    )


def _transport(config: ServerConfig) -> str:
    """What the settings say of TLS, of console and broker."""
    web, mqtt = transport.http(config), transport.mqtt(config)
    before = ", sau máy chủ trung gian có https" if config.http.public_url.startswith("https:") else ""
    said = (
        f"bảng điều khiển và đăng ký thiết bị: {_tls(web)}{'' if web else before}",
        f"kênh báo cáo MQTT: {_tls(mqtt)}",
    )
    return "; ".join(said)


def _tls(tls: transport.Tls | None) -> str:
    if tls is None:
        return "không mã hóa, chỉ nghe trên chính máy chủ"
    return f"TLS 1.2 trở lên, {'chứng thư của CA riêng' if tls.own else 'chứng thư do Sở khai báo'}"
