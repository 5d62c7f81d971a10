"""What is held of whom to tell of incidents."""

from schoolwatch_server.law.holding import Holding, of

DUTY: dict[str, Holding] = {
    "channel": of(
        "Kênh thông báo: địa chỉ gửi (Zalo, thư điện tử, webhook…) được niêm phong bằng khóa chủ, không hiện "
        "lại cho ai; có thể là của một tài khoản",
        "Channels of notification: the address (Zalo, e-mail, webhook …) is sealed with the master key and "
        "shown to nobody again; it may be an account's own",
        technical="id kind language is_on is_own changed_at worked_at failed_at error carries least is_quiet "
        "confirmed_at code code_until code_tries",
        written="name",
        personal="address account_id",
    ),
    "duty": of(
        "Lịch trực: ai được báo về sự cố nào, giờ nào",
        "Duty: who is told of which incidents, at which hours",
        technical="id scope_level scope_id least weekdays starts ends first_day last_day step quiet_from "
        "quiet_to digest_at channels acts changed_at",
        written="name",
    ),
    "notify_settings": of(
        "Thời hạn báo lên cấp trực tiếp theo; địa chỉ bên ngoài nhận tín hiệu máy chủ còn hoạt động",
        "When the next step is told; the address outside that is told that the server lives",
        technical="id escalate ping_every pinged_at ping_failed_at ping_error",
        key="ping_url",
    ),
    "delivery": of(
        "Từng tin nhắn đã gửi: kênh, số lần thử, kết quả; không giữ nội dung",
        "Each message that was sent: channel, attempts, outcome; not its text",
        technical="id nonce kind is_exercise made_at attempts due_at claimed_at sent_at error",
        written="channel",
    ),
    "escalation": of(
        "Sự cố chưa ai nhận: đang ở cấp trực nào, khi nào báo lên",
        "Incidents that nobody has taken: at which step, and when the next is told",
        technical="incident_id step next_at",
    ),
    "exercise": of(
        "Đợt diễn tập: ai tổ chức, phạm vi, thời gian",
        "Exercises: who held them, where, when",
        technical="id rule scope_level scope_id started_at ends_at ended_at incidents",
        written="note",
        personal="started_by",
    ),
}
