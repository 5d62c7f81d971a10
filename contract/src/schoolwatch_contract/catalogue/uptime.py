"""Time since the start."""

from schoolwatch_contract.catalogue.kinds import Metric, Subject

SUBJECT = Subject(
    "uptime",
    "Để biết máy có được dùng và khởi động lại",
    "To know that a machine is used and restarted",
    name=("Thời gian hoạt động", "Uptime"),
    metrics=(
        Metric(
            "uptime.seconds",
            "s",
            "technical",
            "Thời gian từ khi hệ điều hành khởi động",
            "Time since the operating system started",
        ),
    ),
)
