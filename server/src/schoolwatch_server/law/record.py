"""The record of processing: what is processed, why, who sees it, where it is and for how long."""

from collections.abc import Iterator
from typing import get_args

from schoolwatch_contract.catalogue import (
    FACTS,
    METRICS,
    SIGHTINGS,
    SUBJECTS,
    FactKind,
    Metric,
    SightingKind,
)
from schoolwatch_contract.catalogue.carriage import MESSAGES
from schoolwatch_contract.catalogue.classes import CLASSES, NEVER
from schoolwatch_contract.topics import DEVICE_WRITES, ROOT, Leaf
from schoolwatch_server.access import ROLES, TOKENS, Permission
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database.ages import AGES
from schoolwatch_server.law import words
from schoolwatch_server.law.basis import DATA, SURE
from schoolwatch_server.law.document import Document, Section
from schoolwatch_server.law.holding import KINDS
from schoolwatch_server.law.holdings import HOLDINGS
from schoolwatch_server.law.measures import measures
from schoolwatch_server.terms import CONFIGURED, OF_DEVICES, TERMS

UNDECLARED = "……………………………… (chưa khai báo)"

AFTER = {
    "valid_to": " sau khi thay đổi",
    "closed_at": " sau khi đóng",
    "retired_at": " sau khi máy ngừng sử dụng",
    "disabled_at": " sau khi khóa",
    "expires_at": " sau khi hết hạn hoặc thu hồi",
    "year_ends": " sau khi hết năm học",
    "ends": " sau khi kết thúc",
}
"""From which moment a term counts, where it is not from when the row was made."""


def record(config: ServerConfig) -> Document:
    """The record for these settings."""
    return Document(
        "Hồ sơ ghi nhận hoạt động xử lý dữ liệu cá nhân",
        (
            "Lập theo Luật Bảo vệ dữ liệu cá nhân (Luật 91/2025/QH15) và Nghị định 356/2025/NĐ-CP.",
            "Nội dung được sinh từ chính chương trình: bảng, cột, chủ đề, vai trò và thời hạn đang dùng.",
            "Đây không phải tư vấn pháp lý; cơ quan chủ quản rà soát, bổ sung và ký.",
        ),
        (
            Section("Cơ quan, mục đích và căn cứ / Who, why and on what grounds", _purpose(config)),
            Section("Không bao giờ thu thập / Never collected", items=tuple(f"{vi}." for vi, _ in NEVER)),
            Section(
                "Thu thập từ máy tính của trường / From schools' computers",
                ("Từng trường dữ liệu: docs/privacy.md, hoặc `schoolwatch-agent explain` trên máy.",),
                head=("Loại", "Đánh giá", "Gồm những gì"),
                rows=tuple(_classes()),
            ),
            Section(
                "Chủ đề MQTT / Topics",
                ("Mỗi thiết bị chỉ ghi và đọc chủ đề của chính mình; mã thiết bị là số ngẫu nhiên.",),
                head=("Chủ đề", "Chiều", "Nội dung"),
                rows=tuple(_topics()),
            ),
            Section(
                "Bảng trong cơ sở dữ liệu / Tables of the database",
                ("Loại của từng cột: docs/privacy.md.",),
                head=("Bảng", "Nội dung, mục đích", "Loại dữ liệu", "Thời hạn lưu"),
                rows=tuple(_tables(config)),
            ),
            Section(
                "Các loại dữ liệu / Classes of data",
                head=("Loại", "Đánh giá"),
                rows=tuple((kind.title_vi, kind.law_vi) for kind in KINDS.values()),
            ),
            Section(
                "Thời hạn lưu / Retention",
                ("Quá thời hạn, máy chủ tự xóa, mỗi giờ một lần.",),
                head=("Loại", "Thời hạn đang áp dụng", "Cho phép", "Lý do"),
                rows=tuple(_terms(config)),
            ),
            Section(
                "Ai được xem / Who sees it",
                (
                    "Mỗi tài khoản chỉ thấy phạm vi của mình: toàn hệ thống, tỉnh, xã hoặc trường.",
                    "Trang máy chủ và nhật ký chỉ dành cho tài khoản phạm vi toàn hệ thống.",
                ),
                head=("Vai trò", "Được làm"),
                rows=tuple(_roles()),
            ),
            Section("Nơi lưu / Where it is kept", items=_places(config)),
            Section("Bên nhận / Recipients", items=_recipients(config)),
            Section(
                "Biện pháp bảo vệ / What guards it",
                head=("Biện pháp", "Cách thực hiện"),
                rows=tuple(measures(config)),
            ),
            Section("Quyền của chủ thể dữ liệu / Rights", items=RIGHTS),
            Section("Cơ quan chủ quản phải tự làm / What the department does itself", items=DUTIES),
            Section(
                "Văn bản và mức độ kiểm chứng / Texts and how they were read",
                head=("Nội dung", "Văn bản", "Mức độ kiểm chứng"),
                rows=tuple((each.vi, each.source, SURE[each.sure]) for each in DATA),
            ),
        ),
    )


