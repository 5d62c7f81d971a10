"""The server's real condition as the dossier prints it: what is not known is said to be unknown, with why."""

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509

from schoolwatch_server import __version__, transport
from schoolwatch_server.access import as_role
from schoolwatch_server.audit_chain import Verified
from schoolwatch_server.authority import own
from schoolwatch_server.backup import status
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database.standing import Standing
from schoolwatch_server.law import words
from schoolwatch_server.sealing import SealError, key_path
from schoolwatch_server.terms import CONFIGURED, TERMS
from schoolwatch_server.vietnam import VIETNAM

COPIES: dict[status.Judgement, str] = {
    "off": "chưa khai báo nơi sao lưu",
    "unknown": "chưa rõ",
    "never": "có nơi sao lưu, chưa sao lưu lần nào",
    "good": "đúng hạn",
    "failed": "lần gần nhất thất bại",
    "too_old": "quá cũ",
}
"""What is to be said of the copies."""

Fact = tuple[str, str]
"""What, and how it is."""


def facts(config: ServerConfig, found: Standing, chain: Verified | str, now: float) -> Iterator[Fact]:
    """One line a fact, of the settings, of the database and of what the last backups came to.

    `chain` is what a verification of the audit log has just found, or why there was none.
    """
    yield "Phiên bản phần mềm", __version__
    yield "Cơ sở dữ liệu", "PostgreSQL" if config.database.url.startswith("postgres") else "SQLite"
    yield "Thiết bị đang dùng", str(found.devices)
    roles = ", ".join(f"{words.ROLES[as_role(role)]['vi']}: {n}" for role, n in found.accounts.items())
    yield "Tài khoản đăng nhập được", roles or "không có"
    yield "Tài khoản đã khóa", str(found.disabled)
    yield "Xác thực hai bước", _second_factor(config, found)
    yield "Tài khoản không dùng tự khóa sau", f"{config.people.idle_days} ngày"
    yield "Bảng điều khiển qua HTTPS", _tls(transport.http(config), config.http.public_url)
    yield "Kênh báo cáo MQTT có TLS", _tls(transport.mqtt(config))
    yield "Khóa gốc của CA riêng", _root_key(config)
    yield "Khóa chủ của dữ liệu bí mật", _master_key(config)
    yield "Nhật ký thao tác", _audit(found)
    yield "Kiểm tra chuỗi băm của nhật ký", _chain(chain, now)
    yield from _backups(config, now)
    is_told = bool(config.notify.urls_file or found.channels)
    yield "Kênh thông báo sự cố", "có khai báo" if is_told else "chưa khai báo"
    for name in CONFIGURED:
        yield f"Thời hạn lưu: {TERMS[name].vi}", f"{words.count(config.retention.days(name))} ngày"


def moment(at: float) -> str:
    """An instant (UTC seconds) as people in Vietnam read it."""
    return f"{datetime.fromtimestamp(at, VIETNAM):%H:%M %d/%m/%Y}"


def _tls(tls: transport.Tls | None, public_url: str = "") -> str:
    """Whether a listener speaks TLS, and until when its certificate holds."""
    if tls is None:
        proxied = f"; địa chỉ khai báo: {public_url}" if public_url else ""
        return f"không: chỉ nghe trên chính máy chủ{proxied}"
    kind = "CA riêng" if tls.own else "chứng thư khai báo"
    try:
        certificate = x509.load_pem_x509_certificate(tls.certificate.read_bytes())
    except (OSError, ValueError):
        return f"có ({kind}); chưa rõ hạn: chưa đọc được {tls.certificate.name}"
    return f"có ({kind}), hạn đến {moment(certificate.not_valid_after_utc.timestamp())}"


def _root_key(config: ServerConfig) -> str:
    """Where the key lies that could make certificates for every device."""
    made = own.authority(config)
    if not made.exists:
        return "chưa có CA riêng"
    if made.has_root_key:
        return "CÒN TRÊN MÁY CHỦ: cất ra ngoài bằng lệnh schoolwatch-server ca take-root-away"
    return "đã cất ngoài máy chủ"


def _second_factor(config: ServerConfig, found: Standing) -> str:
    """How many of those that must have a second factor have one, and of all others."""
    must = config.people.second_factor_roles
    shares = [
        f"{words.ROLES[as_role(role)]['vi']}: {found.second_factor.get(role, 0)}/{count}"
        f"{' (bắt buộc)' if role in must else ''}"
        for role, count in found.accounts.items()
    ]
    return "; ".join(shares) or "không có tài khoản"


def _master_key(config: ServerConfig) -> str:
    try:
        path = key_path(config.master_key)
    except SealError as error:
        return f"chưa rõ: {error}"
    if not path.exists():
        return "chưa rõ: chưa có tệp khóa"
    inside = path.is_relative_to(config.folder)
    return "tệp trong thư mục dữ liệu" if inside else "ngoài thư mục dữ liệu"


def _chain(chain: Verified | str, now: float) -> str:
    if isinstance(chain, str):
        return f"chưa rõ: {chain}"
    if chain.wrong:
        return f"KHÔNG TOÀN VẸN: {len(chain.wrong)} điểm sai, kiểm tra lúc {moment(now)}"
    return f"toàn vẹn, {chain.rows} dòng, kiểm tra lúc {moment(now)}"


def _audit(found: Standing) -> str:
    if found.audit_since is None:
        return "chưa có dòng nào"
    return f"{found.audit_lines} dòng, từ {moment(found.audit_since)}"


def _backups(config: ServerConfig, now: float) -> Iterator[Fact]:
    """The newest copy, and the newest that was restored to prove it."""
    found = status.read(config.folder)
    if found is None:
        unread = "chưa rõ: không đọc được backup/status.json"
        yield "Bản sao lưu gần nhất", unread
        yield "Lần khôi phục thử gần nhất", unread
        return
    done = "chưa có bản nào" if found.done is None else f"{moment(found.done.at)} tới {found.done.target}"
    yield "Bản sao lưu gần nhất", f"{done} ({COPIES[status.judge(config, found, now)]})"
    proved = found.proved
    yield (
        "Lần khôi phục thử gần nhất",
        (
            "chưa lần nào"
            if proved is None
            else f"{moment(proved.at)}, bản sao lúc {moment(proved.of)}, đúng với bản kê"
        ),
    )
