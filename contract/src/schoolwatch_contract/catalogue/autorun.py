"""What starts by itself, and attachments."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "autorun",
    "Để biết USB hay tệp đính kèm có thể tự chạy chương trình hay không",
    "To know whether a USB stick or an attachment can start programs by itself",
    name=("Tự động chạy, tệp đính kèm", "AutoRun, attachments"),
    metrics=(
        Metric(
            "autorun.enabled",
            "boolean",
            "technical",
            "Cho phép tự chạy trên loại ổ đĩa này",
            "AutoRun is allowed on this kind of drive",
            labels=("drive",),
        ),
        Metric(
            "autorun.commands_blocked",
            "boolean",
            "technical",
            "Lệnh tự chạy (autorun.inf) bị chặn",
            "Autorun commands (autorun.inf) are blocked",
        ),
        Metric(
            "autorun.devices_blocked",
            "boolean",
            "technical",
            "Tự chạy với thiết bị không phải ổ đĩa bị chặn",
            "AutoPlay of devices that are no drives is blocked",
        ),
        Metric(
            "autorun.automount",
            "boolean",
            "technical",
            "USB cắm vào được tự động gắn (Linux)",
            "A USB stick is mounted by itself when put in (Linux)",
        ),
        Metric(
            "attachments.origin_kept",
            "boolean",
            "technical",
            "Tệp tải về được giữ dấu nguồn gốc; mặc định của Windows là có",
            "Downloaded files keep the mark of where they come from; Windows does so by default",
            short=("Tệp tải về được giữ dấu nguồn gốc", "Downloaded files keep the mark of their origin"),
        ),
        Metric(
            "attachments.origin_removable",
            "boolean",
            "technical",
            "Người dùng được phép bỏ dấu nguồn gốc; mặc định của Windows là có",
            "The user may remove that mark; Windows allows it by default",
            short=("Người dùng được phép bỏ dấu nguồn gốc", "The user may remove that mark"),
        ),
        Metric(
            "attachments.scanned",
            "boolean",
            "technical",
            "Tệp đính kèm bắt buộc được quét vi-rút khi mở; mặc định của Windows là tùy chọn",
            "Attachments must be scanned when they are opened; optional by default in Windows",
            short=(
                "Tệp đính kèm bắt buộc được quét vi-rút khi mở",
                "Attachments must be scanned when opened",
            ),
        ),
    ),
    facts=(
        FactKind(
            "autorun.setting",
            "technical",
            "Giá trị chính sách của máy hoặc người dùng; mặc định của Windows: NoDriveTypeAutoRun là 145",
            "Policy value of the machine or its users; Windows' default: NoDriveTypeAutoRun is 145",
            labels=(
                "setting",
                "scope",
            ),
        ),
    ),
)