RIGHTS = (
    "Người có tài khoản: yêu cầu xem, sửa, khóa tài khoản của mình qua quản trị của Sở.",
    "Đầu mối CNTT: yêu cầu nhà trường xem, sửa, xóa họ tên, điện thoại, thư của mình ở trang của trường.",
    "Nhà trường: yêu cầu Sở xóa hẳn dữ liệu của một máy hoặc cả trường (`schoolwatch-server delete-school`).",
    "Giáo viên, học sinh: hỏi nhà trường; `schoolwatch-agent explain` trên máy nói mọi thứ máy gửi đi.",
)
DUTIES = (
    "Xem xét lập hồ sơ đánh giá tác động và gửi cơ quan có thẩm quyền.",
    "Chỉ định người phụ trách bảo vệ dữ liệu; ký, lưu hồ sơ này.",
    "Niêm yết thông báo về dữ liệu ở từng trường.",
    "Đặt máy chủ và bản sao lưu tại Việt Nam; chọn kênh thông báo trong nước.",
)


def _purpose(config: ServerConfig) -> tuple[str, ...]:
    return (
        f"Cơ quan kiểm soát dữ liệu: {config.privacy.controller or UNDECLARED}.",
        f"Đầu mối liên hệ về dữ liệu: {config.privacy.contact or UNDECLARED}.",
        (
            "Mục đích: theo dõi tình trạng hạ tầng công nghệ thông tin của các trường, tính chỉ số phải "
            "báo cáo, "
            "phát hiện và xử lý sự cố."
        ),
        (
            "Chủ thể dữ liệu: người có tài khoản trên hệ thống (cán bộ của Sở, xã, trường); "
            "đầu mối CNTT của trường và người thay thế. "
            "Học sinh và giáo viên dùng máy tính: không thu thập dữ liệu về người dùng máy."
        ),
        (
            "Căn cứ: nhiệm vụ được giao của cơ quan (mục cuối). "
            "Không dùng cho mục đích khác, không bán, không quảng cáo."
        ),
    )


def _tables(config: ServerConfig) -> Iterator[tuple[str, str, str, str]]:
    for name, held in HOLDINGS.items():
        yield name, held.vi, ", ".join(KINDS[kind].title_vi for kind in held.kinds), kept(name, config)


def _classes() -> Iterator[tuple[str, str, str]]:
    purposes = {subject.probe: subject.vi for subject in SUBJECTS}
    every: tuple[Metric | FactKind | SightingKind, ...] = (
        *METRICS.values(),
        *FACTS.values(),
        *(kind for kind in SIGHTINGS.values() if kind.probe),
    )
    for each in CLASSES:
        probes = dict.fromkeys(kind.probe for kind in every if kind.privacy == each.name)
        carried = [field.vi for message in MESSAGES for field in message.fields if field.privacy == each.name]
        what = dict.fromkeys(purposes[probe] for probe in probes)
        if each.name != "technical":  # of what carries a report only this is not about the machine alone
            what |= dict.fromkeys(carried)
        yield each.title_vi, each.law_vi, "; ".join(what)


def _topics() -> Iterator[tuple[str, str, str]]:
    for leaf in get_args(Leaf):
        direction = "thiết bị → máy chủ" if leaf in DEVICE_WRITES else "máy chủ → thiết bị"
        yield f"{ROOT}/<mã>/{leaf}", direction, words.TOPICS[leaf]


def kept(table: str, config: ServerConfig) -> str:
    """How long rows of a table are kept by these settings, in words."""
    age = AGES[table]
    if table in {"pack_version", "pack_text"}:
        return "lâu dài, cùng các báo cáo đã dẫn"
    if table == "rule_version":
        return "lâu dài, để đối chiếu sự cố"
    if age.term is None:
        return "theo đối tượng trong sổ đăng ký"
    days = config.retention.days(age.term)
    if table in {"device", "membership"}:  # as long as anything that was measured there
        days = max(config.retention.days(name) for name in OF_DEVICES)
    if table == "rollup":
        return f"theo giờ {words.count(days)} ngày, theo ngày {words.count(config.retention.daily_days)} ngày"
    if table == "use_rollup":
        return f"theo giờ {config.retention.journal_days + 1} ngày, theo ngày {words.count(days)} ngày"
    of_device = AFTER["retired_at"] if age.term == "retired" else ""
    after = next((AFTER[by] for by in age.by if by in AFTER), of_device)
    return f"{words.count(days)} ngày{after}" if days else "đến khi hết hạn"


