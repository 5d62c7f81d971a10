"""Health of disks."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "disk_health",
    "Để thay ổ đĩa trước khi nó hỏng",
    "To replace a disk before it fails",
    name=("Sức khỏe ổ đĩa", "Disk health"),
    metrics=(
        Metric(
            "disk_health.healthy",
            "boolean",
            "technical",
            "Ổ đĩa tự báo còn tốt",
            "The disk says that it is healthy",
            labels=("disk",),
        ),
        Metric(
            "disk_health.failure_predicted",
            "boolean",
            "technical",
            "Ổ đĩa tự dự báo sắp hỏng (SMART)",
            "The disk predicts its own failure (SMART)",
            labels=("disk",),
        ),
        Metric(
            "disk_health.wear",
            "ratio",
            "technical",
            "Phần tuổi thọ đã dùng của ổ đĩa",
            "Share of the planned life that is used up",
            labels=("disk",),
        ),
        Metric(
            "disk_health.power_on_time",
            "s",
            "technical",
            "Tổng thời gian ổ đĩa đã chạy",
            "Time that the disk has been powered",
            labels=("disk",),
        ),
        Metric(
            "disk_health.read_errors",
            "count",
            "technical",
            "Số lỗi đọc không sửa được",
            "Read errors that could not be corrected",
            labels=("disk",),
        ),
        Metric(
            "disk_health.bad_sectors",
            "count",
            "technical",
            "Số cung từ hỏng: đã thay thế và đang chờ thay thế",
            "Bad sectors: reallocated, and waiting to be",
            labels=("disk",),
        ),
    ),
    facts=(
        FactKind(
            "disk_health.state",
            "technical",
            "Tình trạng ổ đĩa: healthy, warning, unhealthy, hoặc lý do không biết được",
            "Health of the disk: healthy, warning, unhealthy, or why it is not known",
            labels=("disk",),
        ),
    ),
)
