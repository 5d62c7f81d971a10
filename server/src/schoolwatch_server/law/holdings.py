"""What stands in each table and column of the database, and how private it is."""

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
        "Thông tin về tài khoản số của người dùng hệ thống: dữ liệu cá nhân cơ bản (Nghị định "
        "356/2025/NĐ-CP, "
        "Điều 3)",
        "Of the digital account of somebody who uses the system: basic personal data (Nghị định "
        "356/2025/NĐ-CP, Điều 3)",
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


def _of(vi: str, en: str, **columns: str) -> Holding:
    """`technical="id at"` gives both columns this class."""
    return Holding(vi, en, {name: kind for kind in KINDS for name in columns.get(kind, "").split()})


HOLDINGS: dict[str, Holding] = {
    "meta": _of("Thông số của chính cơ sở dữ liệu", "Numbers of the database itself", technical="key value"),
    "province": _of("Tỉnh", "Provinces", technical="id", organisational="code name"),
    "commune": _of("Xã, phường", "Communes", technical="id province_id", organisational="code name"),
    "school": _of("Trường", "Schools", technical="id commune_id created_at", organisational="name level"),
    "school_code": _of(
        "Mã trường theo thời gian",
        "Codes of schools over time",
        technical="id school_id valid_from valid_to",
        organisational="code",
    ),
    "declaration": _of(
        "Số liệu nhà trường khai báo (số học sinh, số máy…): chỉ số đếm",
        "What schools declare (students, computers, ...): counts alone",
        technical="id school_id",
        organisational="quantity value declared_at",
        personal="declared_by",
    ),
    "room": _of(
        "Phòng của trường",
        "Rooms of schools",
        technical="id school_id role",
        organisational="declared",
        written="name",
    ),
    "device": _of(
        "Thiết bị: mã ngẫu nhiên, nhãn, tình trạng",
        "Devices: random id, label, condition",
        technical="id device role broken created_at retired_at pending_since replaces_id kept_at",
        written="label asset_tag",
    ),
    "membership": _of(
        "Thiết bị thuộc trường, phòng nào, từ khi nào",
        "In which school and room a device is, since when",
        technical="id device_id room_id valid_from valid_to",
        organisational="school_id",
    ),
    "credential": _of(
        "Khóa và bản băm mật khẩu của thiết bị, để nhận biết báo cáo thật",
        "Key and password hash of a device, to tell its reports from forged ones",
        technical="device_id changed_at revoked_at rotate_at next_at",
        key="frame_key password_hash next_key next_hash",
    ),
    "enrolment_token": _of(
        "Bản băm mã đăng ký thiết bị của trường",
        "Hashes of schools' enrolment tokens",
        technical="id school_id room_id created_at expires_at uses_left revoked_at admits sign",
        key="hash",
    ),
    "arrival": _of(
        "Máy đã đăng ký bằng mã nào, phòng nào, loại máy; bản băm có khóa của mã phần cứng để thấy máy trùng",
        "By which token and into which room a device came, its kind; keyed digests of hardware to see copies",
        technical="device_id school_id room_id token_id asked_at about resembles_id",
        pseudonymised="hints",
    ),
    "frozen_device": _of(
        "Máy đóng băng: bản băm có khóa của mã phần cứng, để nhận ra máy sau khi khởi động lại",
        "Frozen computers: keyed digests of hardware numbers, to know them after a start",
        technical="device_id enrolled_at",
        pseudonymised="hints",
    ),
    "generation": _of(
        "Báo cáo đã nhận đến số nào, để không mất và không trùng",
        "Up to which number reports have come, so that none is lost or counted twice",
        technical="id device_id spool clock_offset upto heard_at at_its_word",
    ),
    "arrived": _of("Số báo cáo đến trước", "Numbers that came early", technical="generation_id seq"),
    "journal": _of(
        "Báo cáo thô đúng như thiết bị gửi; có bản băm có khóa của phần cứng và mức sử dụng máy dùng chung",
        "Raw reports as devices sent them; with keyed digests of hardware and the use of shared computers",
        technical="id device_id generation_id seq digest taken_at received_at late carried uncertain",
        pseudonymised="body",
    ),
    "fact_history": _of(
        "Thông tin ít đổi của thiết bị và các giá trị trước đây; có bản băm có khóa của phần cứng",
        "Facts of devices and what they were before; with keyed digests of hardware",
        technical="id device_id name labels reason valid_from valid_to",
        pseudonymised="value",
    ),
    "sighting": _of(
        "Những gì thấy ở thiết bị: đổi phần cứng, bị nhân bản",
        "What was seen of devices: changed hardware, clones",
        technical="id device_id journal_id kind subject detail seen_at received_at late",
    ),
    "quarantine": _of(
        "Báo cáo bị từ chối và lý do, để tìm lỗi và tấn công",
        "Refused reports and why, to find faults and attacks",
        technical="id received_at topic device reason detail verified size replayed_at waited made_at",
        pseudonymised="frame",
    ),
    "counter": _of("Bộ đếm của máy chủ", "Counters of the server", technical="name label value"),
    "cursor": _of("Vị trí đọc", "How far readers are", technical="name position moved_at"),
    "dirty": _of(
        "Việc tổng hợp còn chờ",
        "Summaries still to make",
        technical="device_id resolution bucket journal_id",
    ),
    "rollup": _of(
        "Số liệu theo giờ và theo ngày của thiết bị",
        "Hourly and daily summaries of devices",
        technical="device_id resolution bucket body",
    ),
    "use_rollup": _of(
        "Mức sử dụng theo giờ và theo ngày của từng máy dùng chung, chỉ để cộng theo phòng, không trang "
        "nào đọc",
        "Hourly and daily use of each shared computer, only to be summed by room; no page reads it",
        technical="device_id resolution bucket",
        aggregated="body",
    ),
    "judged_series": _of(
        "Chuỗi giá trị chỉ số của trường, xã, tỉnh",
        "Series of indicators of schools, communes, provinces",
        technical="id measurement",
        organisational="tags",
    ),
    "judged": _of(
        "Giá trị chỉ số theo thời gian, để chứng minh số liệu đã báo cáo",
        "Values of indicators over time, to prove what was reported",
        technical="series_id at pack",
        organisational="value numerator denominator coverage",
    ),
    "state": _of(
        "Tình trạng mới nhất của thiết bị, để tính chỉ số",
        "What is known of devices now, to compute indicators",
        technical="device_id taken_at seq heard_at agent protected ipv6_rung link_speed link_medium "
        "antivirus "
        "windows_activated office_activated",
    ),
    "state_body": _of(
        "Toàn bộ tình trạng mới nhất; có bản băm có khóa của phần cứng",
        "All that is known of devices now; with keyed digests of hardware",
        technical="device_id",
        pseudonymised="body",
    ),
    "room_use": _of(
        "Mức sử dụng phòng theo tuần, tổng của nhiều máy",
        "The use of rooms by week, sums of several computers",
        technical="id room_id week days",
        aggregated="on_devices on_device_days on_total active_devices active_device_days active_total "
        "boots_devices boots_device_days boots_total",
    ),
    "rule_state": _of("Điều quy tắc cảnh báo cần nhớ", "What rules remember", technical="rule subject body"),
    "incident": _of(
        "Sự cố của thiết bị và bằng chứng kỹ thuật",
        "Incidents of devices with their technical evidence",
        technical="id rule rule_version fingerprint severity device_id since opened_at closed_at late "
        "evidence",
        organisational="school_id",
    ),
    "incident_event": _of(
        "Diễn biến của sự cố", "What happened in incidents", technical="id incident_id at kind detail"
    ),
    "notification": _of(
        "Thông báo đã gửi, tới kênh nào",
        "Notifications, to which channel",
        technical="id incident_id event attempts due_at sent_at error",
        written="channel",
    ),
    "account": _of(
        "Tài khoản của người dùng hệ thống, để đăng nhập và phân quyền",
        "Accounts of those who use the system, to log in and to decide what they see",
        technical="id",
        personal="name role role_since scope_level scope_id language created_at disabled_at active_at "
        "last_login_at oidc_issuer oidc_subject",
        login="password_hash failures locked_until must_change code_failures code_locked_until totp_step",
        key="totp totp_new",
    ),
    "recovery_code": _of(
        "Mã dự phòng của xác thực hai bước, chỉ giữ bản băm",
        "Recovery codes of the second step, as hashes",
        login="account_id hash",
    ),
    "session": _of(
        "Phiên đăng nhập đang mở",
        "Open sessions",
        login="hash account_id csrf created_at expires_at seen_at address waits proof",
    ),
    "api_token": _of(
        "Mã truy cập của phần mềm khác",
        "Tokens of other programs",
        technical="id permission scope_level scope_id created_at expires_at revoked_at used_at",
        personal="issued_by",
        written="name",
        key="hash",
    ),
    "audit": _of(
        "Nhật ký: ai làm gì, lúc nào, đăng nhập từ địa chỉ IP nào",
        "The audit log: who did what and when, and logged in from which IP address",
        technical="id action",
        personal="at actor subject",
        login="detail previous hash",
    ),
    "audit_head": _of(
        "Điểm cuối của chuỗi băm nhật ký",
        "The end of the audit log's hash chain",
        technical="id last removed",
        login="hash",
    ),
    "device_settings": _of(
        "Thiết bị đã nhận cài đặt chưa",
        "Whether devices know their settings",
        technical="device_id digest due",
    ),
    "line_tester": _of(
        "Máy đo đường truyền của trường",
        "The device that tests a school's line",
        technical="school_id device_id",
    ),
    "speedtest_slot": _of(
        "Lượt đo tốc độ",
        "Turns of the speed test",
        technical="id device_id school_id rate granted_at busy_until running download_at upload_at",
        key="hash",
    ),
}
"""Table to what it holds; a test walks every table and column and finds one without a class."""
