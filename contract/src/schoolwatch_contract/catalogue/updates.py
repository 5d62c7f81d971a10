"""Updates of the operating system."""

from schoolwatch_contract.catalogue.kinds import Metric, Subject

SUBJECT = Subject(
    "updates",
    "Để biết máy còn thiếu bản vá an toàn",
    "To know which machines lack security updates",
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
)