def _terms(config: ServerConfig) -> Iterator[tuple[str, str, str, str]]:
    for name, term in TERMS.items():
        days = config.retention.days(name)
        allowed = (
            f"{words.count(term.least)}–{words.count(term.most)} ngày" if name in CONFIGURED else "cố định"
        )
        why = f"{term.why_vi} ({term.source}, {SURE['secondary']})" if term.source else term.why_vi
        yield term.vi, "xóa ngay" if days == 0 else f"{words.count(days)} ngày", allowed, why


def _roles() -> Iterator[tuple[str, str]]:
    for role, permissions in ROLES.items():
        yield words.ROLES[role]["vi"], _may(permissions)
    for token, permissions in TOKENS.items():
        yield f"Mã truy cập của phần mềm khác ({token})", _may(permissions)


def _may(permissions: frozenset[Permission]) -> str:
    return ", ".join(said for name, said in words.PERMISSIONS.items() if name in permissions)


def _places(config: ServerConfig) -> tuple[str, ...]:
    return (
        (
            "Máy tính của trường: báo cáo chờ gửi, và báo cáo đã nhận trong 7 ngày; chỉ quản trị của máy "
            "đọc được."
        ),
        "Kênh MQTT của máy chủ: báo cáo đang chờ, xóa khi máy chủ đã nhận.",
        "Cơ sở dữ liệu của máy chủ: "
        + ("PostgreSQL" if config.database.url.startswith("postgres") else "SQLite trong thư mục dữ liệu")
        + "; khóa bí mật ở thư mục secrets, ngoài cơ sở dữ liệu.",
        *_series(config),
        _copies(config),
        "USB mang báo cáo từ trường không có mạng: có chữ ký, không mã hóa; xóa tệp sau khi nhập.",
    )


def _series(config: ServerConfig) -> tuple[str, ...]:
    store = config.store
    if store.kind == "embedded":
        return ()
    days = f"{words.count(store.retention_days)} ngày" if store.retention_days else "số ngày đặt ở kho đó"
    cannot = "" if store.kind == "victoriametrics" else " InfluxDB 3 Core không xóa được: chờ hết hạn lưu."
    told = (
        f"Kho chuỗi số liệu {store.kind} tại {store.url}: từng số đo theo mã máy, nhãn máy, chỉ số theo "
        f"trường, xã, tỉnh; không có mức sử dụng của từng máy; giữ {days}. Dữ liệu xóa ở máy chủ được xóa ở "
        f"kho sau nửa phút, trừ bản sao của kho do Sở tự giữ.{cannot}"
    )
    return (told,)


def _copies(config: ServerConfig) -> str:
    own = config.backup
    where = "chưa khai báo" if not own.target else "SFTP" if own.target.startswith("sftp:") else "thư mục"
    return (
        f"Bản sao lưu: {where}; mã hóa; giữ {own.keep_daily} bản ngày, {own.keep_weekly} bản tuần, "
        f"{own.keep_monthly} bản tháng. Dữ liệu đã xóa còn trong bản sao lưu "
        "đến khi bản đó hết hạn; khôi phục bản cũ thì chương trình xóa lại."
    )


def _recipients(config: ServerConfig) -> tuple[str, ...]:
    ipv6 = config.ipv6
    aims = [*ipv6.dual_stack, ipv6.v6_only_name, ipv6.large, *config.quality.hosts, config.bandwidth.url]
    named = ", ".join(dict.fromkeys(aim for aim in aims if aim)) or "chưa khai báo máy nào"
    return (
        "Không gửi dữ liệu cho tác giả phần mềm hay doanh nghiệp nào.",
        "Kênh thông báo sự cố do Sở khai báo: nhận tên trường, phòng, nhãn máy và nội dung sự cố. "
        "Kênh của nhà cung cấp ngoài Việt Nam là chuyển dữ liệu ra nước ngoài, phải xem xét trước. "
        "Kênh khai báo trên bảng điều khiển, kể cả kênh mà người có tài khoản tự đặt cho mình: xem trang "
        "Thông báo, trực." + (" Tệp cấu hình chưa khai báo kênh nào." if not config.notify.urls_file else ""),
        (
            "Phần mềm khác (Grafana, Prometheus …) có mã truy cập API do Sở, xã cấp: trong phạm vi của mã; "
            "mã chỉ gửi cảnh báo đến thì không đọc được gì. Prometheus Alertmanager: như kênh thông báo."
        ),
        f"Máy đích của phép thử mạng chỉ thấy địa chỉ IP công cộng của trường: {named}.",
    )
