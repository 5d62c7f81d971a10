"""Updates of the operating system."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "updates",
    "Để biết máy còn thiếu bản vá an toàn",
    "To know which machines lack security updates",
    name=("Cập nhật, bản vá", "Updates"),
    metrics=(
        Metric(
            "updates.pending", "count", "technical", "Số bản cập nhật chưa cài", "Updates not yet installed"
        ),
        Metric(
            "updates.security",
            "count",
            "technical",
            "Số bản cập nhật bảo mật chưa cài",
            "Security updates not yet installed",
        ),
        Metric(
            "updates.age",
            "s",
            "technical",
            "Thời gian từ lần tìm bản cập nhật thành công gần nhất",
            "Time since updates were last looked for with success",
        ),
        Metric(
            "updates.last_installed_age",
            "s",
            "technical",
            "Thời gian từ lần cài bản cập nhật gần nhất",
            "Time since an update was last installed",
        ),
        Metric(
            "updates.automatic",
            "boolean",
            "technical",
            "Máy tự tìm và tự cài bản cập nhật",
            "The machine looks for updates and installs them by itself",
        ),
        Metric(
            "updates.reboot_pending",
            "boolean",
            "technical",
            "Máy cần khởi động lại để cập nhật có hiệu lực",
            "A restart is needed before updates take effect",
        ),
    ),
    facts=(
        FactKind(
            "updates.search",
            "technical",
            "Tìm bản cập nhật được hay không, hoặc lý do",
            "Whether updates could be looked for, or why not",
        ),
        FactKind(
            "updates.source",
            "technical",
            "Vì sao không biết lần tìm, lần cài bản cập nhật gần nhất, hoặc máy có cần khởi động lại không",
            "Why it is not known when updates were last looked for or installed, or whether a restart is due",
            labels=("source",),
        ),
        FactKind(
            "updates.mode",
            "technical",
            "Cách cập nhật: off, notify (báo), download (tải về), scheduled (tự cài), local (tùy máy);"
            " trên Linux còn có not installed (chưa cài), not started (không có gì khởi chạy)",
            "How updates come: off, notify, download, scheduled (installed) or local (up to the machine);"
            " on Linux also not installed, not started (nothing runs it)",
            labels=("source",),
        ),
        FactKind(
            "updates.service",
            "technical",
            "Cách khởi động của dịch vụ Windows Update",
            "How the Windows Update service starts",
        ),
        FactKind(
            "updates.server",
            "technical",
            "Nguồn bản cập nhật: microsoft, hoặc máy chủ của đơn vị (wsus)",
            "Where updates come from: microsoft, or a server of one's own (wsus)",
        ),
    ),
)
