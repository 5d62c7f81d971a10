"""Accounts and their rules, in numbers."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "accounts",
    "Để biết tài khoản và màn hình của máy có được bảo vệ; chỉ quy định và số đếm, không có tên ai",
    "To know whether accounts and screens are guarded; rules and counts only, nobody is named",
    name=("Tài khoản, khóa màn hình", "Accounts, screen lock"),
    metrics=(
        Metric(
            "accounts.uac",
            "boolean",
            "technical",
            "Kiểm soát tài khoản người dùng (UAC) đang bật",
            "User Account Control is on",
        ),
        Metric(
            "accounts.auto_login",
            "boolean",
            "technical",
            "Máy tự đăng nhập khi khởi động",
            "The machine logs in by itself when it starts",
        ),
        Metric(
            "accounts.screen_lock_timeout",
            "s",
            "technical",
            "Thời gian không thao tác trước khi màn hình tự khóa",
            "Time without input after which the screen locks",
            labels=("source",),
        ),
        Metric(
            "accounts.password_min_length",
            "count",
            "technical",
            "Độ dài tối thiểu của mật khẩu",
            "Least length of a password",
        ),
        Metric(
            "accounts.password_history",
            "count",
            "technical",
            "Số mật khẩu cũ không được dùng lại",
            "Former passwords that may not be used again",
        ),
        Metric(
            "accounts.password_expires", "boolean", "technical", "Mật khẩu có thời hạn", "Passwords expire"
        ),
        Metric(
            "accounts.password_max_age",
            "s",
            "technical",
            "Thời hạn dài nhất của mật khẩu",
            "Longest life of a password",
        ),
        Metric(
            "accounts.lockout_threshold",
            "count",
            "technical",
            "Số lần nhập sai trước khi khóa tài khoản; 0 là không khóa",
            "Wrong passwords before an account is locked; 0 is never",
        ),
        Metric(
            "accounts.enabled",
            "count",
            "technical",
            "Số tài khoản trên máy đang bật",
            "Local accounts that are enabled",
        ),
        Metric(
            "accounts.administrators",
            "count",
            "technical",
            "Số tài khoản trên máy đang bật có quyền quản trị",
            "Enabled local accounts that are administrators",
        ),
        Metric(
            "accounts.other_administrators",
            "count",
            "technical",
            "Số thành viên khác của nhóm quản trị; tài khoản miền hoặc nhóm",
            "Other members of the administrators; accounts of a domain, or groups",
            short=("Số thành viên khác của nhóm quản trị", "Other members of the administrators"),
        ),
        Metric(
            "accounts.without_password",
            "count",
            "technical",
            "Số tài khoản đang bật không bắt buộc có mật khẩu",
            "Enabled accounts that need no password",
        ),
        Metric(
            "accounts.guest_enabled",
            "boolean",
            "technical",
            "Tài khoản khách đang bật",
            "The guest account is enabled",
        ),
        Metric(
            "accounts.builtin_administrator_enabled",
            "boolean",
            "technical",
            "Tài khoản quản trị có sẵn đang bật",
            "The built-in administrator is enabled",
        ),
    ),
    facts=(
        FactKind(
            "accounts.uac_prompt",
            "technical",
            "Cách UAC hỏi người quản trị",
            "How User Account Control asks administrators",
        ),
        FactKind(
            "accounts.screen_lock",
            "technical",
            "Tự khóa màn hình: on, off, hoặc lý do không biết được",
            "Locking of the screen: on, off, or why it is not known",
            labels=("source",),
        ),
        FactKind(
            "accounts.source",
            "technical",
            "Nguồn số liệu đã trả lời, hoặc lý do không biết được",
            "Whether a source answered, or why it is not known",
            labels=("source",),
        ),
    ),
)
